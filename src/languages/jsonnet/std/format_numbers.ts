import { integerText } from '../runtime/numbers.ts'
import type { FormatCode } from './format_codes.ts'

/** What a number's code asks for, with width and precision in place. */
export type NumberStyle = Pick<FormatCode, 'alternate' | 'blank' | 'plus' | 'upper'> & {
  /** Least length of the whole, filled with zeros after the sign. */
  readonly zeroWidth: number
}

function sign(negative: boolean, { plus, blank }: NumberStyle): string {
  if (negative) return '-'
  if (plus) return '+'
  return blank ? ' ' : ''
}

function pad(digits: string, prefix: string, lead: string, style: NumberStyle, minDigits: number): string {
  const room = style.zeroWidth - prefix.length - lead.length
  return lead + prefix + digits.padStart(Math.max(room, minDigits), '0')
}

/** `%d`, `%o`, `%x`: the integer part in a base, with at least that many digits. */
export function formatInteger(value: number, base: 8 | 10 | 16, style: NumberStyle, minDigits: number): string {
  const magnitude = base === 16 ? Math.abs(Math.floor(value)) : Math.floor(Math.abs(value))
  const negative = base === 16 ? Math.floor(value) < 0 : value <= -1
  let digits = base === 10 ? integerText(magnitude) : BigInt(magnitude).toString(base)
  if (base === 8 && style.alternate && magnitude !== 0) digits = `0${digits}`
  const prefix = base === 16 && style.alternate ? '0x' : ''
  const text = pad(digits, prefix, sign(negative, style), style, minDigits)
  return style.upper ? text.toUpperCase() : text
}

/** `%f`. Rounds half up in binary floating point, as the language defines it. */
export function formatFixed(value: number, style: NumberStyle, precision: number, keepZeros: boolean): string {
  const denominator = 10 ** precision
  const numerator = Math.abs(value) * denominator + 0.5
  const exact = Number.isFinite(numerator)
  const whole = exact ? Math.floor(numerator / denominator) : Math.floor(Math.abs(value))
  const rest = exact ? Math.floor(numerator) % denominator : 0
  const digits = precision === 0 ? '' : integerText(rest).padStart(precision, '0')
  const shown = keepZeros ? digits : digits.replace(/0+$/, '')
  const point = shown !== '' || style.alternate ? '.' : ''
  const tail = precision === 0 || shown !== '' ? point + shown : ''
  const reserved = precision + (precision === 0 && !style.alternate ? 0 : 1)
  const inner = { ...style, zeroWidth: style.zeroWidth - reserved }
  return pad(integerText(whole), '', sign(value < 0, style), inner, 0) + tail
}

/** `%e`: one digit before the point, and an exponent of at least two digits. */
export function formatExponent(value: number, style: NumberStyle, precision: number, keepZeros: boolean): string {
  const exponent = exponentOf(value)
  const mantissa = exponent === -324 ? (value * 10) / 10 ** (exponent + 1) : value / 10 ** exponent
  const size = String(Math.abs(exponent)).padStart(2, '0')
  const suffix = `${style.upper ? 'E' : 'e'}${exponent < 0 ? '-' : '+'}${size}`
  const inner = { ...style, zeroWidth: style.zeroWidth - suffix.length }
  return formatFixed(mantissa, inner, precision, keepZeros) + suffix
}

/** `%g`: the shorter of the two, with that many significant digits. */
export function formatGeneral(value: number, style: NumberStyle, precision: number): string {
  const exponent = exponentOf(value)
  if (exponent < -4 || exponent >= precision) return formatExponent(value, style, precision - 1, style.alternate)
  return formatFixed(value, style, precision - Math.max(1, exponent + 1), style.alternate)
}

const exponentOf = (value: number): number => (value === 0 ? 0 : Math.floor(Math.log(Math.abs(value)) / Math.log(10)))
