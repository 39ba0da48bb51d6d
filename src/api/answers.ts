/** The JSON answers that the API plane shares: Go's spelling, so that clients of Oathkeeper's API see no difference. */
import { STATUS_CODES } from 'node:http'
import type { ErrorAnswer } from '../pipeline/contract/outcomes.ts'

export const JSON_TYPE = 'application/json; charset=utf-8'

/** A successful answer. */
export const jsonAnswer = (value: unknown, headers: Record<string, string> = {}): Response =>
  new Response(`${goJson(value)}\n`, { headers: { 'content-type': JSON_TYPE, ...headers } })

/** An error of the API itself, in the shape that Ory's services share. */
export const problemAnswer = (status: number, message: string, reason?: string): Response =>
  errorResponse(problem(status, message, reason))

/** The same for whoever answers without the API's app. */
export function problem(status: number, message: string, reason?: string): ErrorAnswer {
  const error = {
    code: status,
    status: STATUS_CODES[status] ?? 'Unknown',
    ...(reason !== undefined && { reason }),
    message,
  }
  return { status, headers: [['Content-Type', 'application/json']], body: `${goJson({ error })}\n` }
}

/** JSON with `<`, `>` and `&` escaped as Go's encoder does it; harmless should a browser take it for HTML. */
export const goJson = (value: unknown): string =>
  JSON.stringify(value)
    .replaceAll('<', String.raw`\u003c`)
    .replaceAll('>', String.raw`\u003e`)
    .replaceAll('&', String.raw`\u0026`)

/** What an error handler says. */
export const errorResponse = ({ status, headers, body }: ErrorAnswer): Response =>
  new Response(body === '' ? null : body, { status, headers: headers.map(([name, value]) => [name, value]) })
