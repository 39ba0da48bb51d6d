import type { Signature } from './signature.ts'

/**
 * A Go value. Go's types map to JavaScript so that decoded JSON needs no conversion:
 * float64 = number, int = bigint, other integer types = GoInt, string, bool = boolean, []interface{} = array,
 * other slices = GoSlice, map[string]interface{} = plain object, other maps = GoMap, structs = GoStruct.
 * `null` is a nil interface, `undefined` Go's invalid value (what a pipeline makes of nil).
 */
export type GoValue = undefined | null | boolean | number | bigint | string | readonly GoValue[] | GoObject | GoRecord

/** A Go map[string]interface{}; only own enumerable properties count. */
export interface GoRecord {
  readonly [key: string]: GoValue
}

/** Method of a Go type: how it may be called, and what it does with the receiver (for a struct, with its source). */
export interface GoMethod<T> extends Signature {
  readonly call: (receiver: T, ...args: GoValue[]) => GoValue
}

export type MethodTable<T> = ReadonlyMap<string, GoMethod<T>>

const noMethods: MethodTable<never> = new Map()

/** A value of a named or typed Go type, as opposed to plain JSON data. */
export abstract class GoObject {
  /** As `%T` prints it. */
  abstract readonly typeName: string
  /** As `kindOf` prints it. */
  abstract readonly kind: string
  /** Methods that templates may call, by name. */
  get methods(): MethodTable<never> {
    return noMethods
  }
  /** Its value when its kind is an integer. */
  get integer(): bigint | undefined {
    return undefined
  }
  /** What Go's `String()` method gives; undefined when the type has none. */
  text(): string | undefined {
    return undefined
  }
  /** The text that it is encoded as in JSON; undefined when it is encoded by its kind. */
  json(): string | undefined {
    return undefined
  }
}

/** Integer of another type than int. */
export class GoInt extends GoObject {
  readonly #value: bigint
  readonly kind: 'int64' | 'int32' | 'uint8' | 'uint32' | 'uint64'

  constructor(kind: GoInt['kind'], value: bigint) {
    super()
    this.kind = kind
    this.#value = value
  }

  override get integer(): bigint {
    return this.#value
  }

  get typeName(): string {
    return this.kind
  }
}

/** Describes a Go map type. */
export interface MapType {
  readonly name: string
  /** What a missing key gives. */
  readonly zero: GoValue
  readonly methods?: MethodTable<GoMap>
}

/** A map whose type is not map[string]interface{}. */
export class GoMap extends GoObject {
  readonly kind = 'map'
  readonly type: MapType
  readonly entries: GoRecord
  /** Whether it is Go's nil map, which encodes as null. */
  readonly isNil: boolean

  constructor(type: MapType, entries: GoRecord | null) {
    super()
    this.type = type
    this.entries = entries ?? {}
    this.isNil = entries === null
  }

  get typeName(): string {
    return this.type.name
  }

  override get methods(): MethodTable<never> {
    return this.type.methods ?? noMethods
  }
}

/** A slice with another element type than interface{}. */
export class GoSlice extends Array<GoValue> {
  // Array methods on it give plain arrays: what they make is an []interface{} in Go as well.
  static override get [Symbol.species](): ArrayConstructor {
    return Array
  }

  elementType = 'string'
  isNil = false
}

/** A slice of a type such as []string or []int. */
export function typedSlice(elementType: string, elements: readonly GoValue[] | null): GoSlice {
  const slice = new GoSlice()
  slice.elementType = elementType
  if (elements === null) slice.isNil = true
  else for (const element of elements) slice.push(element)
  return slice
}

/** Go's nil map[string]interface{}: prints as an empty map, encodes as null. */
export const nilMap: GoRecord = Object.freeze(Object.create(null) as GoRecord)

/** Go's nil []interface{}. */
export const nilList: readonly GoValue[] = Object.freeze([])

/** A map key that is not there, in templates where that must not reach the output. Acts as nil elsewhere. */
export class Missing extends GoObject {
  readonly typeName = '<nil>'
  readonly kind = 'invalid'
  /** The field's path as the template writes it. */
  readonly path: string

  constructor(path: string) {
    super()
    this.path = path
  }
}

/** Whether a value is a map[string]interface{}. */
export function isRecord(value: GoValue): value is GoRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof GoObject)
}

/** Whether a value is a slice of any type. */
export function isList(value: GoValue): value is readonly GoValue[] {
  return Array.isArray(value)
}

/** Whether a value is nil: an untyped nil, or a missing key. */
export function isNothing(value: GoValue): value is null | undefined | Missing {
  return value === undefined || value === null || value instanceof Missing
}

/** Entries of a map of any type; undefined when the value is no map. */
export function mapEntries(value: GoValue): GoRecord | undefined {
  if (value instanceof GoMap) return value.entries
  return isRecord(value) ? value : undefined
}
