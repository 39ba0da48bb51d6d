/** Error answers on the wire of the proxy plane. */
import { STATUS_CODES } from 'node:http'
import type { GatewayError } from '../errors.ts'
import type { HeaderLine } from '../pipeline/contract/headers.ts'
import type { ErrorAnswer } from '../pipeline/contract/outcomes.ts'

/** Oathkeeper answers without a body when the upstream failed; whoever watches for 502 and 504 needs none. */
export const emptyAnswer = (error: GatewayError): ErrorAnswer => ({
  status: error.status,
  headers: error.headers,
  body: '',
})

/** The header list of an answer: its own lines, what is added to every answer, and its length unless it is a 204. */
export function answerHeaders(answer: ErrorAnswer, added: readonly HeaderLine[]): string[] {
  const list: string[] = []
  for (const [name, value] of answer.headers) list.push(name, value)
  for (const [name, value] of added) list.push(name, value)
  if (answer.status !== 204) list.push('Content-Length', String(Buffer.byteLength(answer.body)))
  return list
}

/** A whole answer as bytes, for a connection whose request could not even be read. It ends the connection. */
export function rawAnswer(answer: ErrorAnswer): string {
  const lines = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`, 'Connection: close']
  const list = answerHeaders(answer, [])
  for (let i = 0; i < list.length; i += 2) lines.push(`${list[i]!}: ${list[i + 1]!}`)
  return `${lines.join('\r\n')}\r\n\r\n${answer.body}`
}
