/** Requests and replies of the stand-in as plain values; only the server touches sockets. */
import type { IncomingMessage } from 'node:http'
import { badRequest } from './errors.ts'

export interface Call {
  readonly method: string
  readonly url: URL
  readonly request: IncomingMessage
  readonly body: Buffer
  /** The first value of a header; undefined when it is missing or empty. */
  header(name: string): string | undefined
}

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string
}

export type Route = (call: Call, parameters: readonly string[]) => Reply | Promise<Reply>

export const json = (status: number, body: unknown, headers: Reply['headers'] = {}): Reply => ({
  status,
  headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers },
  body: JSON.stringify(body),
})

export const empty = (status: number, headers: Reply['headers'] = {}): Reply => ({ status, headers })

export const seeOther = (location: string, cookies: readonly string[] = []): Reply => ({
  status: 303,
  headers: { Location: location, ...(cookies.length > 0 && { 'Set-Cookie': cookies }) },
})

/** The value of the first cookie of that name. */
export const cookie = (call: Call, name: string): string | undefined => {
  for (const pair of (call.request.headers.cookie ?? '').split(';')) {
    const separator = pair.indexOf('=')
    if (separator > 0 && pair.slice(0, separator).trim() === name) return pair.slice(separator + 1).trim()
  }
  return undefined
}

/** A client gets JSON when it asks for it, or when it sends it. */
export const wantsJson = (call: Call): boolean =>
  (call.header('accept') ?? '').includes('application/json') ||
  (call.header('content-type') ?? '').startsWith('application/json')

/** The members of a JSON object or an HTML form, as text. */
export const fields = (call: Call): Record<string, string> => {
  const text = call.body.toString('utf8')
  if ((call.header('content-type') ?? '').startsWith('application/json')) {
    return Object.fromEntries(Object.entries(jsonObject(text)).map(([name, value]) => [name, String(value)]))
  }
  return Object.fromEntries(new URLSearchParams(text))
}

export const jsonObject = (text: string): Record<string, unknown> => {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badRequest('Expected a JSON object.')
  return value as Record<string, unknown>
}

export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw badRequest('Unable to decode the JSON payload.')
  }
}

const uuidPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** A path or body value that has to be a UUID. */
export const uuid = (text: string | undefined): string => {
  if (text === undefined || !uuidPattern.test(text)) throw badRequest('Unable to parse UUID.')
  return text.toLowerCase()
}
