/** The head of a request, as bytes that can be read in one way only (RFC 9112 sections 3 and 5). */
import { ExchangeError } from './errors.ts'
import { isToken, perSpelling } from './field_names.ts'

export interface RequestLines {
  readonly method: string
  /** Path and query, starting with `/`. */
  readonly path: string
  /** Flat list: name, value…, one character a byte; without what frames the message or belongs to the connection. */
  readonly headers: readonly string[]
}

/** How the request's body is delimited: a number of bytes, chunks, or not at all. */
export type RequestFraming = number | 'chunked' | 'none'

export interface HeadOptions {
  /** Host for a request that brings none. */
  readonly host: string
  readonly framing: RequestFraming
  /** What the connection is for: more requests, this one, or another protocol. */
  readonly connection: 'keep-alive' | 'close' | 'websocket'
}

/** Methods whose requests say that they have no body (RFC 9110 section 8.6). */
const expectsBody = new Set(['POST', 'PUT', 'PATCH', 'QUERY', 'PROPFIND', 'PROPPATCH'])
/** Written here and nowhere else. */
const reserved = new Set(['connection', 'content-length', 'transfer-encoding', 'upgrade', 'keep-alive', 'expect', 'te'])
/**
 * What ends a value, or is dangerous in it (RFC 9110 section 5.5), and what one byte cannot say. Other control characters end
 * nothing; to look for these few costs a tenth of looking at every character.
 */
const unsafeInValue = /[\0\n\r\u0100-\uffff]/
const unsafeInTarget = /[^\x21-\x7e\x80-\xff]/

/** Throws ExchangeError (`REQUEST_INVALID`) for what would not be read as it was meant. */
export function requestHead({ method, path, headers }: RequestLines, options: HeadOptions): string {
  // What follows the answer to CONNECT is no message (RFC 9112 section 6.3).
  if (!isToken(method) || method === 'CONNECT') throw invalid('the method')
  if (!path.startsWith('/') || unsafeInTarget.test(path)) throw invalid('the path')
  if (headers.length % 2 !== 0) throw invalid('a header without a value')
  let hasHost = false
  let lines = ''
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!
    const value = headers[i + 1]!
    const kind = nameKind(name)
    if (kind === 'invalid') throw invalid('the name of a header')
    if (unsafeInValue.test(value)) throw invalid('the value of a header')
    if (kind === 'reserved') continue
    if (kind === 'host') {
      if (hasHost) throw invalid('a second Host header')
      hasHost = true
      // RFC 9110 section 7.2: first.
      lines = `${name}: ${value}\r\n${lines}`
    } else lines += `${name}: ${value}\r\n`
  }
  const host = hasHost ? '' : `host: ${options.host}\r\n`
  return `${method} ${path} HTTP/1.1\r\n${host}${lines}${connectionLines(options)}${framingLine(method, options.framing)}\r\n`
}

/** Trailer lines after the last chunk. Throws ExchangeError (`REQUEST_INVALID`). */
export function trailerPart(trailers: readonly (readonly [name: string, value: string])[]): string {
  let lines = '0\r\n'
  for (const [name, value] of trailers) {
    if (!isToken(name) || unsafeInValue.test(value)) throw invalid('a trailer')
    lines += `${name}: ${value}\r\n`
  }
  return `${lines}\r\n`
}

function connectionLines({ connection }: HeadOptions): string {
  if (connection === 'websocket') return 'connection: upgrade\r\nupgrade: websocket\r\n'
  return connection === 'keep-alive' ? 'connection: keep-alive\r\n' : 'connection: close\r\n'
}

function framingLine(method: string, framing: RequestFraming): string {
  if (framing === 'chunked') return 'transfer-encoding: chunked\r\n'
  if (framing !== 'none') return `content-length: ${framing}\r\n`
  return expectsBody.has(method) ? 'content-length: 0\r\n' : ''
}

type NameKind = 'other' | 'host' | 'reserved' | 'invalid'

const nameKind = perSpelling((name): NameKind => {
  if (!isToken(name)) return 'invalid'
  const lower = name.toLowerCase()
  return reserved.has(lower) ? 'reserved' : lower === 'host' ? 'host' : 'other'
})

const invalid = (what: string): ExchangeError => new ExchangeError('REQUEST_INVALID', `${what} cannot be sent`)
