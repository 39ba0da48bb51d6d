/**
 * Cross-site request forgery: a browser adds cookies to requests that another site's page makes it send. Whose page it was
 * says the browser itself, in headers that no script can set: Sec-Fetch-Site (Fetch Metadata) and Origin (RFC 6454).
 */
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import type { Inbound } from './contract/inbound.ts'
import type { Setup } from './contract/setup.ts'
import type { TokenFrom } from './credentials.ts'
import { parseMimeList } from './mime.ts'

const origin = z.string().refine((text) => !text.includes('*') && URL.canParse(text) && new URL(text).origin === text, {
  error: 'must be an origin as browsers write it, such as https://app.example.com',
})

/** The key `csrf` of authenticators that take a credential from a cookie. */
export const csrfField = z
  .strictObject({
    enabled: z.boolean().default(true).describe('false: requests of other sites count like any other.'),
    allowed_origins: z
      .array(origin)
      .default([])
      .describe("Origins beside the request's own whose pages may send requests with the cookie."),
    safe_methods: z
      .array(z.string().min(1))
      .default(['GET', 'HEAD', 'OPTIONS', 'TRACE'])
      .describe(
        'Methods that change nothing, so that every site may use them, except to open a WebSocket; an empty list means none.',
      ),
    content_types: z
      .array(z.string().regex(/^[^\s;/]+\/[^\s;/]+$/, 'must be a media type without parameters'))
      .optional()
      .describe(
        'Media types that bodies may have, such as application/json, which pages of other sites cannot send unasked; absent means any.',
      ),
  })
  .optional()
  .describe('Guards the cookie against cross-site request forgery; absent means that nothing does.')

export type CsrfConfig = z.output<typeof csrfField>

/** The error for a request with the cookie that another site may have caused; undefined for all others. */
export type CsrfGuard = (inbound: Inbound) => GatewayError | undefined

/** Undefined when nothing is guarded. */
export function compileCsrf(config: CsrfConfig): CsrfGuard | undefined {
  if (config?.enabled !== true) return undefined
  const { allowed_origins: allowed, safe_methods: safe } = config
  const types = config.content_types?.map((type) => type.toLowerCase())
  return (inbound) => {
    const { method, headers } = inbound
    if (safe.includes(method) && !opensWebSocket(inbound)) return undefined
    if (!isOurs(inbound, allowed)) return refusal("the request comes from another site's page")
    if (types === undefined) return undefined
    const type = headers.get('content-type')
    if (type === undefined ? !hasBody(inbound) : isOneOf(types, parseMimeList(type))) return undefined
    return refusal('the body is of a media type that any page could send')
  }
}

/** The same for an authenticator that takes its token from wherever `token_from` says: only a cookie is sent unasked. */
export function compileTokenCsrf(
  config: CsrfConfig,
  from: TokenFrom | undefined,
  setup: Pick<Setup, 'report'>,
): CsrfGuard | undefined {
  if (from !== undefined && from !== null && 'cookie' in from) return compileCsrf(config)
  if (config?.enabled === true) {
    const hint = 'Take it out: pages of other sites cannot send the token.'
    setup.report('warning', '"csrf" has no effect on a token that comes in no cookie', ['csrf'], hint)
  }
  return undefined
}

/**
 * Whether a page gets a connection by this GET, over which it reads and writes as the user, without CORS. What a proxy in
 * front asks `/decisions` about comes without Upgrade, as that is for one hop only; the rest is told of as the client sent
 * it, and by some proxies in the scheme.
 */
function opensWebSocket({ scheme, headers }: Inbound): boolean {
  return (
    headers.get('sec-websocket-key') !== undefined ||
    headers.get('sec-fetch-mode') === 'websocket' ||
    headers.get('upgrade')?.toLowerCase().includes('websocket') === true ||
    scheme === 'ws' ||
    scheme === 'wss'
  )
}

function isOurs(inbound: Inbound, allowed: readonly string[]): boolean {
  const { headers } = inbound
  const site = headers.get('sec-fetch-site')
  // `none` is the user's own doing: the address bar, a bookmark.
  if (site === 'same-origin' || site === 'none') return true
  const from = headers.get('origin')
  if (from !== undefined) return allowed.includes(from) || isOwn(from, inbound)
  // Neither header: no browser of today, and others do not send cookies unasked.
  return site === undefined
}

/** Whether an origin is the request's own. One that came over TLS may have lost it in front of the gateway. */
function isOwn(from: string, { scheme, host, headers }: Inbound): boolean {
  const name = (headers.get('x-forwarded-host') ?? host).toLowerCase()
  return (
    from === `https://${withoutPort(name, ':443')}` ||
    ((scheme === 'http' || scheme === 'ws') && from === `http://${withoutPort(name, ':80')}`)
  )
}

/** Browsers leave the scheme's own port out of Origin. */
const withoutPort = (name: string, port: string): string => (name.endsWith(port) ? name.slice(0, -port.length) : name)

const isOneOf = (types: readonly string[], [given, ...others]: readonly string[]): boolean =>
  given !== undefined && others.length === 0 && types.includes(given)

function hasBody({ headers }: Inbound): boolean {
  return headers.get('transfer-encoding') !== undefined || (headers.get('content-length') ?? '0') !== '0'
}

const refusal = (reason: string): GatewayError => new GatewayError('cross_site_request', { reason })
