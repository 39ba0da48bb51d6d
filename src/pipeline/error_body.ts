/** The JSON body of an error, in the shape that Ory's services share. */
import { STATUS_CODES } from 'node:http'
import { codes, type GatewayError } from '../errors.ts'
import type { HeaderLine } from './contract/headers.ts'
import type { Inbound } from './contract/inbound.ts'
import type { ErrorAnswer } from './contract/outcomes.ts'

/** Texts that say no more than the status does: what a client gets unless a handler is `verbose`. */
const GENERIC: Readonly<Record<number, string>> = {
  400: 'The request was malformed or contained invalid parameters',
  401: 'The request could not be authorized',
  403: 'The requested action was forbidden',
  404: 'The requested resource could not be found',
  409: 'The resource could not be created due to a conflict',
  415: 'The request is using an unknown content type',
  429: 'Too many requests',
  500: 'An internal server error occurred, please contact the system administrator',
}

/** Who asks decides about the answer: no cache may give it to the next one (RFC 9111 section 5.2.2.5). */
export const NO_STORE: HeaderLine = ['Cache-Control', 'no-store']

/** `verbose` adds the message of the case and its reason. `inbound` supplies the X-Request-ID that is echoed. */
export function errorAnswer(
  error: GatewayError,
  inbound: Inbound | undefined,
  options: { readonly verbose: boolean },
): ErrorAnswer {
  const headers: HeaderLine[] = [['Content-Type', 'application/json'], NO_STORE, ...error.headers]
  if (error.body !== undefined) return { status: error.status, headers, body: error.body }
  const request = inbound?.headers.get('x-request-id')
  const message = options.verbose ? error.message : (GENERIC[error.status] ?? codes[error.code].message)
  const body = {
    error: {
      code: error.status,
      status: STATUS_CODES[error.status] ?? 'Unknown',
      ...(request !== undefined && request !== '' && { request }),
      ...(options.verbose && error.reason !== undefined && { reason: error.reason }),
      message,
    },
  }
  return { status: error.status, headers, body: `${escapeHtml(JSON.stringify(body))}\n` }
}

/** As Go's encoder does it, so that the body stays harmless should a browser take it for HTML. */
function escapeHtml(json: string): string {
  return json
    .replaceAll('<', String.raw`\u003c`)
    .replaceAll('>', String.raw`\u003e`)
    .replaceAll('&', String.raw`\u0026`)
}
