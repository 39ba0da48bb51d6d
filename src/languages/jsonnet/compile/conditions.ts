import { JsonnetRuntimeError, locate } from '../errors.ts'
import type { Code } from '../runtime/code.ts'
import { toText } from '../runtime/json.ts'
import { asBoolean } from '../runtime/types.ts'
import type { AssertNode, Node } from '../syntax/ast.ts'
import type { Place } from './place.ts'

/** An assertion; its code throws when it does not hold. */
export function compileAssert(node: AssertNode, message: string, place: Place): Code {
  const condition = compileCondition(node.condition, place)
  const text = node.message === undefined ? () => message : place.code(node.message)
  const { source } = place.unit
  return (scope, run) => {
    if (condition(scope, run)) return null
    throw new JsonnetRuntimeError(toText(text(scope, run), run), source, node.at)
  }
}

/** An expression that must be true or false. */
export function compileCondition(node: Node, place: Place): (...args: Parameters<Code>) => boolean {
  const code = place.code(node)
  const { source } = place.unit
  return (scope, run) => {
    const value = code(scope, run)
    if (typeof value === 'boolean') return value
    try {
      return asBoolean(value)
    } catch (error) {
      throw locate(error, source, node.at)
    }
  }
}
