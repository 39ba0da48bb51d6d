/** Why an exchange has failed, where no error of the system says it. */
export type ExchangeFailure =
  /** No connection was made in time. */
  | 'CONNECT_TIMEOUT'
  /** The connection ended before the response did. */
  | 'RESPONSE_CUT'
  /** The response did not begin in time. */
  | 'RESPONSE_HEAD_TIMEOUT'
  /** The response stood still for too long. */
  | 'RESPONSE_BODY_TIMEOUT'
  | 'RESPONSE_HEAD_TOO_LARGE'
  /** What came is no HTTP/1.1, or can be read in two ways. */
  | 'RESPONSE_MALFORMED'
  /** The request cannot be written: a byte that has no place where it is. */
  | 'REQUEST_INVALID'

/** The message names what is wrong and repeats nothing of what was sent or received. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError'
  readonly code: ExchangeFailure

  constructor(code: ExchangeFailure, message: string) {
    super(message)
    this.code = code
  }
}

export const malformed = (problem: string): ExchangeError => new ExchangeError('RESPONSE_MALFORMED', problem)

/** Whether the connection was closed or reset under the request. */
export function isReset(error: Error): boolean {
  const { code } = error as { readonly code?: unknown }
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'RESPONSE_CUT'
}
