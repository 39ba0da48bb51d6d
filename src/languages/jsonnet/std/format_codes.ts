import { Fault } from '../errors.ts'

/** One `%` code of a format string. */
export interface FormatCode {
  /** The name in `%(name)s`; undefined without parentheses. */
  readonly key: string | undefined
  readonly alternate: boolean
  readonly zero: boolean
  readonly left: boolean
  readonly blank: boolean
  readonly plus: boolean
  readonly width: number | '*'
  readonly precision: number | '*' | undefined
  readonly type: FormatType
  readonly upper: boolean
}

export type FormatType = 'd' | 'o' | 'x' | 'e' | 'f' | 'g' | 'c' | 's' | '%'

const TYPES: Readonly<Record<string, FormatType>> = {
  d: 'd',
  i: 'd',
  u: 'd',
  o: 'o',
  x: 'x',
  X: 'x',
  e: 'e',
  E: 'e',
  f: 'f',
  F: 'f',
  g: 'g',
  G: 'g',
  c: 'c',
  s: 's',
  '%': '%',
}

/** Widths and precisions beyond this are refused: no result could hold them. */
const MAX_SIZE = 1_000_000

/**
 * Splits a format string (the language of Python's `%`) into text and codes.
 * @throws Fault when it is malformed
 */
export function parseFormat(text: string): readonly (string | FormatCode)[] {
  const parts: (string | FormatCode)[] = []
  let at = 0
  for (;;) {
    const percent = text.indexOf('%', at)
    if (percent === -1) {
      parts.push(text.slice(at))
      return parts
    }
    if (percent > at) parts.push(text.slice(at, percent))
    const { code, end } = parseCode(text, percent + 1)
    parts.push(code)
    at = end
  }
}

function parseCode(text: string, from: number): { readonly code: FormatCode; readonly end: number } {
  let at = from
  const char = (): string => {
    if (at >= text.length) throw new Fault('Truncated format code.')
    return text.charAt(at)
  }
  const size = (): number | '*' => {
    if (char() === '*') {
      at++
      return '*'
    }
    let value = 0
    for (; char() >= '0' && char() <= '9'; at++) value = value * 10 + Number(char())
    return checkSize(value)
  }
  let key: string | undefined
  if (char() === '(') {
    const close = text.indexOf(')', at)
    if (close === -1) throw new Fault('Truncated format code.')
    key = text.slice(at + 1, close)
    at = close + 1
  }
  const flags = new Set<string>()
  for (; '#0- +'.includes(char()); at++) flags.add(char())
  const width = size()
  let precision: number | '*' | undefined
  if (char() === '.') {
    at++
    precision = size()
  }
  while ('hlL'.includes(char())) at++
  const letter = char()
  const type = Object.hasOwn(TYPES, letter) ? TYPES[letter] : undefined
  if (type === undefined) throw new Fault(`Unrecognised conversion type: ${letter}`)
  const code: FormatCode = {
    key,
    alternate: flags.has('#'),
    zero: flags.has('0'),
    left: flags.has('-'),
    blank: flags.has(' '),
    plus: flags.has('+'),
    width,
    precision,
    type,
    upper: letter >= 'A' && letter <= 'Z',
  }
  return { code, end: at + 1 }
}

/** @throws Fault for a width or precision that is too large */
export function checkSize(size: number): number {
  if (size > MAX_SIZE) throw new Fault(`a width or precision of ${size} is more than ${MAX_SIZE}`)
  return size
}
