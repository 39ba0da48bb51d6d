import { JsonnetSyntaxError } from '../errors.ts'
import type { Argument, Bind, Node, UnaryOperator } from './ast.ts'
import { parseAssert, parseBind, parseParameters } from './binding.ts'
import { Cursor } from './cursor.ts'
import { numberValue } from './numbers.ts'
import { parseArray, parseObject } from './brackets.ts'
import { binaryOperator, PRECEDENCE, UNARY_PRECEDENCE } from './precedence.ts'
import type { Source } from './source.ts'

/**
 * Parses a whole program.
 * @param nesting how deep expressions may nest
 * @throws JsonnetSyntaxError
 */
export function parse(source: Source, nesting: number): Node {
  const cursor = new Cursor(source, nesting, parseExpression)
  const node = cursor.expression()
  const rest = cursor.peek()
  if (rest.kind !== 'end') cursor.fail(`Did not expect: ${cursor.describe(rest)}`, rest)
  return node
}

/** An expression whose operators bind at least that tightly. */
function parseExpression(cursor: Cursor, precedence: number): Node {
  const outer = cursor.open()
  let left = parsePrefix(cursor)
  for (;;) {
    const token = cursor.peek()
    const operator = binaryOperator(token.kind, token.text)
    if (operator === undefined || PRECEDENCE[operator] <= precedence) break
    cursor.next()
    if (operator === 'in' && cursor.takeKeyword('super')) {
      if (cursor.isSymbol('.') || cursor.isSymbol('[')) {
        const list = parsePostfix(cursor, parseSuper(cursor, token.at))
        left = { kind: 'binary', at: token.at, operator, left, right: list }
      } else left = { kind: 'in_super', at: token.at, name: left }
      continue
    }
    const right = cursor.expression(PRECEDENCE[operator])
    left = { kind: 'binary', at: token.at, operator, left, right }
  }
  cursor.close(outer)
  return left
}

function parsePrefix(cursor: Cursor): Node {
  const token = cursor.peek()
  if (token.kind === 'operator' && '!~-+'.includes(token.text)) {
    cursor.next()
    const operand = cursor.expression(UNARY_PRECEDENCE)
    return { kind: 'unary', at: token.at, operator: token.text as UnaryOperator, operand }
  }
  if (token.kind === 'keyword') {
    const open = parseOpenEnded(cursor)
    if (open !== undefined) return open
  }
  return parsePostfix(cursor, parsePrimary(cursor))
}

/** The forms that reach as far to the right as they can; undefined when none begins here. */
function parseOpenEnded(cursor: Cursor): Node | undefined {
  const { text, at } = cursor.peek()
  switch (text) {
    case 'local':
      return parseLocal(cursor)
    case 'if': {
      cursor.next()
      const condition = cursor.expression()
      cursor.expectKeyword('then')
      const consequent = cursor.expression()
      const alternative = cursor.takeKeyword('else') ? cursor.expression() : undefined
      return { kind: 'if', at, condition, consequent, alternative }
    }
    case 'function': {
      cursor.next()
      const params = parseParameters(cursor)
      return { kind: 'function', at, params, body: cursor.expression() }
    }
    case 'error':
      cursor.next()
      return { kind: 'error', at, message: cursor.expression() }
    case 'assert': {
      const assert = parseAssert(cursor)
      cursor.expectSymbol(';')
      return { kind: 'assert', at, assert, rest: cursor.expression() }
    }
    case 'import':
    case 'importstr':
    case 'importbin': {
      cursor.next()
      const block = cursor.peek().block === true
      const path = cursor.expression()
      if (path.kind !== 'literal' || typeof path.value !== 'string') {
        throw new JsonnetSyntaxError('Computed imports are not allowed', cursor.source, path.at)
      }
      if (block) throw new JsonnetSyntaxError('Block string literals not allowed in imports', cursor.source, path.at)
      return { kind: 'import', at, as: text, path: path.value }
    }
    default:
      return undefined
  }
}

function parseLocal(cursor: Cursor): Node {
  const { at } = cursor.next()
  const binds: Bind[] = []
  do {
    const bind = parseBind(cursor)
    if (binds.some(({ name }) => name === bind.name)) {
      throw new JsonnetSyntaxError(`Duplicate local var: ${bind.name}`, cursor.source, bind.at)
    }
    binds.push(bind)
  } while (cursor.takeSymbol(','))
  if (!cursor.takeSymbol(';')) cursor.fail(`Expected , or ; but got ${cursor.describe(cursor.peek())}`, cursor.peek())
  return { kind: 'local', at, binds, body: cursor.expression() }
}

function parseArguments(cursor: Cursor): readonly Argument[] {
  const args: Argument[] = []
  while (!cursor.takeSymbol(')')) {
    if (args.length > 0) cursor.expectComma('function argument')
    if (cursor.takeSymbol(')')) break
    const first = cursor.peek()
    const named = first.kind === 'identifier' && cursor.peek(1).kind === 'operator' && cursor.peek(1).text === '='
    if (named) {
      cursor.next()
      cursor.next()
    } else if (args.some(({ name }) => name !== undefined)) {
      cursor.fail('Positional argument after a named argument is not allowed', first)
    }
    args.push({ name: named ? first.text : undefined, value: cursor.expression() })
  }
  return args
}

/** Fields, indexes, slices, calls and `{…}` after an operand. */
function parsePostfix(cursor: Cursor, operand: Node): Node {
  let node = operand
  for (;;) {
    const token = cursor.peek()
    if (cursor.takeSymbol('.')) {
      const field = cursor.expectIdentifier()
      const index: Node = { kind: 'literal', at: field.at, value: field.text }
      node = { kind: 'index', at: field.at, target: node, index }
    } else if (cursor.takeSymbol('[')) node = parseIndex(cursor, node, token.at)
    else if (cursor.takeSymbol('(')) {
      const args = parseArguments(cursor)
      node = { kind: 'call', at: node.at, target: node, args, tailstrict: cursor.takeKeyword('tailstrict') }
    } else if (cursor.isSymbol('{')) {
      node = { kind: 'binary', at: token.at, operator: '+', left: node, right: parseObject(cursor) }
    } else return node
    cursor.sink()
  }
}

function parseIndex(cursor: Cursor, target: Node, at: number): Node {
  const parts: (Node | undefined)[] = [undefined]
  let colons = 0
  while (!cursor.takeSymbol(']')) {
    if (cursor.takeOperator(':')) colons++
    else if (cursor.takeOperator('::')) colons += 2
    else if (parts[colons] === undefined) {
      parts[colons] = cursor.expression()
      continue
    } else cursor.fail(`Expected token "]" but got ${cursor.describe(cursor.peek())}`, cursor.peek())
    if (colons > 2) cursor.fail('Invalid slice: too many colons', cursor.peek())
  }
  const [from, to, step] = parts
  if (colons > 0) return { kind: 'slice', at, target, from, to, step }
  if (from === undefined) throw new JsonnetSyntaxError('ast.Index requires an expression', cursor.source, at)
  return { kind: 'index', at, target, index: from }
}

function parseSuper(cursor: Cursor, at: number): Node {
  if (cursor.takeSymbol('.')) {
    const field = cursor.expectIdentifier()
    return { kind: 'super', at: field.at, index: { kind: 'literal', at: field.at, value: field.text } }
  }
  if (!cursor.takeSymbol('[')) cursor.fail('Expected . or [ after super', cursor.peek())
  const index = cursor.expression()
  cursor.expectSymbol(']')
  return { kind: 'super', at, index }
}

function parsePrimary(cursor: Cursor): Node {
  const token = cursor.peek()
  const { at, text } = token
  if (token.kind === 'symbol') {
    if (text === '{') return parseObject(cursor)
    if (text === '[') return parseArray(cursor)
    if (text === '(') {
      cursor.next()
      const node = cursor.expression()
      cursor.expectSymbol(')')
      return node
    }
  }
  if (token.kind === 'end') cursor.fail('Unexpected end of file', token)
  cursor.next()
  if (token.kind === 'number') {
    const value = numberValue(text)
    return Number.isFinite(value) ? { kind: 'literal', at, value } : cursor.fail('Overflow', token)
  }
  if (token.kind === 'string') return { kind: 'literal', at, value: text }
  if (token.kind === 'identifier') return { kind: 'variable', at, name: text }
  if (token.kind === 'operator' && text === '$') return { kind: 'variable', at, name: '$' }
  if (token.kind === 'keyword') {
    if (text === 'null') return { kind: 'literal', at, value: null }
    if (text === 'true' || text === 'false') return { kind: 'literal', at, value: text === 'true' }
    if (text === 'self') return { kind: 'self', at }
    if (text === 'super') return parseSuper(cursor, at)
  }
  return cursor.fail(`Unexpected: ${cursor.describe(token)} while parsing terminal`, token)
}
