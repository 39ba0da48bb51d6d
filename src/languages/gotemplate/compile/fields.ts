import { GoError } from '../errors.ts'
import type { NumberLiteral } from '../syntax/ast.ts'
import { typeName } from '../values/types.ts'
import { GoStruct } from '../values/struct.ts'
import { GoMap, type GoMethod, GoObject, type GoValue, Missing } from '../values/value.ts'
import { coerce, literalAs } from './coerce.ts'

/** Value of an argument for a method, and the literal when it is one, which may become another type of number. */
export interface Argument {
  readonly value: GoValue
  readonly literal: NumberLiteral | undefined
}

const hasOwn = Object.hasOwn

/**
 * Reads a field, a map key or a method without arguments.
 * @param missing the field as the template writes it, when a missing map key is to become a Missing
 * @throws GoError when the type has no such field, or the value before it is nil
 */
export function readField(receiver: GoValue, name: string, missing: string | undefined): GoValue {
  if (typeof receiver === 'object' && receiver !== null && !Array.isArray(receiver)) {
    if (!(receiver instanceof GoObject)) {
      const record = receiver as { readonly [key: string]: GoValue }
      if (hasOwn(record, name)) return record[name]
      return missing === undefined ? null : new Missing(missing)
    }
    const method = receiver.methods.get(name)
    if (method !== undefined) return callMethod(method, name, receiver, [])
    if (receiver instanceof GoStruct && receiver.type.fields.has(name)) return receiver.field(name)
    if (receiver instanceof GoMap) {
      if (hasOwn(receiver.entries, name)) return receiver.entries[name]
      return missing === undefined ? receiver.type.zero : new Missing(missing)
    }
  }
  throw new GoError(`can't evaluate field ${name} in type ${typeName(receiver)}`, missing)
}

/** Calls a method with arguments. @throws GoError when there is no such method or the arguments do not fit */
export function callField(receiver: GoValue, name: string, args: readonly Argument[]): GoValue {
  const method = receiver instanceof GoObject ? receiver.methods.get(name) : undefined
  if (method !== undefined) return callMethod(method, name, receiver, args)
  if (receiver instanceof GoStruct) {
    if (receiver.type.fields.has(name)) throw new GoError(`${name} has arguments but cannot be invoked as function`)
    throw new GoError(`can't evaluate field ${name} in type ${typeName(receiver)}`)
  }
  throw new GoError(`${name} is not a method but has arguments`)
}

function callMethod(method: GoMethod<never>, name: string, receiver: GoValue, args: readonly Argument[]): GoValue {
  const { params, rest } = method
  if (args.length < params.length || (rest === undefined && args.length > params.length)) {
    const least = rest === undefined ? '' : 'at least '
    throw new GoError(`wrong number of args for ${name}: want ${least}${params.length} got ${args.length}`)
  }
  const values = args.map(({ value, literal }, index) => {
    const type = params[index] ?? rest ?? 'any'
    if (literal !== undefined) return literalAs(literal, type) ?? coerce(value, type)
    return coerce(value, type)
  })
  const self = receiver instanceof GoStruct ? receiver.source : receiver
  return method.call(self as never, ...values)
}

/** The error for a field of a nil value. */
export function nilField(name: string, path: string): GoError {
  return new GoError(`nil pointer evaluating interface {}.${name}: the field before it is missing or null`, path)
}
