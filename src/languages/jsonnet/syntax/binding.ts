import { JsonnetSyntaxError } from '../errors.ts'
import type { AssertNode, Bind, Parameter } from './ast.ts'
import type { Cursor } from './cursor.ts'

/** `assert condition : message`, as an expression and as a member of an object. */
export function parseAssert(cursor: Cursor): AssertNode {
  const { at } = cursor.next()
  const condition = cursor.expression()
  const message = cursor.takeOperator(':') ? cursor.expression() : undefined
  return { at, condition, message }
}

/** `name = value`, or `name(params) = value`. */
export function parseBind(cursor: Cursor): Bind {
  const { text: name, at } = cursor.expectIdentifier()
  const params = cursor.isSymbol('(') ? parseParameters(cursor) : undefined
  cursor.expectOperator('=')
  const body = cursor.expression()
  return { name, at, value: params === undefined ? body : { kind: 'function', at, params, body } }
}

/** Parameters of a function, in their parentheses. */
export function parseParameters(cursor: Cursor): readonly Parameter[] {
  cursor.expectSymbol('(')
  const params: Parameter[] = []
  while (!cursor.takeSymbol(')')) {
    if (params.length > 0) cursor.expectComma('function parameter')
    if (cursor.takeSymbol(')')) break
    const { text: name, at } = cursor.expectIdentifier()
    if (params.some((param) => param.name === name)) {
      throw new JsonnetSyntaxError(`Duplicate function parameter: ${name}`, cursor.source, at)
    }
    params.push({ name, at, fallback: cursor.takeOperator('=') ? cursor.expression() : undefined })
  }
  return params
}
