/** The error bodies of Ory's APIs: `{"error": {id?, code, status, request?, reason?, details?, message}, …}`. */
import { STATUS_CODES } from 'node:http'

interface ErrorParts {
  readonly id?: string
  readonly reason?: string
  readonly details?: Readonly<Record<string, unknown>>
  readonly message: string
  /** Members that stand beside `error`. */
  readonly beside?: Readonly<Record<string, unknown>>
}

/** Thrown by a route, written as JSON by the server. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly id: string
  readonly parts: ErrorParts
  /** Headers that were already decided when the error came up. */
  readonly headers: Record<string, string> = {}

  constructor(status: number, parts: ErrorParts) {
    super(parts.message)
    this.status = status
    this.id = parts.id ?? ''
    this.parts = parts
  }

  /** `requestId` is the client's X-Request-ID, which is echoed. */
  body(requestId: string | undefined): object {
    const { id, reason, details, message, beside } = this.parts
    const error = {
      ...(id !== undefined && { id }),
      code: this.status,
      status: STATUS_CODES[this.status] ?? '',
      ...(requestId !== undefined && { request: requestId }),
      ...(reason !== undefined && { reason }),
      ...(details !== undefined && { details }),
      message,
    }
    return { error, ...beside }
  }
}

export const badRequest = (reason: string, id?: string): ApiError =>
  new ApiError(400, {
    ...(id !== undefined && { id }),
    reason,
    message: 'The request was malformed or contained invalid parameters',
  })

export const unauthorized = (reason: string): ApiError =>
  new ApiError(401, { reason, message: 'The request could not be authorized' })

export const forbidden = (reason: string): ApiError =>
  new ApiError(403, { reason, message: 'The requested action was forbidden' })

export const notFound = (reason = 'Unable to locate the resource'): ApiError =>
  new ApiError(404, { reason, message: 'The requested resource could not be found' })

/** What the other session endpoints say where /sessions/whoami has its plain 401. */
export const noActiveSession = (): ApiError =>
  new ApiError(401, {
    id: 'session_inactive',
    reason: 'No active session was found in this request.',
    message: 'request does not have a valid authentication session',
  })

export const databaseUnavailable = (): ApiError =>
  new ApiError(500, { message: 'An internal server error occurred, please contact the system administrator' })
