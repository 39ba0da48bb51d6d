/** What the outbound client and node say when a request to an upstream fails, in the gateway's reason codes and in sentences. */
import { GatewayError } from '../errors.ts'
import { ExchangeError } from '../outbound/http1/errors.ts'

export const clientClosed = (): GatewayError => new GatewayError('client_closed_request')

export const broken = (reason: string, cause?: Error): GatewayError =>
  new GatewayError('upstream_broken', { reason, cause })

/**
 * @param reached whether a connection, TLS included, had been made when it happened
 * @returns an error whose reason names codes and addresses, never what the upstream sent
 */
export function toGatewayError(error: Error, reached: boolean): GatewayError {
  if (error instanceof GatewayError) return error
  const { code = error.name } = error as { code?: string }
  const late = timeouts[code]
  if (late !== undefined) return new GatewayError('upstream_timeout', { reason: late })
  if (reached) return broken(whyBroken(code, error), error)
  // The messages of connection errors name the address.
  const detail = code.startsWith('E') && !code.startsWith('ERR_') ? error.message || code : code
  return new GatewayError('upstream_unreachable', { reason: `${whyUnreachable(code)} (${detail})`, cause: error })
}

type Sentences = Readonly<Record<string, string>>

const timeouts: Sentences = {
  RESPONSE_HEAD_TIMEOUT: 'the upstream did not begin its answer in time',
  RESPONSE_BODY_TIMEOUT: 'the answer of the upstream stood still for too long',
}

const connecting: Sentences = {
  ECONNREFUSED: 'the upstream refused the connection',
  ENOTFOUND: 'the host name of the upstream does not exist',
  EAI_AGAIN: 'the host name of the upstream could not be resolved',
  EHOSTUNREACH: 'there is no way to the upstream',
  ENETUNREACH: 'there is no way to the upstream',
  ETIMEDOUT: 'the upstream did not accept the connection in time',
  CONNECT_TIMEOUT: 'the upstream did not accept the connection in time',
  ECONNRESET: 'the upstream broke off the connection before it was made',
  RESPONSE_CUT: 'the upstream broke off the connection before it was made',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of the upstream is for another name',
  CERT_HAS_EXPIRED: 'the certificate of the upstream has expired',
  CERT_NOT_YET_VALID: 'the certificate of the upstream is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate of the upstream is not trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'the certificate of the upstream is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'the certificate of the upstream is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the certificate of the upstream is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate of the upstream is not trusted',
}

function whyUnreachable(code: string): string {
  const known = connecting[code]
  if (known !== undefined) return known
  return code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || code === 'EPROTO'
    ? 'no TLS connection to the upstream could be made'
    : 'the upstream could not be reached'
}

const answering: Sentences = {
  ECONNRESET: 'the upstream broke off the connection before its answer was complete',
  EPIPE: 'the upstream broke off the connection before it had the whole request',
  RESPONSE_CUT: 'the upstream closed the connection before its answer was complete',
  RESPONSE_HEAD_TOO_LARGE: 'the header of the answer of the upstream is too large',
  ERR_INVALID_CHAR: 'the answer of the upstream has a header that cannot be passed on',
  ERR_HTTP_INVALID_HEADER_VALUE: 'the answer of the upstream has a header that cannot be passed on',
}

function whyBroken(code: string, error: Error): string {
  const known = answering[code]
  if (known !== undefined) return known
  // The messages of other errors may quote what was sent; these do not.
  return error instanceof ExchangeError
    ? `the answer of the upstream is not valid HTTP: ${error.message}`
    : `the answer of the upstream could not be passed on (${code})`
}
