import { Fault } from '../errors.ts'
import { toText, DATA_LEVEL } from './json.ts'
import { finite } from './numbers.ts'
import { JsonnetObject } from './object.ts'
import type { Run } from './run.ts'
import { compareText } from './text.ts'
import { asNumber, isObject, mismatch, typeName } from './types.ts'
import { force, isArray, type JsonnetArray, type Value } from './values.ts'

/** `+`: numbers, strings (of anything when one side is a string), arrays, objects. */
export function add(left: Value, right: Value, run: Run): Value {
  if (typeof left === 'number' && typeof right === 'number') return finite(left + right)
  if (typeof left === 'string' || typeof right === 'string') {
    return concat(toText(left, run), toText(right, run), run)
  }
  if (isArray(left) && isArray(right)) {
    run.allocate(left.length + right.length)
    return [...left, ...right]
  }
  if (isObject(left) && isObject(right)) {
    run.allocate(left.layers.length + right.layers.length)
    return new JsonnetObject([...left.layers, ...right.layers])
  }
  if (typeof left === 'number' || isArray(left) || isObject(left)) return mismatch(right, typeName(left))
  if (typeof right === 'number' || isArray(right) || isObject(right)) return mismatch(left, typeName(right))
  throw new Fault(`Unexpected type ${typeName(left)}`)
}

/** Two strings after each other. The engine shares their text, so only the new piece costs. */
export function concat(left: string, right: string, run: Run): string {
  run.chars(right.length)
  if (left.length + right.length > run.limits.text) run.chars(left.length + right.length)
  return left + right
}

/** `==`, by structure; hidden fields do not count. */
export function equals(left: Value, right: Value, run: Run): boolean {
  if (typeof left === 'string' && typeof right === 'string') return equalTexts(left, right, run)
  if (left === right && typeof left !== 'object') return true
  const type = typeName(left)
  if (type !== typeName(right)) return false
  if (type === 'function') throw new Fault('Cannot test equality of functions')
  if (isArray(left)) return equalArrays(left, right as JsonnetArray, run)
  return isObject(left) ? equalObjects(left, right as JsonnetObject, run) : left === right
}

/** Texts that were just put together are only now written in one piece. */
export function equalTexts(left: string, right: string, run: Run): boolean {
  if (left.length !== right.length) return false
  run.spend(left.length >>> 6)
  return left === right
}

function equalArrays(left: JsonnetArray, right: JsonnetArray, run: Run): boolean {
  if (left.length !== right.length) return false
  run.enter(DATA_LEVEL)
  for (let index = 0; index < left.length; index++) {
    run.spend(2)
    if (!equals(force(left[index] as Value, run), force(right[index] as Value, run), run)) {
      run.leave(DATA_LEVEL)
      return false
    }
  }
  run.leave(DATA_LEVEL)
  return true
}

function equalObjects(left: JsonnetObject, right: JsonnetObject, run: Run): boolean {
  left.assert(run)
  right.assert(run)
  const names = left.visibleNames(run)
  const others = right.visibleNames(run)
  if (names.length !== others.length) return false
  run.spend(names.length)
  if (!names.every((name, index) => equalTexts(name, others[index] as string, run))) return false
  run.enter(DATA_LEVEL)
  const same = names.every((name) => equals(left.get(name, run), right.get(name, run), run))
  run.leave(DATA_LEVEL)
  return same
}

/** The order of two numbers, strings or arrays: below, above or at zero. */
export function compare(left: Value, right: Value, run: Run): number {
  if (typeof left === 'number' && typeof right === 'number') return left < right ? -1 : Number(left > right)
  if (typeof left === 'string' && typeof right === 'string') {
    run.spend(Math.min(left.length, right.length) >>> 6)
    return compareText(left, right)
  }
  if (isArray(left) && isArray(right)) return compareArrays(left, right, run)
  if (typeof left === 'number' || typeof left === 'string' || isArray(left)) return mismatch(right, typeName(left))
  throw new Fault(`Unexpected type ${typeName(left)}`)
}

function compareArrays(left: JsonnetArray, right: JsonnetArray, run: Run): number {
  run.enter(DATA_LEVEL)
  const length = Math.min(left.length, right.length)
  let order = 0
  for (let index = 0; index < length && order === 0; index++) {
    run.spend(1)
    order = compare(force(left[index] as Value, run), force(right[index] as Value, run), run)
  }
  run.leave(DATA_LEVEL)
  return order === 0 ? left.length - right.length : order
}

/** The integer that a bitwise operator works on. */
function bits(value: Value): bigint {
  const number = asNumber(value)
  if (number >= -(2 ** 63) && number < 2 ** 63) return BigInt(Math.trunc(number))
  throw new Fault(`Bitwise operator argument ${number} outside of range [-9223372036854775808, 9223372036854775807]`)
}

export type Bitwise = '&' | '|' | '^' | '<<' | '>>'

/** Bitwise operators, on 64-bit integers. */
export function bitwise(operator: Bitwise, left: Value, right: Value): number {
  const one = bits(left)
  const other = bits(right)
  if (operator === '&') return Number(one & other)
  if (operator === '|') return Number(one | other)
  if (operator === '^') return Number(one ^ other)
  if (other < 0n) throw new Fault('Shift by negative exponent.')
  const distance = other % 64n
  if (operator === '>>') return Number(one >> distance)
  const shifted = BigInt.asIntN(64, one << distance)
  if (shifted >> distance !== one) throw new Fault('Left shift would overflow')
  return Number(shifted)
}

export function bitwiseNot(value: Value): number {
  return Number(~bits(value))
}

export function divide(left: Value, right: Value): number {
  const divisor = asNumber(right)
  const dividend = asNumber(left)
  if (divisor === 0) throw new Fault('Division by zero.')
  return finite(dividend / divisor)
}

/** The remainder, with the sign of the dividend. */
export function modulo(left: Value, right: Value): number {
  const dividend = asNumber(left)
  const divisor = asNumber(right)
  if (divisor === 0) throw new Fault('Division by zero.')
  return finite(dividend % divisor)
}
