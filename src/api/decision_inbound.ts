/** Which request a call of `/decisions` asks about. */
import { GatewayError } from '../errors.ts'
import type { Inbound, ReadBody } from '../pipeline/contract/inbound.ts'
import { headerName, invalid } from '../proxy/header_names.ts'
import { requestHeaders } from '../proxy/header_lines.ts'
import { readInbound, type Peer, type RawRequest } from '../proxy/inbound.ts'
import type { ApiSnapshot } from './snapshot.ts'

const PREFIX = '/decisions'

/**
 * The request that a call of `/decisions` asks about, made canonical by the same front gate as the proxy's own requests;
 * or the error that refuses it.
 */
export function readDecisionInbound(
  request: RawRequest,
  peer: Peer,
  settings: ApiSnapshot['inbound'],
  readBody?: ReadBody,
): Inbound | GatewayError {
  const headers = requestHeaders(request.rawHeaders)
  for (const name of ['x-forwarded-method', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-uri']) {
    if (headers.all(name).length > 1) return refusal(`${name} comes more than once`)
  }
  const method = claimed(headers.get('x-forwarded-method')) ?? request.method ?? ''
  // A method is a token, as a header's name is (RFC 9110 section 9.1).
  if ((headerName(method).traits & invalid) !== 0) return refusal('x-forwarded-method is no method')
  const proto = claimed(headers.get('x-forwarded-proto'))
  if (proto !== undefined && !isScheme(proto, settings.safeguards.path === 'refuse')) {
    return refusal('x-forwarded-proto is no scheme of HTTP')
  }
  const host = claimed(headers.get('x-forwarded-host'))
  const { path, query } = effectiveTarget(request.url ?? '', claimed(headers.get('x-forwarded-uri')))
  const effective: RawRequest = {
    method,
    url: `${path === '' ? '/' : path}${query === '' ? '' : `?${query}`}`,
    // In the place of Host, so that the gate holds it against the same rules.
    rawHeaders: host === undefined ? request.rawHeaders : withHost(request.rawHeaders, host),
    httpVersion: request.httpVersion,
  }
  const inbound = readInbound(effective, peer, { ...settings, trustForwardedHeaders: true }, readBody)
  if (inbound instanceof GatewayError) return inbound
  return {
    ...inbound,
    scheme: proto ?? (peer.tls ? 'https' : 'http'),
    // As in Oathkeeper, `/decisions` itself asks about the empty path, which a pattern without a path matches.
    path: path === '' ? '' : inbound.path,
  }
}

/** X-Forwarded-Uri without its query, else what follows `/decisions`; with the query of the call, else of the header. */
function effectiveTarget(url: string, uri: string | undefined): { readonly path: string; readonly query: string } {
  const call = splitQuery(url)
  if (uri === undefined) return { path: call.path.slice(PREFIX.length), query: call.query }
  const { path, query } = splitQuery(uri)
  return { path, query: call.query === '' ? query : call.query }
}

function splitQuery(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf('?')
  return mark === -1 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark + 1) }
}

function withHost(raw: readonly string[], host: string): string[] {
  const replaced = [...raw]
  for (let i = 0; i < raw.length; i += 2) if (headerName(raw[i]!).lower === 'host') replaced[i + 1] = host
  return replaced
}

/** An empty header claims nothing. */
const claimed = (value: string | undefined): string | undefined => (value === '' ? undefined : value)

/** Oathkeeper takes the header as it is; strictly, only what a proxy in front can mean. */
const isScheme = (proto: string, strict: boolean): boolean =>
  ['http', 'https', 'ws', 'wss'].includes(strict ? proto : proto.toLowerCase())

const refusal = (reason: string): GatewayError => new GatewayError('request_invalid', { reason })
