import { GoMap, GoObject, type GoValue, isNothing, Missing } from './value.ts'

/** Whether `if`, `with`, `and`, `or` and `not` take a value for true. Structs always are. */
export function isTrue(value: GoValue): boolean {
  switch (typeof value) {
    case 'boolean':
      return value
    case 'string':
      return value !== ''
    case 'number':
      return value !== 0
    case 'bigint':
      return value !== 0n
    case 'object':
      if (value === null || value instanceof Missing) return false
      if (value instanceof GoMap) return hasEntries(value.entries)
      if (value instanceof GoObject) return value.integer !== 0n
      return Array.isArray(value) ? value.length > 0 : hasEntries(value)
    case 'undefined':
    case 'function':
    case 'symbol':
    default:
      return false
  }
}

/** Whether sprig's `empty` (and so `default` and `coalesce`) takes a value for empty. */
export function isEmpty(value: GoValue): boolean {
  return isNothing(value) || !isTrue(value)
}

function hasEntries(map: object): boolean {
  for (const key in map) if (Object.hasOwn(map, key)) return true
  return false
}
