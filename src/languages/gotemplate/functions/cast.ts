import { parseNumber } from '../syntax/literals.ts'
import type { Meter } from '../values/meter.ts'
import { printValue } from '../values/print.ts'
import { integerOf } from '../values/types.ts'
import { GoObject, type GoValue, isList, isNothing } from '../values/value.ts'

// sprig converts leniently: what cannot be converted is zero

/** A value as a 64-bit integer; 0 when it is no number. */
export function toInteger(value: GoValue): bigint {
  if (typeof value === 'number') return floatToInteger(value)
  if (typeof value === 'string') return parseInteger(value)
  if (typeof value === 'boolean') return value ? 1n : 0n
  return integerOf(value) ?? 0n
}

const minInt = -(2n ** 63n)

function floatToInteger(value: number): bigint {
  if (Number.isNaN(value)) return minInt
  const whole = Math.trunc(value)
  // out of range, Go gives the smallest integer on amd64
  return Math.abs(whole) < 2 ** 63 ? BigInt(whole) : minInt
}

function parseInteger(text: string): bigint {
  // "9.00" counts as 9
  const zeros = text.indexOf('.')
  const whole = zeros !== -1 && isZeros(text, zeros + 1) ? text.slice(0, zeros) : text
  if (whole.length > 80 || whole === '' || /[.\s]|^['"]|[pP]|^[+-]?[0-9_]+[eE]/.test(whole)) return 0n
  return parseNumber(whole)?.int ?? 0n
}

function isZeros(text: string, from: number): boolean {
  for (let at = from; at < text.length; at++) if (text[at] !== '0') return false
  return text.length > from
}

/** A value as a float64; 0 when it is no number. */
export function toFloat(value: GoValue): number {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'string') return parseFloat64(value)
  const integer = integerOf(value)
  return integer === undefined ? 0 : Number(integer)
}

function parseFloat64(text: string): number {
  if (text.length > 400) return 0
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text)
  if (special !== null) {
    if (special[2]?.toLowerCase() === 'nan') return Number.NaN
    return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return 0
  const value = Number(text)
  return Number.isFinite(value) ? value : 0
}

/** A value as text: itself, what its String method gives, or as `%v` prints it. */
export function toText(value: GoValue, meter: Meter): string {
  return typeof value === 'string' ? value : printValue(value, meter)
}

/** A value as a list of strings; nil elements are left out. */
export function toStrings(value: GoValue, meter: Meter): string[] {
  if (isNothing(value)) return []
  if (!isList(value) || value instanceof GoObject) return [toText(value, meter)]
  const strings: string[] = []
  for (const element of value) if (!isNothing(element)) strings.push(toText(element, meter))
  return strings
}
