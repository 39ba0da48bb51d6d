import { Fault } from '../errors.ts'
import { isFunction, type JsonnetFunction } from './function.ts'
import type { JsonnetObject } from './object.ts'
import { isArray, type JsonnetArray, type Value } from './values.ts'

export type TypeName = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object' | 'function'

/** The type of a value, as `std.type` names it. */
export function typeName(value: Value): TypeName {
  if (value === null) return 'null'
  const type = typeof value
  if (type === 'boolean' || type === 'number' || type === 'string') return type
  if (isArray(value)) return 'array'
  return isFunction(value) ? 'function' : 'object'
}

export const isObject = (value: Value): value is JsonnetObject => typeName(value) === 'object'

/** @throws Fault that names the type a value should have had */
export function mismatch(value: Value, expected: TypeName): never {
  throw new Fault(`Unexpected type ${typeName(value)}, expected ${expected}`)
}

export function asNumber(value: Value): number {
  return typeof value === 'number' ? value : mismatch(value, 'number')
}

export function asInteger(value: Value): number {
  const number = asNumber(value)
  if (!Number.isSafeInteger(number)) throw new Fault(`Expected an integer, but got ${number}`)
  return number
}

export function asString(value: Value): string {
  return typeof value === 'string' ? value : mismatch(value, 'string')
}

export function asBoolean(value: Value): boolean {
  return typeof value === 'boolean' ? value : mismatch(value, 'boolean')
}

export function asArray(value: Value): JsonnetArray {
  return isArray(value) ? value : mismatch(value, 'array')
}

export function asObject(value: Value): JsonnetObject {
  return isObject(value) ? value : mismatch(value, 'object')
}

export function asFunction(value: Value): JsonnetFunction {
  return isFunction(value) ? value : mismatch(value, 'function')
}
