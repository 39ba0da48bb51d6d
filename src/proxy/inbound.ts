/**
 * The front gate: what one HTTP/1 request head says, or why it is refused. Whatever two readers of the same bytes could
 * understand differently ends here (RFC 9112, RFC 9110 section 7), before anything is matched.
 */
import { GatewayError } from '../errors.ts'
import type { RequestHeaders } from '../pipeline/contract/headers.ts'
import type { Inbound, ReadBody } from '../pipeline/contract/inbound.ts'
import { isAuthority } from './authority.ts'
import { hasRivals } from './cookies.ts'
import { HeaderLines, requestHeaders } from './header_lines.ts'
import { forwarded, headerName, type HeaderName, invalid, single, underscore } from './header_names.ts'
import { connectionOptions, withoutNamed } from './headers.ts'
import { canonicalPath } from './path.ts'
import { withoutUnparsable } from './query.ts'
import type { ProxySettings } from './settings.ts'

/** The parts of node's IncomingMessage that count; nothing that node has merged or decoded. */
export interface RawRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly rawHeaders: readonly string[]
  readonly httpVersion: string
}

export interface Peer {
  /** IP address without port. */
  readonly address: string
  readonly tls: boolean
}

export type InboundSettings = Pick<ProxySettings, 'trustForwardedHeaders' | 'sessionCookies'> & {
  readonly safeguards: Pick<ProxySettings['safeguards'], 'path' | 'client_headers'>
}

const mostLines = 200

/**
 * The canonical request, or the error that refuses it: `request_invalid` or `headers_too_large`, with a reason that
 * names what is wrong and repeats no byte of the client.
 *
 * Headers that claim something about earlier hops are not part of the inbound unless they are trusted.
 */
export function readInbound(
  request: RawRequest,
  peer: Peer,
  settings: InboundSettings,
  readBody?: ReadBody,
): Inbound | GatewayError {
  const { rawHeaders } = request
  const lines = rawHeaders.length / 2
  if (lines > mostLines) return new GatewayError('headers_too_large', { reason: 'more than 200 header lines' })

  const names: HeaderName[] = []
  const trusted = settings.trustForwardedHeaders
  const strict = settings.safeguards.client_headers === 'drop'
  let seen = 0
  let claims = false
  let host = ''
  let transferEncoding: string | undefined
  let cookies: string[] | undefined
  let connections: string[] | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = headerName(rawHeaders[i]!)
    const { lower, traits } = name
    if (traits !== 0) {
      if ((traits & invalid) !== 0) return refusal('a header name is not allowed')
      if ((traits & underscore) !== 0 && strict) return refusal('a header name holds an underscore')
      if ((traits & forwarded) !== 0) {
        if (lower !== 'forwarded' && names.some((earlier) => earlier.lower === lower))
          return refusal(`${lower} comes more than once`)
        claims = true
      }
      if (lower === 'connection') (connections ??= []).push(rawHeaders[i + 1]!)
    }
    if (name.single !== 0) {
      if ((seen & name.single) !== 0) return refusal(`${lower} comes more than once`)
      seen |= name.single
      if (name.single === single.host) host = rawHeaders[i + 1]!
      else if (name.single === single.transferEncoding) transferEncoding = rawHeaders[i + 1]!
    } else if (lower === 'cookie') {
      cookies ??= []
      cookies.push(rawHeaders[i + 1]!)
    }
    names.push(name)
  }

  const misframed = framingProblem(request.httpVersion, transferEncoding, (seen & single.contentLength) !== 0)
  if (misframed !== undefined) return refusal(misframed)
  if ((seen & single.host) === 0) return refusal('there is no Host header')
  if (!isAuthority(host)) return refusal('the Host header is no host with an optional port')
  if (cookies !== undefined && hasRivals(cookies, settings.sessionCookies)) {
    return refusal('the session cookie comes twice with different values')
  }

  const target = originForm(request, host, peer.tls)
  if (target === undefined) return refusal('the request target is neither a path nor a URL of the Host header')
  const mark = target.indexOf('?')
  const canonical = canonicalPath(mark === -1 ? target : target.slice(0, mark), settings.safeguards.path)
  if (canonical instanceof GatewayError) return canonical
  const query = mark === -1 ? '' : target.slice(mark + 1)
  if (!isQuery(query, settings.safeguards.path === 'refuse')) return refusal('the query holds a forbidden character')

  const unclaimed = claims && !trusted ? withoutClaims(rawHeaders) : rawHeaders
  // What Connection names ends here: neither the session store nor a template nor the upstream gets to see it.
  const named = connections === undefined ? undefined : connectionOptions(connections)
  const passed = named === undefined ? unclaimed : withoutNamed(unclaimed, named)
  const headers = passed === rawHeaders ? new HeaderLines(rawHeaders, names) : requestHeaders(passed)
  return {
    method: request.method ?? '',
    scheme: schemeOf(headers, peer.tls, trusted),
    host,
    path: canonical.path,
    target: canonical.target,
    query: settings.safeguards.path === 'resolve' ? withoutUnparsable(query) : query,
    headers,
    remoteAddress: peer.address,
    readBody,
  }
}

const refusal = (reason: string): GatewayError => new GatewayError('request_invalid', { reason })

function framingProblem(version: string, transferEncoding: string | undefined, hasLength: boolean): string | undefined {
  if (version !== '1.1' && version !== '1.0') return 'the HTTP version is not 1.0 or 1.1'
  if (transferEncoding === undefined) return undefined
  if (version === '1.0') return 'HTTP/1.0 has no Transfer-Encoding'
  if (hasLength) return 'Content-Length and Transfer-Encoding contradict each other'
  return transferEncoding.toLowerCase() === 'chunked' ? undefined : 'the Transfer-Encoding is not chunked alone'
}

/** Path and query of the request target; undefined when it has none or names another host than the Host header. */
function originForm(request: RawRequest, host: string, tls: boolean): string | undefined {
  const url = request.url ?? ''
  if (url.charCodeAt(0) === 0x2f) return request.method === 'CONNECT' ? undefined : url
  const prefix = `${tls ? 'https' : 'http'}://${host}`
  if (url.slice(0, prefix.length).toLowerCase() !== prefix.toLowerCase()) return undefined
  const rest = url.slice(prefix.length)
  if (rest === '' || rest.startsWith('?')) return `/${rest}`
  return rest.startsWith('/') ? rest : undefined
}

function isQuery(query: string, strict: boolean): boolean {
  for (let i = 0; i < query.length; i++) {
    const code = query.charCodeAt(i)
    if (code <= 0x20 || code === 0x7f || (strict && (code > 0x7f || code === 0x23))) return false
  }
  return true
}

function schemeOf(headers: RequestHeaders, tls: boolean, trusted: boolean): string {
  if (trusted) {
    const claimed = headers.get('x-forwarded-proto')?.toLowerCase()
    if (claimed === 'http' || claimed === 'https') return claimed
  }
  return tls ? 'https' : 'http'
}

function withoutClaims(raw: readonly string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    if ((headerName(raw[i]!).traits & forwarded) === 0) kept.push(raw[i]!, raw[i + 1]!)
  }
  return kept
}
