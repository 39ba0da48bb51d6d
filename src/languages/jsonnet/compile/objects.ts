import { Fault, JsonnetRuntimeError, locate } from '../errors.ts'
import type { Code, Scope } from '../runtime/code.ts'
import { type Field, JsonnetObject } from '../runtime/object.ts'
import { add } from '../runtime/operators.ts'
import { typeName } from '../runtime/types.ts'
import type { Run } from '../runtime/run.ts'
import type { FieldNode, Node, ObjectNode } from '../syntax/ast.ts'
import { compileAssert } from './conditions.ts'
import { Names } from './names.ts'
import type { Place } from './place.ts'

/** An object literal. Its fields' names belong to the scope it stands in, all else to its own. */
export function compileObject(node: ObjectNode, place: Place): Code {
  const names = new Names(
    place.names,
    node.locals.map(({ name }) => name),
    true,
  )
  const inner = place.within(names)
  const locals = node.locals.map(({ value }) => inner.body(value))
  const asserts = node.asserts.map((assert) =>
    inner.enclose((own) => compileAssert(assert, 'Object assertion failed.', own)),
  )
  const fields = node.fields.map((field) => ({ name: field.name, make: compileField(field, inner) }))
  const shared = new Map<string, Field>()
  for (const { name, make } of fields) {
    if (name.kind === 'literal' && typeof name.value === 'string') shared.set(name.value, make())
  }
  if (shared.size === fields.length) {
    return (scope, run) => {
      run.allocate(shared.size + 1)
      return new JsonnetObject([{ fields: shared, scope, locals, asserts }])
    }
  }
  const entries = fields.map(({ name, make }) => ({ name: compileFieldName(name, place), field: make }))
  const { source } = place.unit
  return (scope, run) => {
    run.allocate(entries.length + 1)
    const own = new Map<string, Field>()
    try {
      for (const { name, field } of entries) setField(own, name(scope, run), field)
    } catch (error) {
      throw locate(error, source, node.at)
    }
    return new JsonnetObject([{ fields: own, scope, locals, asserts }])
  }
}

/** A field's own part of what `Field` is: the name is decided when the object is made. */
export function compileField(node: FieldNode, inner: Place): (scope?: Scope) => Field {
  const body = inner.body(node.value)
  const { visibility } = node
  const plus = node.plus ? { plus: locatedAdd(node.at, inner) } : {}
  return (scope) => ({ visibility, ...plus, value: scope === undefined ? { body } : { body, scope } })
}

function locatedAdd(at: number, place: Place): typeof add {
  const { source } = place.unit
  return (below, value, run) => {
    try {
      return add(below, value, run)
    } catch (error) {
      throw locate(error, source, at)
    }
  }
}

/** A field's name: null leaves the field out. */
export function compileFieldName(node: Node, place: Place): (scope: Scope, run: Run) => string | null {
  const code = place.code(node)
  const { source } = place.unit
  return (scope, run) => {
    const name = code(scope, run)
    if (name === null || typeof name === 'string') return name
    throw new JsonnetRuntimeError(`Field name must be string, got ${typeName(name)}`, source, node.at)
  }
}

/** Adds a field, unless its name is null. */
export function setField(fields: Map<string, Field>, name: string | null, field: () => Field): void {
  if (name === null) return
  if (fields.has(name)) throw new Fault(`Duplicate field name: ${JSON.stringify(name)}`)
  fields.set(name, field())
}
