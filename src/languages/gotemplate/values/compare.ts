import { GoError } from '../errors.ts'
import type { Meter } from './meter.ts'
import { compareStrings } from './order.ts'
import { integerOf, kindName, typeName } from './types.ts'
import { GoStruct } from './struct.ts'
import {
  GoMap,
  GoObject,
  GoSlice,
  type GoValue,
  isList,
  isNothing,
  isRecord,
  mapEntries,
  nilList,
  nilMap,
} from './value.ts'

type Basic = 'bool' | 'string' | 'float' | 'int' | undefined

function basicKind(value: GoValue): Basic {
  switch (typeof value) {
    case 'boolean':
      return 'bool'
    case 'string':
      return 'string'
    case 'number':
      return 'float'
    case 'bigint':
      return 'int'
    case 'undefined':
    case 'object':
    case 'function':
    case 'symbol':
    default:
      return integerOf(value) === undefined ? undefined : 'int'
  }
}

const plain = (value: GoValue): GoValue => integerOf(value) ?? value

/** The comparison behind `eq` and `ne`. @throws GoError when Go cannot compare the types */
export function equal(a: GoValue, b: GoValue): boolean {
  const kind = basicKind(a)
  if (kind !== basicKind(b)) {
    if (isNothing(a) || isNothing(b)) return false
    throw incompatible(a, b)
  }
  if (kind !== undefined) return plain(a) === plain(b)
  if (isNothing(a) || isNothing(b)) return isNil(a) && isNil(b)
  if (kindName(a) !== kindName(b)) throw incompatible(a, b)
  if (isNil(a) || isNil(b)) return isNil(a) === isNil(b)
  if (a instanceof GoStruct && b instanceof GoStruct) return a.source === b.source
  throw new GoError(`non-comparable type ${typeName(b)}`)
}

function isNil(value: GoValue): boolean {
  if (isNothing(value) || value === nilMap || value === nilList) return true
  return (value instanceof GoMap || value instanceof GoSlice) && value.isNil
}

/** The comparison behind `lt`, `le`, `gt` and `ge`. @throws GoError when Go has no order for the types */
export function less(a: GoValue, b: GoValue): boolean {
  const kind = basicKind(a)
  const other = basicKind(b)
  if (kind === undefined || other === undefined) throw new GoError('invalid type for comparison')
  if (kind !== other) throw incompatible(a, b)
  if (kind === 'bool') throw new GoError('invalid type for comparison')
  if (kind === 'string') return compareStrings(a as string, b as string) < 0
  return (plain(a) as number | bigint) < (plain(b) as number | bigint)
}

function incompatible(a: GoValue, b: GoValue): GoError {
  const types = [typeName(a), typeName(b)]
  const hint =
    types.includes('int') && types.includes('float64')
      ? ': numbers from JSON are float64, so write 1.0 instead of 1, or convert with int or float64'
      : ''
  return new GoError(`incompatible types for comparison: ${types.join(' and ')}${hint}`)
}

/** Go's reflect.DeepEqual: types must be the same, too. */
export function deepEqual(a: GoValue, b: GoValue, meter: Meter, depth = 0): boolean {
  meter.step()
  if (isNothing(a) || isNothing(b)) return isNothing(a) && isNothing(b)
  if (typeName(a) !== typeName(b)) return false
  if (typeof a !== 'object') return a === b
  meter.enter(depth)
  if (isList(a) && isList(b)) {
    if (isNil(a) !== isNil(b) || a.length !== b.length) return false
    return a.every((element, index) => deepEqual(element, b[index], meter, depth + 1))
  }
  if (isRecord(a) || a instanceof GoMap) {
    const left = mapEntries(a) ?? {}
    const right = mapEntries(b) ?? {}
    const keys = Object.keys(left)
    if (isNil(a) !== isNil(b) || keys.length !== Object.keys(right).length) return false
    return keys.every((key) => Object.hasOwn(right, key) && deepEqual(left[key], right[key], meter, depth + 1))
  }
  if (integerOf(a) !== undefined) return integerOf(a) === integerOf(b)
  if (a instanceof GoStruct && b instanceof GoStruct) {
    if (a.source === b.source) return true
    return [...a.type.fields.keys()].every((name) => deepEqual(a.field(name), b.field(name), meter, depth + 1))
  }
  return a instanceof GoObject && a === b
}
