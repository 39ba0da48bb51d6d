import { type GoMethod, GoObject, type GoValue, type MethodTable } from './value.ts'

/** Describes a Go struct type over a JavaScript source. */
export interface StructType<T> {
  /** As error messages and `%T` name it; with a leading `*` for a pointer. */
  readonly name: string
  /** Read when a template asks for the field, so that an unused field costs nothing. */
  readonly fields: Readonly<Record<string, (source: T) => GoValue>>
  readonly methods?: Readonly<Record<string, GoMethod<T>>>
  /** JSON names of fields that differ from the Go names. */
  readonly json?: Readonly<Record<string, string>>
  /** Go's `String()`. */
  readonly text?: (source: T) => string
}

/** A struct's type, prepared once. */
interface PreparedStruct {
  readonly name: string
  readonly fields: ReadonlyMap<string, (source: never) => GoValue>
  readonly methods: MethodTable<never>
  readonly json: Readonly<Record<string, string>>
  readonly text: ((source: never) => string) | undefined
}

/** A Go struct (or pointer to one). */
export class GoStruct extends GoObject {
  readonly type: PreparedStruct
  readonly source: unknown

  constructor(type: PreparedStruct, source: unknown) {
    super()
    this.type = type
    this.source = source
  }

  get typeName(): string {
    return this.type.name
  }

  get kind(): string {
    return this.type.name.startsWith('*') ? 'ptr' : 'struct'
  }

  override get methods(): MethodTable<never> {
    return this.type.methods
  }

  override text(): string | undefined {
    return this.type.text?.(this.source as never)
  }

  /** The field's value; undefined stays for "no such field", so ask `type.fields` first. */
  field(name: string): GoValue {
    return this.type.fields.get(name)?.(this.source as never)
  }
}

/**
 * Defines a Go struct type.
 * @returns a function that wraps a source as a struct of that type; cheap, for use per render
 */
export function structType<T>(definition: StructType<T>): (source: T) => GoStruct {
  const methods = new Map(Object.entries(definition.methods ?? {})) as unknown as Map<string, GoMethod<never>>
  const prepared: PreparedStruct = {
    name: definition.name,
    fields: new Map(Object.entries(definition.fields)),
    methods,
    json: definition.json ?? {},
    text: definition.text,
  }
  return (source) => new GoStruct(prepared, source)
}
