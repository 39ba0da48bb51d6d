import { JsonnetSyntaxError } from '../errors.ts'
import type { Source } from './source.ts'

export interface Lexeme {
  readonly value: string
  /** The offset after it. */
  readonly end: number
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** A string in single or double quotes, with JSON's escapes. */
export function lexQuoted(source: Source, from: number): Lexeme {
  const { text } = source
  const quote = text.charAt(from)
  let value = ''
  let at = from + 1
  for (;;) {
    let end = at
    while (end < text.length && text.charAt(end) !== quote && text.charAt(end) !== '\\') end++
    value += text.slice(at, end)
    if (end === text.length) throw new JsonnetSyntaxError('Unterminated string', source, from)
    if (text.charAt(end) === quote) return { value: value.toWellFormed(), end: end + 1 }
    const escape = text.charAt(end + 1)
    if (escape === 'u') {
      const unit = unicodeEscape(source, end)
      value += String.fromCharCode(unit)
      at = end + 6
      if (unit >= 0xd800 && unit < 0xdc00) {
        if (!text.startsWith('\\u', at)) {
          throw new JsonnetSyntaxError('Unicode surrogate pair lacks its second half in string literal.', source, end)
        }
        value += String.fromCharCode(unicodeEscape(source, at))
        at += 6
      }
      continue
    }
    const plain = Object.hasOwn(ESCAPES, escape) ? ESCAPES[escape] : undefined
    if (plain === undefined) {
      throw new JsonnetSyntaxError(`Unknown escape sequence in string literal: \\${escape}`, source, end)
    }
    value += plain
    at = end + 2
  }
}

function unicodeEscape(source: Source, at: number): number {
  const digits = source.text.slice(at + 2, at + 6)
  if (!/^[0-9a-fA-F]{4}$/.test(digits)) {
    throw new JsonnetSyntaxError('Unicode escape sequence was malformed in string literal.', source, at)
  }
  return Number.parseInt(digits, 16)
}

/** A string of the form `@"…"` or `@'…'`: no escapes, its quote is doubled. */
export function lexVerbatim(source: Source, from: number): Lexeme {
  const { text } = source
  const quote = text.charAt(from + 1)
  if (quote !== '"' && quote !== "'") throw new JsonnetSyntaxError('Expected a quote after @', source, from)
  let value = ''
  let at = from + 2
  for (;;) {
    const end = text.indexOf(quote, at)
    if (end === -1) throw new JsonnetSyntaxError('Unterminated verbatim string', source, from)
    value += text.slice(at, end)
    if (text.charAt(end + 1) !== quote) return { value: value.toWellFormed(), end: end + 1 }
    value += quote
    at = end + 2
  }
}

/** A text block: lines between `|||` (or `|||-`, which drops the last line break) without their common indentation. */
export function lexTextBlock(source: Source, from: number): Lexeme {
  const { text } = source
  const chomp = text.charAt(from + 3) === '-'
  const fail = (reason: string): never => {
    throw new JsonnetSyntaxError(`Text block ${reason}`, source, from)
  }
  let at = skipBlanks(text, chomp ? from + 4 : from + 3)
  if (text.charAt(at) === '\r') at++
  if (text.charAt(at) !== '\n') fail('requires a new line after |||.')
  at++
  const firstLine = skipEmptyLines(text, at)
  let value = text.slice(at, firstLine)
  at = firstLine
  const indent = text.slice(at, skipBlanks(text, at))
  if (indent === '') fail("'s first line must start with whitespace.")
  for (;;) {
    const end = text.indexOf('\n', at)
    if (end === -1) return fail('is not terminated with |||.')
    const line = text.slice(at + indent.length, end)
    const next = skipEmptyLines(text, end + 1)
    value += `${line}\n${text.slice(end + 1, next)}`
    at = next
    if (text.startsWith(indent, at)) continue
    at = skipBlanks(text, at)
    if (!text.startsWith('|||', at)) fail('is not terminated with |||.')
    return { value: (chomp ? value.slice(0, -1) : value).toWellFormed(), end: at + 3 }
  }
}

function skipBlanks(text: string, from: number): number {
  let at = from
  while (text.charAt(at) === ' ' || text.charAt(at) === '\t') at++
  return at
}

function skipEmptyLines(text: string, from: number): number {
  let at = from
  for (;;) {
    const end = text.charAt(at) === '\r' ? at + 1 : at
    if (text.charAt(end) !== '\n') return at
    at = end + 1
  }
}
