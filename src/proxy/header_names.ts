/**
 * What the proxy has to know about a header name, looked up once per spelling: clients repeat a few hundred spellings,
 * so that a request costs one map look-up per header and no lower-casing.
 */

import { isToken, perSpelling } from '../outbound/http1/field_names.ts'
import { framingHeaders, hopByHopHeaders } from '../pipeline/message_headers.ts'

/** Belongs to one connection (RFC 9110 section 7.6.1), or is handled by the connection's own end. */
export const hopByHop = 1
/** `x-forwarded…` and `forwarded`: claims about earlier hops. */
export const forwarded = 2
/** Says who the client is, or which request this is, to software behind a proxy. */
export const identity = 4
/** Holds `_`, which CGI and its descendants cannot tell from `-`. */
export const underscore = 8
/** No token of RFC 9110 section 5.6.2, or a name that JavaScript objects answer to by themselves. */
export const invalid = 16
/** Host, Content-Length: written by the forwarder, never copied as they are. */
export const framing = 32

export interface HeaderName {
  readonly lower: string
  readonly traits: number
  /** A bit of its own for a name that must not come twice; 0 for all others. */
  readonly single: number
  /** `lower` with `-` for `_`: two names with the same alias are one name to some upstreams. */
  readonly alias: string
}

const identityNames = new Set([
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'remote-user',
  'remote-groups',
  'remote-email',
  'remote-name',
  'x-remote-user',
  'x-remote-group',
  'x-user',
  'x-user-id',
  'x-user-email',
  'x-user-roles',
  'x-webauth-user',
  'x-method-override',
])

const identityPrefixes = [
  'x-hasura-',
  'x-original-',
  'x-rewrite-',
  'x-http-method',
  'x-auth-request-',
  'x-authenticated-',
  'x-kratos-authenticated-',
  'x-envoy-',
  'x-goog-authenticated-',
  'x-ms-client-principal',
]

const singles: readonly string[] = [
  'host',
  'authorization',
  'content-type',
  'content-length',
  'transfer-encoding',
  'origin',
  'x-session-token',
  'sec-websocket-key',
  'sec-websocket-version',
]

/** The bits of `HeaderName.single` that are asked for by name. */
export const single = { host: 1, contentLength: 8, transferEncoding: 16 } as const

/** The traits of a header name in any spelling. */
export const headerName: (spelling: string) => HeaderName = perSpelling((spelling) => describe(spelling.toLowerCase()))

function describe(lower: string): HeaderName {
  const alias = lower.replaceAll('_', '-')
  let traits = 0
  if (hopByHopHeaders.has(lower)) traits |= hopByHop
  if (framingHeaders.has(lower)) traits |= framing
  if (alias === 'forwarded' || alias.startsWith('x-forwarded')) traits |= forwarded
  if (identityNames.has(alias) || identityPrefixes.some((prefix) => alias.startsWith(prefix))) traits |= identity
  if (lower !== alias) traits |= underscore
  if (!isToken(lower) || lower === '__proto__') traits |= invalid
  const index = singles.indexOf(lower)
  return { lower, traits, alias, single: index === -1 ? 0 : 1 << index }
}
