import { locate } from '../errors.ts'
import type { Code } from '../runtime/code.ts'
import { finite } from '../runtime/numbers.ts'
import { add, bitwise, bitwiseNot, compare, divide, equals } from '../runtime/operators.ts'
import type { Run } from '../runtime/run.ts'
import { asBoolean, asNumber, asObject, asString } from '../runtime/types.ts'
import type { Value } from '../runtime/values.ts'
import { remainder } from '../std/format.ts'
import type { BinaryOperator, Node, UnaryOperator } from '../syntax/ast.ts'
import type { Place } from './place.ts'

type Operation = (left: Value, right: Value, run: Run) => Value

const arithmetic = (compute: (left: number, right: number) => number): Operation => {
  return (left, right) => finite(compute(asNumber(left), asNumber(right)))
}

const OPERATIONS: Readonly<Record<Exclude<BinaryOperator, '&&' | '||'>, Operation>> = {
  '*': arithmetic((left, right) => left * right),
  '-': arithmetic((left, right) => left - right),
  '/': divide,
  '%': remainder,
  '+': add,
  '<<': (left, right) => bitwise('<<', left, right),
  '>>': (left, right) => bitwise('>>', left, right),
  '&': (left, right) => bitwise('&', left, right),
  '^': (left, right) => bitwise('^', left, right),
  '|': (left, right) => bitwise('|', left, right),
  '<': (left, right, run) => compare(left, right, run) < 0,
  '>': (left, right, run) => compare(left, right, run) > 0,
  '<=': (left, right, run) => compare(left, right, run) <= 0,
  '>=': (left, right, run) => compare(left, right, run) >= 0,
  '==': equals,
  '!=': (left, right, run) => !equals(left, right, run),
  in: (left, right, run) => asObject(right).has(asString(left), run),
}

/**
 * A binary operator. A chain of them leans to the left and can be as long as the source, so it becomes a loop,
 * not a recursion.
 */
export function compileBinary(node: Extract<Node, { kind: 'binary' }>, place: Place): Code {
  const spine = [node]
  let first = node.left
  for (; first.kind === 'binary'; first = first.left) spine.push(first)
  const start = place.code(first)
  const links = spine.reverse().map((one) => compileLink(one, place))
  const [only] = links
  if (links.length === 1 && only !== undefined) return (scope, run) => only(start(scope, run), scope, run)
  return (scope, run) => {
    let value = start(scope, run)
    for (const link of links) value = link(value, scope, run)
    return value
  }
}

type Link = (left: Value, ...args: Parameters<Code>) => Value

function compileLink(node: Extract<Node, { kind: 'binary' }>, place: Place): Link {
  const { operator, at } = node
  const right = place.code(node.right)
  const { source } = place.unit
  if (operator === '&&' || operator === '||') {
    const boolean = (value: Value): boolean => {
      try {
        return asBoolean(value)
      } catch (error) {
        throw locate(error, source, at)
      }
    }
    const decided = operator === '||'
    return (left, scope, run) => (boolean(left) === decided ? decided : boolean(right(scope, run)))
  }
  const operation = OPERATIONS[operator]
  return (left, scope, run) => {
    const other = right(scope, run)
    try {
      return operation(left, other, run)
    } catch (error) {
      throw locate(error, source, at)
    }
  }
}

const UNARY: Readonly<Record<UnaryOperator, (value: Value) => Value>> = {
  '!': (value) => !asBoolean(value),
  '-': (value) => -asNumber(value),
  '+': asNumber,
  '~': bitwiseNot,
}

export function compileUnary(operator: UnaryOperator, operandNode: Node, at: number, place: Place): Code {
  const operand = place.code(operandNode)
  const operation = UNARY[operator]
  const { source } = place.unit
  return (scope, run) => {
    const value = operand(scope, run)
    try {
      return operation(value)
    } catch (error) {
      throw locate(error, source, at)
    }
  }
}
