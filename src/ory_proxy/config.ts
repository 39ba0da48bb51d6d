/** The config for which `mintkeeper proxy` stands: what would otherwise be a file, so that a file can lie over it. */
import type { JsonObject } from '../pipeline/contract/values.ts'
import { generateKeySet } from '../tokens/generate.ts'
import { oryProxyRules } from './rules.ts'
import type { OryProxySettings } from './settings.ts'

/** Where Kratos' own API is, seen from the browser. */
export const PREFIX = '/.ory'
export const JWKS_PATHS = [`${PREFIX}/jwks.json`, `${PREFIX}/proxy/jwks.json`] as const

const REQUEST_HEADERS = [
  'Accept', 'Content-Type', 'Content-Length', 'Accept-Language', 'Content-Language', 'Authorization', 'X-CSRF-TOKEN',
] // prettier-ignore
const RESPONSE_HEADERS = [
  'Set-Cookie', 'Cache-Control', 'Expires', 'Last-Modified', 'Pragma', 'Content-Length', 'Content-Language', 'Content-Type',
] // prettier-ignore

/** With a signing key of its own, which lives as long as the process. */
export async function oryProxyConfig(settings: OryProxySettings): Promise<JsonObject> {
  const { kratos, kratosBaseUrl, host, port, jwt, kratosHeaders } = settings
  const whoami = {
    check_session_url: `${withoutSlash(kratos)}/sessions/whoami`,
    subject_from: 'identity.id',
    extra_from: '@this',
    preserve_path: true,
    additional_headers: Object.fromEntries(kratosHeaders),
  }
  const origins = settings.allowedCorsOrigins
  return {
    profile: 'secure',
    // A token of a minute is to last a minute.
    safeguards: { token_backdate: 0 },
    log: { level: settings.debug ? 'debug' : 'info' },
    serve: {
      proxy: {
        host,
        port,
        endpoints: jwt ? JWKS_PATHS.map((path) => ({ name: 'jwks', path })) : [],
        cors: {
          enabled: true,
          allowed_origins: [settings.publishUrl ?? `http://localhost:${port}`, ...origins],
          allowed_methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'],
          allowed_headers: [...REQUEST_HEADERS, ...settings.additionalCorsHeaders],
          exposed_headers: RESPONSE_HEADERS,
          allow_credentials: true,
        },
      },
      // Nothing else is to be started on these: any free port will do.
      api: { host: '127.0.0.1', port: 0 },
      prometheus: { host: '127.0.0.1', port: 0 },
      // Nobody can ask whether it is ready: there is no one to wait for.
      shutdown: { drain: '0s' },
    },
    kratos: { public_url: kratos },
    authenticators: {
      noop: { enabled: true },
      cookie_session: { enabled: true, config: whoami },
      bearer_token: { enabled: true, config: whoami },
    },
    authorizers: { allow: { enabled: true } },
    mutators: {
      noop: { enabled: true },
      header: { enabled: true, config: { headers: {} } },
      ...(jwt && {
        session_jwt: {
          enabled: true,
          config: {
            issuer_url: withoutSlash(kratosBaseUrl),
            jwks_url: `base64://${await ownKeys()}`,
            claims: '{"session": {{ .Extra | toJson }}}',
            ttl: '60s',
          },
        },
      }),
    },
    access_rules: {
      matching_strategy: 'regexp',
      repositories: [`inline://${base64(JSON.stringify(oryProxyRules(settings, PREFIX)))}`],
    },
  }
}

const ownKeys = async (): Promise<string> => base64(JSON.stringify(await generateKeySet({ alg: 'ES256' })))

const base64 = (text: string): string => Buffer.from(text).toString('base64')

const withoutSlash = (url: string): string => (url.endsWith('/') ? url.slice(0, -1) : url)
