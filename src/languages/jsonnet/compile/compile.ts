import { JsonnetRuntimeError, locate } from '../errors.ts'
import { type Code, Scope, type TailCode } from '../runtime/code.ts'
import { Closure, type Param } from '../runtime/function.ts'
import { toText } from '../runtime/json.ts'
import { Thunk } from '../runtime/thunk.ts'
import type { Value } from '../runtime/values.ts'
import type { FunctionNode, Node } from '../syntax/ast.ts'
import { compileCall } from './calls.ts'
import { compileAssert, compileCondition } from './conditions.ts'
import { compileArrayComprehension, compileObjectComprehension } from './comprehensions.ts'
import { compileIndex, compileInSuper, compileSlice, compileSuper } from './indexes.ts'
import { Names } from './names.ts'
import { compileObject } from './objects.ts'
import { compileBinary, compileUnary } from './operators.ts'
import { ancestor, type Place } from './place.ts'

/** Compiles an expression to a closure. */
export function compile(node: Node, place: Place): Code {
  switch (node.kind) {
    case 'literal': {
      const { value } = node
      return () => value
    }
    case 'variable':
      return node.name === '$' ? compileRoot(node.at, place) : compileVariable(node.name, node.at, place)
    case 'self': {
      const hops = place.names.selfHops
      if (hops === undefined) place.fail("Can't use self outside of an object.", node.at)
      return (scope) => ancestor(scope, hops).self as Value
    }
    case 'super':
      return compileSuper(node.index, node.at, place)
    case 'in_super':
      return compileInSuper(node.name, node.at, place)
    case 'array': {
      const slots = node.items.map((item) => place.slot(item))
      return (scope, run) => {
        run.allocate(slots.length)
        return slots.map((slot) => slot(scope, run))
      }
    }
    case 'array_comprehension':
      return compileArrayComprehension(node, place)
    case 'object':
      return compileObject(node, place)
    case 'object_comprehension':
      return compileObjectComprehension(node, place)
    case 'binary':
      return compileBinary(node, place)
    case 'unary':
      return compileUnary(node.operator, node.operand, node.at, place)
    case 'if':
    case 'local':
    case 'assert':
      // Without a tail call in its branches, what compileTail makes is a Code.
      return compileBlock(node, place, (inner, one) => inner.code(one)) as Code
    case 'function':
      return compileFunction(node, place)
    case 'call':
      return compileCall(node, place)
    case 'index':
      return compileIndex(node.target, node.index, node.at, place)
    case 'slice':
      return compileSlice(node, place)
    case 'error': {
      const message = place.code(node.message)
      const { source } = place.unit
      return (scope, run) => {
        const value = message(scope, run)
        let text: string
        try {
          text = toText(value, run)
        } catch (error) {
          throw locate(error, source, node.at)
        }
        throw new JsonnetRuntimeError(text, source, node.at)
      }
    }
    case 'import':
      return place.unit.importCode(node.as, node.path, node.at)
  }
}

type Block = Extract<Node, { kind: 'if' | 'local' | 'assert' }>

/** Compiles the forms whose value is that of an expression inside of them, which the caller says how to compile. */
export function compileBlock(node: Block, place: Place, inside: (place: Place, node: Node) => TailCode): TailCode {
  if (node.kind === 'if') {
    const condition = compileCondition(node.condition, place)
    const consequent = inside(place, node.consequent)
    const alternative = node.alternative === undefined ? () => null : inside(place, node.alternative)
    return (scope, run) => (condition(scope, run) ? consequent(scope, run) : alternative(scope, run))
  }
  if (node.kind === 'assert') {
    const check = compileAssert(node.assert, 'Assertion failed', place)
    const rest = inside(place, node.rest)
    return (scope, run) => {
      check(scope, run)
      return rest(scope, run)
    }
  }
  const names = new Names(
    place.names,
    node.binds.map(({ name }) => name),
  )
  const inner = place.within(names)
  const bodies = node.binds.map(({ value }) => inner.body(value))
  const body = inside(inner, node.body)
  return (scope, run) => {
    const local = new Scope(scope, [])
    for (const bind of bodies) local.slots.push(new Thunk(bind, local))
    return body(local, run)
  }
}

function compileVariable(name: string, at: number, place: Place): Code {
  const { hops, index } = place.resolve(name, at)
  return (scope, run) => {
    const slot = ancestor(scope, hops).slots[index]
    return slot instanceof Thunk ? slot.force(run) : (slot as Value)
  }
}

function compileRoot(at: number, place: Place): Code {
  const hops = place.names.rootHops
  if (hops === undefined) place.fail('No top-level object found.', at)
  return (scope) => ancestor(scope, hops).self as Value
}

function compileFunction(node: FunctionNode, place: Place): Code {
  const names = new Names(
    place.names,
    node.params.map(({ name }) => name),
  )
  const inner = place.within(names)
  const params = node.params.map(({ name, fallback }): Param => {
    return fallback === undefined ? { name } : { name, fallback: inner.body(fallback) }
  })
  const body = inner.enclose((own) => own.tail(node.body))
  return (scope) => new Closure(params, body, scope)
}
