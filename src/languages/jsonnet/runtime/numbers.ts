import { Fault } from '../errors.ts'

/** A number as the language writes it: integers in full, all else with 17 significant digits, as C's `%.17g`. */
export function numberText(value: number): string {
  if (Number.isInteger(value)) return integerText(value)
  return general(value, 17)
}

/** All digits of an integer, also beyond 2^53. */
export function integerText(value: number): string {
  if (Object.is(value, -0)) return '-0'
  return Number.isSafeInteger(value) ? String(value) : BigInt(value).toString()
}

/** C's `%.<precision>g` without trailing zeros. */
function general(value: number, precision: number): string {
  const [digits = '', exponentText = ''] = value.toExponential(precision - 1).split('e')
  const exponent = Number(exponentText)
  const trimmed = digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits
  if (exponent < -4 || exponent >= precision) {
    const size = String(Math.abs(exponent)).padStart(2, '0')
    return `${trimmed}e${exponent < 0 ? '-' : '+'}${size}`
  }
  const fixed = value.toFixed(Math.max(0, precision - 1 - exponent))
  return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed
}

/** The fewest digits that read back as the number, never with an exponent. */
export function shortestText(value: number): string {
  if (Number.isInteger(value)) return integerText(value)
  const text = String(value)
  const exponent = text.indexOf('e')
  if (exponent === -1) return text
  const digits = text.slice(0, exponent).replace(/[.-]/g, '')
  const zeros = '0'.repeat(-Number(text.slice(exponent + 1)) - 1)
  return `${value < 0 ? '-' : ''}0.${zeros}${digits}`
}

/**
 * The result of arithmetic.
 * @throws Fault unless it is a finite number
 */
export function finite(value: number): number {
  if (Number.isFinite(value)) return value
  throw new Fault(Number.isNaN(value) ? 'Not a number' : 'Overflow')
}
