import { GoInt, GoObject, GoSlice, type GoValue } from './value.ts'

/** Go's name of a value's type, as `%T` and `typeOf` print it. */
export function typeName(value: GoValue): string {
  switch (typeof value) {
    case 'number':
      return 'float64'
    case 'bigint':
      return 'int'
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    case 'undefined':
    case 'object':
    case 'function':
    case 'symbol':
    default:
      if (value === undefined || value === null) return '<nil>'
      if (value instanceof GoObject) return value.typeName
      if (value instanceof GoSlice) return `[]${value.elementType}`
      return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}'
  }
}

/** Go's name of a value's kind, as `kindOf` prints it. */
export function kindName(value: GoValue): string {
  if (typeof value === 'object') {
    if (value === null) return 'invalid'
    if (value instanceof GoObject) return value.kind
    return Array.isArray(value) ? 'slice' : 'map'
  }
  return value === undefined ? 'invalid' : typeName(value)
}

/** The value of an integer of any type; undefined when it is none. */
export function integerOf(value: GoValue): bigint | undefined {
  if (typeof value === 'bigint') return value
  return value instanceof GoObject ? value.integer : undefined
}

/** Wraps an integer to 64 bits, as Go's arithmetic does. */
export function int64(value: bigint): GoInt {
  return new GoInt('int64', BigInt.asIntN(64, value))
}
