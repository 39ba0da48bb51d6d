import { GoError } from '../errors.ts'
import type { Meter } from './meter.ts'
import { formatFloat } from './number.ts'
import { sortedKeys } from './order.ts'
import { GoStruct } from './struct.ts'
import { GoMap, GoObject, type GoValue, isList, mapEntries } from './value.ts'

/**
 * Prints a value as Go's `%v` does; nil is `<nil>`. What a template prints for nil differs, see the callers.
 * @throws GoError when the value is too deep or too long
 */
export function printValue(value: GoValue, meter: Meter): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
      return formatFloat(value)
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'undefined':
    case 'object':
    case 'function':
    case 'symbol':
    default:
      return printAt(value, meter, 0)
  }
}

function printAt(value: GoValue, meter: Meter, depth: number): string {
  if (typeof value !== 'object' || value === null) {
    return value === undefined || value === null ? '<nil>' : printValue(value, meter)
  }
  if (value instanceof GoObject) {
    const text = value.text()
    if (text !== undefined) return text
    if (value.integer !== undefined) return String(value.integer)
    if (value instanceof GoStruct) return printStruct(value, meter, depth)
    if (!(value instanceof GoMap)) return '<nil>'
  }
  meter.enter(depth)
  if (isList(value)) {
    meter.spend(value.length)
    return meter.text(`[${value.map((element) => printAt(element, meter, depth + 1)).join(' ')}]`)
  }
  const entries = mapEntries(value) ?? {}
  const keys = sortedKeys(entries)
  meter.spend(keys.length)
  return meter.text(`map[${keys.map((key) => `${key}:${printAt(entries[key], meter, depth + 1)}`).join(' ')}]`)
}

function printStruct(value: GoStruct, meter: Meter, depth: number): string {
  meter.enter(depth)
  const pointer = value.kind === 'ptr'
  if (pointer && depth > 0) {
    // Go prints an address here, which is of no use and differs between runs
    throw new GoError(`cannot print a pointer of type ${value.typeName} inside another value: print its fields`)
  }
  const fields = [...value.type.fields.keys()].map((name) => printAt(value.field(name), meter, depth + 1))
  return meter.text(`${pointer ? '&' : ''}{${fields.join(' ')}}`)
}
