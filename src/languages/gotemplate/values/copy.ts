import type { Meter } from './meter.ts'
import { GoStruct } from './struct.ts'
import { GoMap, GoObject, type GoRecord, GoSlice, type GoValue, isList, nilList, nilMap, typedSlice } from './value.ts'

/** A map that functions may change. */
export type MutableRecord = Record<string, GoValue>

/** An empty map without a prototype, so that no key is there that nobody put in. */
export const emptyRecord = (): MutableRecord => Object.create(null) as MutableRecord

/** Sets a key of a map, `__proto__` like any other. */
export function setKey(map: MutableRecord, key: string, value: GoValue): void {
  if (key === '__proto__') {
    Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true })
  } else map[key] = value
}

/** Copies a value with all that it holds. @throws GoError when it is too deep */
export function deepCopy(value: GoValue, meter: Meter, depth = 0): GoValue {
  if (typeof value !== 'object' || value === null || value === nilMap || value === nilList) return value
  meter.enter(depth)
  if (isList(value)) {
    meter.spend(value.length)
    const copy = Array.from(value, (element) => deepCopy(element, meter, depth + 1))
    return value instanceof GoSlice && !value.isNil ? typedSlice(value.elementType, copy) : copy
  }
  if (value instanceof GoMap) {
    return value.isNil ? value : new GoMap(value.type, copyRecord(value.entries, meter, depth))
  }
  if (value instanceof GoStruct) return new OwnedStruct(value, meter)
  if (value instanceof GoObject) return value
  return copyRecord(value, meter, depth)
}

function copyRecord(record: GoRecord, meter: Meter, depth: number): GoRecord {
  const copy = emptyRecord()
  const keys = Object.keys(record)
  meter.spend(keys.length)
  for (const key of keys) setKey(copy, key, deepCopy(record[key], meter, depth + 1))
  return copy
}

/** A struct whose fields are copies of another's, made when they are first read: its maps may be changed. */
class OwnedStruct extends GoStruct {
  readonly #of: GoStruct
  readonly #meter: Meter
  readonly #copies = new Map<string, GoValue>()

  constructor(of: GoStruct, meter: Meter) {
    super(of.type, of.source)
    this.#of = of
    this.#meter = meter
  }

  override field(name: string): GoValue {
    if (!this.#copies.has(name)) this.#copies.set(name, deepCopy(this.#of.field(name), this.#meter))
    return this.#copies.get(name)
  }

  override text(): string | undefined {
    return this.#of.text()
  }
}
