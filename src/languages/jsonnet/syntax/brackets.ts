import { JsonnetSyntaxError } from '../errors.ts'
import type { AssertNode, Bind, Clause, FieldNode, Node, Visibility } from './ast.ts'
import { parseAssert, parseBind, parseParameters } from './binding.ts'
import type { Cursor } from './cursor.ts'

/** An array, or an array comprehension. */
export function parseArray(cursor: Cursor): Node {
  const { at } = cursor.next()
  const items: Node[] = []
  while (!cursor.takeSymbol(']')) {
    items.push(cursor.expression())
    const comma = cursor.takeSymbol(',')
    const [item] = items
    if (items.length === 1 && item !== undefined && isKeyword(cursor, 'for')) {
      const clauses = parseClauses(cursor)
      cursor.expectSymbol(']')
      return { kind: 'array_comprehension', at, item, clauses }
    }
    if (!comma && !cursor.isSymbol(']')) cursor.fail('Expected a comma before next array element', cursor.peek())
  }
  return { kind: 'array', at, items }
}

/** An object, or an object comprehension. */
export function parseObject(cursor: Cursor): Node {
  const { at } = cursor.peek()
  cursor.expectSymbol('{')
  const members: Members = { fields: [], locals: [], asserts: [] }
  while (!cursor.takeSymbol('}')) {
    parseMember(cursor, members)
    const comma = cursor.takeSymbol(',')
    if (isKeyword(cursor, 'for')) return parseObjectComprehension(cursor, members, at)
    if (!comma && !cursor.isSymbol('}')) cursor.fail('Expected a comma before next field', cursor.peek())
  }
  return { kind: 'object', at, ...members }
}

interface Members {
  readonly fields: (FieldNode & { readonly computed: boolean })[]
  readonly locals: Bind[]
  readonly asserts: AssertNode[]
}

function parseMember(cursor: Cursor, members: Members): void {
  if (isKeyword(cursor, 'assert')) {
    members.asserts.push(parseAssert(cursor))
    return
  }
  if (cursor.takeKeyword('local')) {
    const bind = parseBind(cursor)
    if (members.locals.some(({ name }) => name === bind.name)) {
      throw new JsonnetSyntaxError(`Duplicate local var: ${bind.name}`, cursor.source, bind.at)
    }
    members.locals.push(bind)
    return
  }
  const field = parseField(cursor)
  const { name } = field
  if (name.kind === 'literal' && members.fields.some((one) => sameLiteral(one.name, name))) {
    throw new JsonnetSyntaxError(`Duplicate field: ${String(name.value)}`, cursor.source, field.at)
  }
  members.fields.push(field)
}

const sameLiteral = (one: Node, other: Node): boolean =>
  one.kind === 'literal' && other.kind === 'literal' && one.value !== null && one.value === other.value

function parseField(cursor: Cursor): Members['fields'][number] {
  const { at } = cursor.peek()
  const computed = cursor.takeSymbol('[')
  const name = computed ? cursor.expression() : parseFieldName(cursor)
  if (computed) cursor.expectSymbol(']')
  const params = cursor.isSymbol('(') ? parseParameters(cursor) : undefined
  const { plus, visibility } = parseSeparator(cursor)
  if (params !== undefined && plus) {
    throw new JsonnetSyntaxError('Cannot use +: syntax sugar in a method', cursor.source, at)
  }
  const body = cursor.expression()
  const value: Node = params === undefined ? body : { kind: 'function', at, params, body }
  return { at, name, visibility, plus, value, computed }
}

function parseFieldName(cursor: Cursor): Node {
  const token = cursor.peek()
  if (token.kind !== 'identifier' && token.kind !== 'string') {
    cursor.fail(`Unexpected: ${cursor.describe(token)} while parsing field definition`, token)
  }
  cursor.next()
  return { kind: 'literal', at: token.at, value: token.text }
}

const SEPARATORS: readonly (readonly [string, Visibility])[] = [
  [':', 'inherit'],
  ['::', 'hidden'],
  [':::', 'visible'],
]

function parseSeparator(cursor: Cursor): { readonly plus: boolean; readonly visibility: Visibility } {
  for (const [text, visibility] of SEPARATORS) {
    if (cursor.takeOperator(text)) return { plus: false, visibility }
    if (cursor.takeOperator(`+${text}`)) return { plus: true, visibility }
  }
  const token = cursor.peek()
  return cursor.fail(`Expected one of :, ::, :::, +:, +::, +:::, got: ${cursor.describe(token)}`, token)
}

function parseObjectComprehension(cursor: Cursor, members: Members, at: number): Node {
  const token = cursor.peek()
  const [field, second] = members.fields
  if (members.asserts.length > 0) cursor.fail('Object comprehension cannot have asserts', token)
  if (field === undefined || second !== undefined) cursor.fail('Object comprehension can only have one field', token)
  if (field.visibility !== 'inherit') cursor.fail('Object comprehensions cannot have hidden fields', token)
  if (!field.computed) cursor.fail('Object comprehensions can only have [e] fields', token)
  const clauses = parseClauses(cursor)
  cursor.expectSymbol('}')
  return { kind: 'object_comprehension', at, field, locals: members.locals, clauses }
}

function parseClauses(cursor: Cursor): Clause[] {
  const clauses: Clause[] = []
  for (;;) {
    const { at } = cursor.peek()
    cursor.sink()
    if (cursor.takeKeyword('for')) {
      const name = cursor.expectIdentifier().text
      cursor.expectKeyword('in')
      clauses.push({ kind: 'for', at, name, list: cursor.expression() })
    } else if (cursor.takeKeyword('if')) clauses.push({ kind: 'if', at, condition: cursor.expression() })
    else return clauses
  }
}

const isKeyword = (cursor: Cursor, text: string): boolean =>
  cursor.peek().kind === 'keyword' && cursor.peek().text === text
