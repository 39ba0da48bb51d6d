import { Fault } from '../errors.ts'
import { toText } from '../runtime/json.ts'
import { modulo } from '../runtime/operators.ts'
import type { JsonnetObject } from '../runtime/object.ts'
import type { Run } from '../runtime/run.ts'
import { textLength } from '../runtime/text.ts'
import { asInteger, isObject, typeName } from '../runtime/types.ts'
import { force, isArray, type Slot, type Value } from '../runtime/values.ts'
import { checkSize, type FormatCode, parseFormat } from './format_codes.ts'
import { formatExponent, formatFixed, formatGeneral, formatInteger, type NumberStyle } from './format_numbers.ts'
import { char } from './unicode.ts'

/** What a format code costs beside its text. */
const CODE_STEPS = 15

/** `std.format`: values put into a text by Python's `%` codes; from a list in turn, from an object by name. */
export function format(text: string, values: Value, run: Run): string {
  run.spend(text.length >>> 4)
  const source = isObject(values) ? fromObject(values, run) : fromArray(isArray(values) ? values : [values], run)
  let result = ''
  const append = (part: string): void => {
    run.spend(1)
    run.chars(part.length)
    run.chars(result.length > run.limits.text - part.length ? result.length + part.length : 0)
    result += part
  }
  for (const part of parseFormat(text)) {
    if (typeof part === 'string') append(part)
    else {
      run.spend(CODE_STEPS)
      const { width, precision, value, label } = source.next(part)
      const shown = part.type === '%' ? '%' : formatValue(part, value(), width, precision, label, run)
      run.chars(width)
      const missing = ' '.repeat(Math.max(0, width - textLength(shown)))
      append(part.left ? shown + missing : missing + shown)
    }
  }
  source.end()
  return result
}

/** `%`: the remainder of numbers, or formatting when a string is on the left. */
export function remainder(left: Value, right: Value, run: Run): Value {
  if (typeof left === 'string') return format(left, right, run)
  if (typeof left === 'number' && typeof right === 'number') return modulo(left, right)
  throw new Fault(`Operator % cannot be used on types ${typeName(left)} and ${typeName(right)}.`)
}

interface Source {
  next(code: FormatCode): {
    readonly width: number
    readonly precision: number | undefined
    readonly value: () => Value
    readonly label: string
  }
  end(): void
}

function fromArray(values: readonly Slot[], run: Run): Source {
  let used = 0
  const take = (): Value => {
    if (used >= values.length) {
      throw new Fault(`Not enough values to format: ${values.length}, expected more than ${used}`)
    }
    return force(values[used++] as Slot, run)
  }
  const size = (given: number | '*'): number => (given === '*' ? checkSize(asInteger(take())) : given)
  return {
    next(code) {
      const width = size(code.width)
      const precision = code.precision === undefined ? undefined : size(code.precision)
      const label = String(used)
      return { width, precision, value: take, label }
    },
    end() {
      if (used < values.length) {
        throw new Fault(`Too many values to format: ${values.length}, expected ${used}`)
      }
    },
  }
}

function fromObject(values: JsonnetObject, run: Run): Source {
  return {
    next({ key, width, precision }) {
      if (width === '*') throw new Fault('Cannot use * field width with object.')
      if (precision === '*') throw new Fault('Cannot use * precision with object.')
      const value = (): Value => {
        if (key === undefined) throw new Fault('Mapping keys required.')
        if (!values.has(key, run)) throw new Fault(`No such field: ${key}`)
        return values.get(key, run)
      }
      return { width, precision, value, label: key ?? '' }
    },
    end() {
      // An object may have more fields than the text names.
    },
  }
}

function formatValue(
  code: FormatCode,
  value: Value,
  width: number,
  precision: number | undefined,
  label: string,
  run: Run,
): string {
  if (code.type === 's') return toText(value, run)
  if (code.type === 'c') return formatChar(value)
  if (typeof value !== 'number') throw new Fault(`Format required number at ${label}, got ${typeName(value)}`)
  run.chars(Math.max(width, precision ?? 0))
  const style: NumberStyle = {
    alternate: code.alternate,
    blank: code.blank,
    plus: code.plus,
    upper: code.upper,
    zeroWidth: code.zero && !code.left ? width : 0,
  }
  switch (code.type) {
    case 'd':
      return formatInteger(value, 10, style, precision ?? 0)
    case 'o':
      return formatInteger(value, 8, style, precision ?? 0)
    case 'x':
      return formatInteger(value, 16, style, precision ?? 0)
    case 'f':
      return formatFixed(value, style, precision ?? 6, true)
    case 'e':
      return formatExponent(value, style, precision ?? 6, true)
    case 'g':
      return formatGeneral(value, style, precision ?? 6)
    case '%':
      return '%'
  }
}

function formatChar(value: Value): string {
  if (typeof value === 'number') return char(value)
  if (typeof value !== 'string') throw new Fault(`%c expected number / string, got: ${typeName(value)}`)
  const length = textLength(value)
  if (length !== 1) throw new Fault(`%c expected 1-sized string got: ${length}`)
  return value
}
