import type { Meter } from '../values/meter.ts'
import { formatFloat, goExponent } from '../values/number.ts'
import { sortedKeys } from '../values/order.ts'
import { printValue } from '../values/print.ts'
import { integerOf, typeName } from '../values/types.ts'
import { GoObject, type GoValue, isList, isNothing, mapEntries } from '../values/value.ts'
import { quoteGo } from './quote.ts'

/** A directive of a format, such as `%-8.3f`. */
interface Verb {
  readonly verb: string
  minus: boolean
  readonly plus: boolean
  readonly sharp: boolean
  readonly space: boolean
  readonly zero: boolean
  readonly width: number | undefined
  readonly precision: number | undefined
}

function pad(text: string, spec: Verb): string {
  if (spec.width === undefined) return text
  const missing = spec.width - Array.from(text).length
  if (missing <= 0) return text
  return spec.minus ? text + ' '.repeat(missing) : (spec.zero ? '0' : ' ').repeat(missing) + text
}

function padNumber(digits: string, sign: string, spec: Verb): string {
  if (!spec.zero || spec.width === undefined) return pad(sign + digits, { ...spec, zero: false })
  return sign + digits.padStart(spec.width - sign.length, '0')
}

const signOf = (negative: boolean, spec: Verb): string => (negative ? '-' : spec.plus ? '+' : spec.space ? ' ' : '')

/**
 * Formats one value by a directive, as Go does: what does not fit is told in the output.
 * @param depth how deep the value lies in the argument
 */
export function formatArgument(spec: Verb, arg: GoValue, meter: Meter, depth: number): string {
  const { verb } = spec
  if (verb === 'T') return pad(typeName(arg), spec)
  if (isNothing(arg)) {
    if (verb !== 'v' && depth === 0) return `%!${verb}(<nil>)`
    return depth === 0 ? pad('<nil>', { ...spec, zero: false }) : '<nil>'
  }
  if (typeof arg === 'boolean')
    return verb === 't' || verb === 'v' ? pad(String(arg), spec) : wrong(spec, arg, meter, depth)
  if (typeof arg === 'number') return formatNumber(spec, arg) ?? wrong(spec, arg, meter, depth)
  const text = arg instanceof GoObject ? arg.text() : undefined
  if (text !== undefined && 'vsqxX'.includes(verb)) return formatString(spec, text) ?? wrong(spec, arg, meter, depth)
  const integer = integerOf(arg)
  if (integer !== undefined) return formatInteger(spec, integer) ?? wrong(spec, arg, meter, depth)
  if (typeof arg === 'string') return formatString(spec, arg) ?? wrong(spec, arg, meter, depth)
  return formatContainer(spec, arg, meter, depth)
}

function formatContainer(spec: Verb, arg: GoValue, meter: Meter, depth: number): string {
  meter.enter(depth)
  const each = (value: GoValue): string => formatArgument(spec, value, meter, depth + 1)
  if (isList(arg)) {
    meter.spend(arg.length)
    return `[${arg.map(each).join(' ')}]`
  }
  const entries = mapEntries(arg)
  if (entries === undefined) return spec.verb === 'v' ? printValue(arg, meter) : wrong(spec, arg, meter, depth)
  const keys = sortedKeys(entries)
  meter.spend(keys.length)
  return `map[${keys.map((key) => `${each(key)}:${each(entries[key])}`).join(' ')}]`
}

/** How Go tells that a verb does not fit: with the value, printed as `%v` with the same flags. */
const wrong = (spec: Verb, arg: GoValue, meter: Meter, depth: number): string =>
  `%!${spec.verb}(${typeName(arg)}=${formatArgument({ ...spec, verb: 'v', sharp: false }, arg, meter, depth + 1)})`

function formatString(spec: Verb, value: string): string | undefined {
  const cut = spec.precision === undefined ? value : Array.from(value).slice(0, spec.precision).join('')
  switch (spec.verb) {
    case 'v':
      return spec.sharp ? pad(quoteGo(cut, false), spec) : pad(cut, spec)
    case 's':
      return pad(cut, spec)
    case 'q':
      return pad(
        spec.sharp && !/[`\0-\x08\x0a-\x1f\x7f\uFEFF]/.test(cut) ? `\`${cut}\`` : quoteGo(cut, spec.plus),
        spec,
      )
    case 'x':
    case 'X': {
      const bytes = Buffer.from(value, 'utf8')
      const shown = spec.precision === undefined ? bytes : bytes.subarray(0, spec.precision)
      const prefix = spec.sharp && shown.length > 0 ? '0x' : ''
      const hex = spec.space
        ? [...shown].map((byte) => prefix + byte.toString(16).padStart(2, '0')).join(' ')
        : prefix + shown.toString('hex')
      return pad(spec.verb === 'X' ? hex.toUpperCase() : hex, spec)
    }
    default:
      return undefined
  }
}

const bases: Readonly<Record<string, [base: number, prefix: string]>> = {
  d: [10, ''],
  v: [10, ''],
  b: [2, '0b'],
  o: [8, '0'],
  O: [8, '0o'],
  x: [16, '0x'],
  X: [16, '0X'],
}

function formatInteger(spec: Verb, value: bigint): string | undefined {
  const base = bases[spec.verb]
  if (base !== undefined) {
    let digits = (value < 0n ? -value : value).toString(base[0])
    if (spec.verb === 'X') digits = digits.toUpperCase()
    if (spec.precision !== undefined)
      digits = spec.precision === 0 && value === 0n ? '' : digits.padStart(spec.precision, '0')
    const prefix = spec.verb === 'O' || (spec.sharp && base[0] !== 10) ? base[1] : ''
    const zero = spec.zero && spec.precision === undefined
    return padNumber(digits, signOf(value < 0n, spec) + prefix, { ...spec, zero })
  }
  if (!'cqU'.includes(spec.verb)) return undefined
  const valid = value >= 0n && value <= 0x10ffffn && (value < 0xd800n || value >= 0xe000n)
  const char = valid ? String.fromCodePoint(Number(value)) : '\uFFFD'
  if (spec.verb === 'c') return pad(char, spec)
  if (spec.verb === 'q')
    return pad(`'${char === '"' ? char : char === "'" ? "\\'" : quoteGo(char, spec.plus).slice(1, -1)}'`, spec)
  return pad(`U+${value.toString(16).toUpperCase().padStart(4, '0')}${spec.sharp ? ` '${char}'` : ''}`, spec)
}

function formatNumber(spec: Verb, value: number): string | undefined {
  if (!'vgGeEfF'.includes(spec.verb)) return undefined
  const negative = value < 0 || Object.is(value, -0)
  const size = Math.abs(value)
  const sign = signOf(negative, spec)
  if (!Number.isFinite(value)) {
    return pad(
      `${Number.isNaN(value) ? sign.replace('-', '') : negative ? '-' : '+'}${Number.isNaN(value) ? 'NaN' : 'Inf'}`,
      {
        ...spec,
        zero: false,
      },
    )
  }
  const upper = spec.verb === 'G' || spec.verb === 'E'
  const digits = floatDigits(spec, size)
  return padNumber(upper ? digits.toUpperCase() : digits, sign, spec)
}

function floatDigits(spec: Verb, size: number): string {
  const { precision } = spec
  switch (spec.verb) {
    case 'f':
    case 'F':
      return fixed(size, precision ?? 6)
    case 'e':
    case 'E':
      return goExponent(size.toExponential(Math.min(precision ?? 6, 100)))
    default: {
      if (precision === undefined) return formatFloat(size)
      const significant = Math.max(precision, 1)
      const exponential = size.toExponential(Math.min(significant - 1, 100))
      const power = size === 0 ? 0 : Number(exponential.slice(exponential.indexOf('e') + 1))
      if (power < -4 || power >= significant) {
        const [mantissa, exponent] = exponential.split('e') as [string, string]
        return goExponent(`${trim(mantissa)}e${exponent}`)
      }
      return trim(fixed(size, Math.max(significant - 1 - power, 0)))
    }
  }
}

/** Digits behind the point, also for numbers that JavaScript would print with an exponent. */
function fixed(size: number, digits: number): string {
  if (size < 1e21) {
    const places = Math.min(digits, 100)
    // JavaScript rounds an exact half up, Go to the even digit
    const exact = places < 100 ? size.toFixed(100) : ''
    const cut = exact.length - 100 + places
    if (/^50*$/.test(exact.slice(cut)) && '02468'.includes(lastDigit(exact, cut))) {
      return places === 0 ? exact.slice(0, cut - 1) : exact.slice(0, cut)
    }
    return size.toFixed(places)
  }
  const whole = BigInt(size).toString()
  return digits === 0 ? whole : `${whole}.${'0'.repeat(digits)}`
}

/** The digit before a position, which may be behind the point. */
function lastDigit(digits: string, at: number): string {
  const before = digits.charAt(at - 1)
  return before === '.' ? digits.charAt(at - 2) : before
}

/** Takes off zeros behind the point. */
const trim = (digits: string): string => (digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits)
