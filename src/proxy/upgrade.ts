/** What is asked for by an Upgrade header, whether it may be had, and the answer that accepts it. */
import { GatewayError } from '../errors.ts'
import type { AllowedDecision } from '../pipeline/contract/decision.ts'
import type { Inbound } from '../pipeline/contract/inbound.ts'
import { compileOrigins } from './cors.ts'

/** Whether `websocket` is among the protocols that an Upgrade header names. All others may be ignored (RFC 9110 section 7.8). */
export function namesWebSocket(upgrade: string): boolean {
  return upgrade.split(',').some((token) => token.trim().toLowerCase() === 'websocket')
}

/** The error of a handshake that RFC 6455 section 4.2.1 does not allow; undefined for one that may be passed on. */
export function handshakeProblem(inbound: Inbound, httpVersion: string): GatewayError | undefined {
  const { headers } = inbound
  if (inbound.method !== 'GET' || httpVersion !== '1.1') return refuse('a WebSocket begins with GET over HTTP/1.1')
  if (headers.get('sec-websocket-version') !== '13') return refuse('the WebSocket version is not 13')
  const key = headers.get('sec-websocket-key')
  if (key === undefined) return refuse('there is no Sec-WebSocket-Key')
  if (!isKey(key)) return refuse('Sec-WebSocket-Key is not 16 bytes in base64')
  const length = headers.get('content-length')
  if (headers.get('transfer-encoding') !== undefined || (length !== undefined && length !== '0')) {
    return refuse('a WebSocket handshake has no body')
  }
  return undefined
}

/** Whether this is 16 bytes in base64; node's own decoder takes much that is not. */
const isKey = (text: string): boolean => text.length === 24 && /^[A-Za-z0-9+/]{22}==$/.test(text)

const refuse = (reason: string): GatewayError =>
  new GatewayError('request_invalid', { reason, headers: [['Sec-WebSocket-Version', '13']] })

/**
 * The error of a handshake that was decided for, but for something else than a WebSocket: the rule does not open any, or
 * not for pages of this origin. Browsers send cookies along with any page's handshake, and no CORS keeps the answer from it.
 */
export function permissionProblem(inbound: Inbound, { upstream }: AllowedDecision): GatewayError | undefined {
  const settings = upstream?.webSocket
  if (settings === undefined) return undefined
  if (settings === false) return forbidden('the rule opens no WebSockets')
  const origin = inbound.headers.get('origin')
  if (origin === undefined || isOwnOrigin(origin, inbound)) return undefined
  const { allowedOrigins } = settings
  const isAllowed = allowedOrigins.length > 0 && compileOrigins(allowedOrigins)(origin)
  return isAllowed ? undefined : forbidden('the origin of the page is not among allowed_origins')
}

const forbidden = (reason: string): GatewayError => new GatewayError('websocket_not_allowed', { reason })

/** Whether the page came from where the request goes. What ended TLS in front of the gateway may have hidden it. */
function isOwnOrigin(origin: string, { scheme, host, headers }: Inbound): boolean {
  // Only where it is trusted is there such a header.
  const name = (headers.get('x-forwarded-host') ?? host).toLowerCase()
  return (
    origin === `https://${withoutPort(name, ':443')}` ||
    (scheme === 'http' && origin === `http://${withoutPort(name, ':80')}`)
  )
}

/** Browsers leave the scheme's own port out of Origin. */
const withoutPort = (name: string, port: string): string => (name.endsWith(port) ? name.slice(0, -port.length) : name)

/** The 101 answer as bytes (latin-1), from a checked flat header list. */
export function switchingProtocols(headers: readonly string[]): string {
  let head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]!}: ${headers[i + 1]!}\r\n`
  return `${head}\r\n`
}
