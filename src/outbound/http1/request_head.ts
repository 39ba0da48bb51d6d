/** The head of a request, as bytes that can be read in one way only (RFC 9112 sections 3 and 5). */
import { tokenByte, valueByte } from './characters.ts'
import { ExchangeError } from './errors.ts'

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
const longestReserved = 17

/** Throws ExchangeError (`REQUEST_INVALID`) for what would not be read as it was meant. */
export function requestHead({ method, path, headers }: RequestLines, options: HeadOptions): string {
  // What follows the answer to CONNECT is no message (RFC 9112 section 6.3).
  if (!isToken(method) || method === 'CONNECT') throw invalid('the method')
  if (!isTarget(path)) throw invalid('the path')
  let hasHost = false
  let lines = ''
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!
    const value = headers[i + 1]!
    if (!isToken(name)) throw invalid('the name of a header')
    if (!isValue(value)) throw invalid('the value of a header')
    if (name.length <= longestReserved && isReserved(name)) continue
    if (name.length === 4 && name.toLowerCase() === 'host') {
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
    if (!isToken(name) || !isValue(value)) throw invalid('a trailer')
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

const isReserved = (name: string): boolean => reserved.has(name) || reserved.has(name.toLowerCase())

function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (tokenByte[text.charCodeAt(i)] !== 1) return false
  return text.length > 0
}

function isValue(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (valueByte[text.charCodeAt(i)] !== 1) return false
  return true
}

function isTarget(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code <= 0x20 || valueByte[code] !== 1) return false
  }
  return text.charCodeAt(0) === 0x2f
}

const invalid = (what: string): ExchangeError => new ExchangeError('REQUEST_INVALID', `${what} cannot be sent`)
