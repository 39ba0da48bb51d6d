import { parseBool } from './values.ts'
import { compileWildcard } from './wildcard.ts'

/** `path op value` of a query `#(path op value)`, as written, the value without its quotes. */
export interface QueryParts {
  readonly path: string
  readonly op: string
  readonly value: string
}

export type QueryTest = (value: unknown) => boolean

/**
 * Compiles the comparison of a query. Without an operator it asks for existence. A value of `~true`, `~false`, `~null`
 * or `~*` compares how the element would read as that: truth, falsehood, absence, existence.
 */
export function compileQuery({ op, value }: QueryParts): QueryTest {
  if (!value.startsWith('~')) return compileComparison(op, value)
  const reading = READINGS.get(value.slice(1))
  if (reading === undefined) return () => false
  const compare = compileComparison(op, 'true')
  return (found) => compare(reading(found))
}

const READINGS = new Map<string, QueryTest>([
  ['*', (value) => value !== undefined],
  ['null', (value) => value === undefined || value === null],
  ['true', isTruthy],
  ['false', isFalsy],
])

function isTruthy(value: unknown): boolean {
  if (typeof value === 'string') return parseBool(value) === true
  return value === true || (typeof value === 'number' && value !== 0)
}

function isFalsy(value: unknown): boolean {
  if (typeof value === 'string') return parseBool(value) === false
  return value === undefined || value === null || value === false || value === 0
}

function compileComparison(op: string, text: string): QueryTest {
  if (op === '') return (value) => value !== undefined
  const number = parseFloatOrZero(text)
  const matches = compileWildcard(text)
  return (value) => {
    if (typeof value === 'number') return Number.isNaN(number) ? op === '!=' : ordered(op, value - number)
    if (typeof value === 'boolean') return compareBoolean(op, value, text)
    if (typeof value !== 'string') return false
    if (op === '%') return matches(value)
    if (op === '!%') return !matches(value)
    return ordered(op, compareText(value, text))
  }
}

function ordered(op: string, difference: number): boolean {
  switch (op) {
    case '=':
      return difference === 0
    case '!=':
      return difference !== 0
    case '<':
      return difference < 0
    case '<=':
      return difference <= 0
    case '>':
      return difference > 0
    case '>=':
      return difference >= 0
    default:
      return false
  }
}

/** A boolean is compared with the words; one that `text` is no word for is still at least, or at most, anything. */
function compareBoolean(op: string, value: boolean, text: string): boolean {
  switch (op) {
    case '=':
      return text === String(value)
    case '!=':
      return text !== String(value)
    case '>':
      return value && text === 'false'
    case '>=':
      return value
    case '<':
      return !value && text === 'true'
    case '<=':
      return !value
    default:
      return false
  }
}

/** By code points, which is the order of UTF-8 bytes; JavaScript's own comparison is by UTF-16 code units. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    if (a.charCodeAt(i) === b.charCodeAt(i)) continue
    // Inside a surrogate pair the first halves were equal, so that the second halves decide as code points would.
    return (a.codePointAt(i) ?? 0) - (b.codePointAt(i) ?? 0)
  }
  return a.length - b.length
}

/** Decimal numbers and the words for infinity and no number; everything else is 0. */
function parseFloatOrZero(text: string): number {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text)
  const word = /^([+-]?)(inf(?:inity)?|nan)$/i.exec(text)
  if (word === null) return 0
  if (word[2]?.toLowerCase() === 'nan') return NaN
  return word[1] === '-' ? -Infinity : Infinity
}
