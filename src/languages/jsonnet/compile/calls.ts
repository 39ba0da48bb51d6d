import { locate } from '../errors.ts'
import { type Code, type Scope, TailCall, type TailCode } from '../runtime/code.ts'
import { bindArguments, invoke, isFunction, type JsonnetFunction } from '../runtime/function.ts'
import type { Run } from '../runtime/run.ts'
import { mismatch } from '../runtime/types.ts'
import type { Slot } from '../runtime/values.ts'
import type { Node } from '../syntax/ast.ts'
import type { Place } from './place.ts'

type CallNode = Extract<Node, { kind: 'call' }>

interface PreparedCall {
  readonly target: JsonnetFunction
  readonly slots: Slot[]
}

/** A call that is made here and now. */
export function compileCall(node: CallNode, place: Place): Code {
  const prepare = compilePrepare(node, place)
  const { source } = place.unit
  return (scope, run) => {
    try {
      const { target, slots } = prepare(scope, run)
      return invoke(target, slots, run, node.tailstrict)
    } catch (error) {
      throw locate(error, source, node.at)
    }
  }
}

/** A `tailstrict` call in the last place of a function: left to whoever called that. */
export function compileTailCall(node: CallNode, place: Place): TailCode {
  const prepare = compilePrepare(node, place)
  const { source } = place.unit
  return (scope, run) => {
    try {
      const { target, slots } = prepare(scope, run)
      return new TailCall(target, slots)
    } catch (error) {
      throw locate(error, source, node.at)
    }
  }
}

/** Compiles function and arguments; a function of the standard library has its parameters looked up here. */
function compilePrepare(node: CallNode, place: Place): (scope: Scope, run: Run) => PreparedCall {
  const positional = node.args.filter(({ name }) => name === undefined).map(({ value }) => place.slot(value))
  const named = node.args.flatMap(({ name, value }) => (name === undefined ? [] : [{ name, slot: place.slot(value) }]))
  const native = findNative(node.target, place)
  if (native !== undefined && named.length === 0 && positional.length === native.params.length) {
    return (scope, run) => {
      const slots = positional.map((slot) => slot(scope, run))
      return { target: native, slots }
    }
  }
  const target = native === undefined ? place.code(node.target) : () => native
  return (scope, run) => {
    const callee = target(scope, run)
    if (!isFunction(callee)) return mismatch(callee, 'function')
    const given = positional.map((slot) => slot(scope, run))
    const givenNamed = named.map(({ name, slot }) => [name, slot(scope, run)] as const)
    return { target: callee, slots: bindArguments(callee, given, givenNamed) }
  }
}

function findNative(node: Node, place: Place): JsonnetFunction | undefined {
  if (node.kind !== 'index' || !place.isStd(node.target) || node.index.kind !== 'literal') return undefined
  const { value } = node.index
  const member = typeof value === 'string' ? (place.unit.std.get(value) ?? null) : null
  return isFunction(member) ? member : undefined
}
