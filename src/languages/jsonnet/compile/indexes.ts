import { Fault, locate } from '../errors.ts'
import type { Code } from '../runtime/code.ts'
import type { JsonnetObject } from '../runtime/object.ts'
import type { Run } from '../runtime/run.ts'
import { slice } from '../runtime/slices.ts'
import { charAt, isAstral, textLength } from '../runtime/text.ts'
import { asInteger, asString, isObject, typeName } from '../runtime/types.ts'
import { force, isArray, type Slot, type Value } from '../runtime/values.ts'
import type { Node } from '../syntax/ast.ts'
import { ancestor, type Place } from './place.ts'

/** `target.name`, `target[index]`. */
export function compileIndex(targetNode: Node, indexNode: Node, at: number, place: Place): Code {
  const target = place.code(targetNode)
  const { source } = place.unit
  if (indexNode.kind === 'literal' && typeof indexNode.value === 'string') {
    const name = indexNode.value
    return (scope, run) => {
      const value = target(scope, run)
      try {
        return isObject(value) ? value.get(name, run) : element(value, name, run)
      } catch (error) {
        throw locate(error, source, at)
      }
    }
  }
  const index = place.code(indexNode)
  return (scope, run) => {
    const value = target(scope, run)
    const key = index(scope, run)
    try {
      return element(value, key, run)
    } catch (error) {
      throw locate(error, source, at)
    }
  }
}

function element(value: Value, index: Value, run: Run): Value {
  if (isObject(value)) return value.get(asString(index), run)
  if (isArray(value)) return force(value[position(index, value.length)] as Slot, run)
  if (typeof value !== 'string') throw new Fault(`Unexpected type ${typeName(value)}, expected something with elements`)
  run.spend(value.length >>> 6)
  const at = position(index, Number.POSITIVE_INFINITY)
  if (isAstral(value)) run.spend(value.length >>> 1)
  const char = charAt(value, at)
  if (char === undefined) throw new Fault(`Index ${at} out of bounds, not within [0, ${textLength(value)})`)
  return char
}

function position(index: Value, length: number): number {
  const at = asInteger(index)
  if (at < 0 || at >= length) throw new Fault(`Index ${at} out of bounds, not within [0, ${length})`)
  return at
}

/** `target[from:to:step]`. */
export function compileSlice(node: Extract<Node, { kind: 'slice' }>, place: Place): Code {
  const target = place.code(node.target)
  const [from, to, step] = [node.from, node.to, node.step].map((part) => {
    return part === undefined ? () => null : place.code(part)
  }) as [Code, Code, Code]
  const { source } = place.unit
  return (scope, run) => {
    const value = target(scope, run)
    try {
      return slice(value, from(scope, run), to(scope, run), step(scope, run), run)
    } catch (error) {
      throw locate(error, source, node.at)
    }
  }
}

/** `super.name`, `super[index]`. */
export function compileSuper(indexNode: Node, at: number, place: Place): Code {
  const hops = superHops(at, place)
  const index = place.code(indexNode)
  const { source } = place.unit
  return (scope, run) => {
    const { self, layer } = ancestor(scope, hops)
    try {
      const name = asString(index(scope, run))
      if (layer === 0) throw new Fault('Attempt to use super when there is no super class.')
      return (self as JsonnetObject).getBelow(name, layer, run)
    } catch (error) {
      throw locate(error, source, at)
    }
  }
}

/** `name in super`. */
export function compileInSuper(nameNode: Node, at: number, place: Place): Code {
  const hops = superHops(at, place)
  const name = place.code(nameNode)
  const { source } = place.unit
  return (scope, run) => {
    const { self, layer } = ancestor(scope, hops)
    try {
      return (self as JsonnetObject).has(asString(name(scope, run)), run, layer)
    } catch (error) {
      throw locate(error, source, at)
    }
  }
}

function superHops(at: number, place: Place): number {
  const hops = place.names.selfHops
  if (hops === undefined) place.fail("Can't use super outside of an object.", at)
  return hops
}
