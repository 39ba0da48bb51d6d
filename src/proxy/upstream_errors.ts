/** What undici and node say when a request to an upstream fails, in the gateway's reason codes. */
import { GatewayError } from '../errors.ts'

/** Whether the connection was closed or reset under the request. */
export const isReset = (error: Error): boolean => {
  const { code } = error as { code?: string }
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET'
}

export const clientClosed = (): GatewayError => new GatewayError('client_closed_request')

export const unreachable = (reason: string): GatewayError => new GatewayError('upstream_unreachable', { reason })

/** Reasons name codes and addresses, never what the upstream sent. */
export function toGatewayError(error: Error): GatewayError {
  if (error instanceof GatewayError) return error
  const { code = error.name } = error as { code?: string }
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    return new GatewayError('upstream_timeout', { reason: code })
  }
  // The messages of connection errors name the address; those of parsers may quote the upstream and stay inside.
  const detail = code.startsWith('E') && !code.startsWith('ERR_') ? error.message : code
  return new GatewayError('upstream_unreachable', { reason: detail, cause: error })
}
