/**
 * The head of a response, read strictly (RFC 9112 sections 4 to 6): what two readers could understand differently is an error,
 * because a wrong end of one response would be the beginning of another client's.
 */
import { CR, HTAB, LF, SPACE, tokenByte, valueByte } from './characters.ts'
import { malformed } from './errors.ts'
import { perSpelling } from './field_names.ts'

export interface ResponseHead {
  readonly status: number
  /** Flat list: name, value…, as they came, one character a byte. */
  readonly fields: string[]
  /** Content-Length; -1 when there is none. */
  readonly length: number
  readonly isChunked: boolean
  /** Whether the connection can be used again when the message ends by itself. */
  readonly isPersistent: boolean
  /** Milliseconds for which the server says that it keeps an idle connection (`Keep-Alive: timeout`). */
  readonly keepAlive: number | undefined
}

const COLON = 0x3a
/** More lines than any server means. */
const MOST_FIELDS = 256

/** Reads a head, one character a byte, up to and with the empty line. Throws ExchangeError (`RESPONSE_MALFORMED`). */
export function readHead(text: string): ResponseHead {
  const isOld = statusLineVersion(text) === 0
  const status = Number(text.slice(9, 12))
  const fields: string[] = []
  readFields(text, endOfLine(text, 12) + 2, fields)
  let length = -1
  let isChunked = false
  let wish: Persistence = isOld ? 'unless kept' : 'unless closed'
  let keepAlive: number | undefined
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!
    const value = fields[i + 1]!
    // Most names are told by their length alone.
    if (name.length === 14) {
      if (name.toLowerCase() !== 'content-length') continue
      if (length !== -1) throw malformed('Content-Length comes twice')
      length = decimal(value)
    } else if (name.length === 17) {
      if (name.toLowerCase() !== 'transfer-encoding') continue
      if (isChunked || value.toLowerCase() !== 'chunked') throw malformed('a transfer coding is not known')
      isChunked = true
    } else if (name.length === 10) {
      const lower = name.toLowerCase()
      if (lower === 'connection') wish = persistence(value, wish)
      else if (lower === 'keep-alive') keepAlive = timeout(value)
    }
  }
  if (isChunked && length !== -1) throw malformed('both Content-Length and Transfer-Encoding are there')
  // RFC 9112 section 6.1: HTTP/1.0 has no chunks, so nobody can say what the peer takes for the end.
  if (isChunked && isOld) throw malformed('an HTTP/1.0 response comes in chunks')
  const isPersistent = wish === 'unless closed' || wish === 'kept'
  return { status, fields, length, isChunked, isPersistent, keepAlive }
}

/** Reads field lines up to and with the empty line that ends them; appends to `fields`. Throws ExchangeError. */
export function readFields(text: string, from: number, fields: string[]): void {
  let at = from
  while (text.charCodeAt(at) !== CR) {
    const name = at
    while (tokenByte[text.charCodeAt(at)] === 1) at++
    if (at === name || text.charCodeAt(at) !== COLON) throw malformed('a field name has a character that it may not')
    const colon = at++
    while (isBlank(text.charCodeAt(at))) at++
    const value = at
    while (valueByte[text.charCodeAt(at)] === 1) at++
    if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF)
      throw malformed('a field value has a character that it may not')
    let end = at
    while (end > value && isBlank(text.charCodeAt(end - 1))) end--
    fields.push(text.slice(name, colon), text.slice(value, end))
    if (fields.length > 2 * MOST_FIELDS) throw malformed(`there are more than ${MOST_FIELDS} fields`)
    at += 2
  }
  if (at + 2 !== text.length || text.charCodeAt(at + 1) !== LF) throw malformed('a line ends without its line feed')
}

const isBlank = (code: number): boolean => code === SPACE || code === HTAB

/** The minor version, 0 or 1. */
function statusLineVersion(text: string): 0 | 1 {
  const isOld = text.startsWith('HTTP/1.0 ')
  if (!isOld && !text.startsWith('HTTP/1.1 ')) throw malformed('it does not begin with HTTP/1.1 or HTTP/1.0')
  for (let i = 9; i < 12; i++) if (!isDigit(text.charCodeAt(i))) throw malformed('the status has not three digits')
  const after = text.charCodeAt(12)
  if (after !== SPACE && after !== CR) throw malformed('the status has not three digits')
  return isOld ? 0 : 1
}

/** Where the line that goes on at `from` ends. */
function endOfLine(text: string, from: number): number {
  let at = from
  while (valueByte[text.charCodeAt(at)] === 1) at++
  if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF)
    throw malformed('the reason phrase has a character that it may not')
  return at
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39

function decimal(value: string): number {
  // No file system has room for a longer one, and no number of JavaScript is exact beyond.
  if (value === '' || value.length > 15) throw malformed('Content-Length is no number')
  for (let i = 0; i < value.length; i++)
    if (!isDigit(value.charCodeAt(i))) throw malformed('Content-Length is no number')
  return Number(value)
}

/** What a version of HTTP means by itself, or what Connection says. */
type Persistence = 'unless closed' | 'unless kept' | 'kept' | 'closed'

/** Several Connection lines are one list, in which `close` counts wherever it stands (RFC 9112 section 9.3). */
function persistence(value: string, before: Persistence): Persistence {
  if (before === 'closed') return before
  if (value === 'keep-alive') return 'kept'
  const options = value.toLowerCase().split(',')
  if (options.some((option) => option.trim() === 'close')) return 'closed'
  return options.some((option) => option.trim() === 'keep-alive') ? 'kept' : before
}

function timeout(value: string): number | undefined {
  const found = /(?:^|[\s,;])timeout=(\d{1,9})/i.exec(value)
  return found === null ? undefined : Number(found[1]) * 1000
}

const lowerCase = perSpelling((name) => name.toLowerCase())

/** The values by name in lower case; those of a name that comes more often as a list. */
export function fieldRecord(fields: readonly string[]): Record<string, string | string[]> {
  const record = Object.create(null) as Record<string, string | string[]>
  for (let i = 0; i < fields.length; i += 2) {
    const name = lowerCase(fields[i]!)
    const value = fields[i + 1]!
    const before = record[name]
    if (before === undefined) record[name] = value
    else if (typeof before === 'string') record[name] = [before, value]
    else before.push(value)
  }
  return record
}

/** The value of a field, by its name in lower case; the first one when it comes more often. */
export function field(fields: readonly string[], lower: string): string | undefined {
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]!
    if (name.length === lower.length && name.toLowerCase() === lower) return fields[i + 1]
  }
  return undefined
}
