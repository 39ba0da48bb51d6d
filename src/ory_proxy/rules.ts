/** The two access rules of `mintkeeper proxy`: Kratos below its prefix, and the application. */
import type { OryProxySettings } from './settings.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Told to Ory's own cloud by its proxy; of a client they are never believed. */
const RESERVED = ['Ory-Base-URL-Rewrite', 'Ory-Base-URL-Rewrite-Token', 'Ory-No-Custom-Domain-Redirect']
const RATE_LIMIT = 'Ory-RateLimit-Action'

export function oryProxyRules(settings: OryProxySettings, prefix: string): readonly object[] {
  const { upstream, kratos, kratosBaseUrl, publishUrl = '', jwt, kratosHeaders } = settings
  const own = publishUrl === '' ? '/' : publishUrl
  const below = publishUrl + prefix
  const cookies = { domain: settings.cookieDomain, secure: publishUrl.startsWith('https:') ? 'always' : 'match' }
  const origins = [...new Set([kratosBaseUrl, kratos].map((url) => withoutSlash(url)))]
  const places = [
    ...[...origins, below].map((from) => ({ from: `${from}/ui/welcome`, to: settings.defaultRedirectUrl })),
    ...origins.map((from) => ({ from, to: below })),
    { from: upstream, to: own },
  ]
  const forwarded = forwardedHeaders(publishUrl)
  const sent = Object.fromEntries(kratosHeaders.map(([name, value]) => [name, literally(value)]))
  const stripped = RESERVED.filter((name) => !isAmong(name, kratosHeaders))
  return [
    {
      id: 'ory_proxy:kratos',
      priority: 1,
      match: { url: `<https?://[^/]+>${prefix}<(/.*)?>`, methods: METHODS },
      authenticators: [{ handler: 'noop' }],
      authorizer: { handler: 'allow' },
      mutators: [{ handler: 'header', config: { headers: { ...forwarded, ...sent }, remove: stripped } }],
      upstream: {
        url: kratos,
        strip_prefix: prefix,
        credentials: 'pass',
        rewrite: { urls: places, bodies: true, cookies },
      },
    },
    {
      id: 'ory_proxy:application',
      match: { url: '<https?://[^/]+><(/.*)?>', methods: METHODS },
      authenticators: [...(jwt ? sessionAuthenticators : []), { handler: 'noop' }],
      authorizer: { handler: 'allow' },
      mutators: [
        ...(jwt ? [{ handler: 'session_jwt' }] : []),
        { handler: 'header', config: { headers: forwarded, remove: [...RESERVED, RATE_LIMIT] } },
      ],
      upstream: {
        url: upstream,
        preserve_host: !settings.rewriteHost,
        // The application may ask Kratos itself, as its libraries do on the server.
        credentials: 'pass',
        websocket: { allowed_origins: settings.allowedCorsOrigins },
        rewrite: { urls: places, cookies },
      },
    },
  ]
}

/** In Kratos' own order. Who has no session, or none that counts, goes on as a visitor. */
const sessionAuthenticators = [
  { handler: 'bearer_token', config: { token_from: { header: 'X-Session-Token' } }, on_error: 'next' },
  { handler: 'cookie_session', on_error: 'next' },
  // Other bearer tokens are none of Kratos' business.
  { handler: 'bearer_token', config: { prefix: 'ory_st_' }, on_error: 'next' },
]

/** Behind a proxy that ends TLS only the given address is the one that browsers see. */
function forwardedHeaders(publishUrl: string): Readonly<Record<string, string>> {
  if (publishUrl === '') return {}
  const { host, protocol } = new URL(publishUrl)
  return { 'X-Forwarded-Host': literally(host), 'X-Forwarded-Proto': protocol.slice(0, -1) }
}

const isAmong = (name: string, lines: OryProxySettings['kratosHeaders']): boolean =>
  lines.some(([other]) => other.toLowerCase() === name.toLowerCase())

/** As a template that says just this. */
const literally = (text: string): string => text.replaceAll('{{', '{{ "{{" }}')

const withoutSlash = (url: string): string => (url.endsWith('/') ? url.slice(0, -1) : url)
