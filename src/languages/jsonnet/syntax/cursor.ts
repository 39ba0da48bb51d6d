import { JsonnetLimitError, JsonnetSyntaxError } from '../errors.ts'
import type { Node } from './ast.ts'
import { type Token, tokenize } from './lexer.ts'
import type { Source } from './source.ts'

const KINDS: Readonly<Record<Token['kind'], string>> = {
  identifier: 'IDENTIFIER',
  keyword: 'KEYWORD',
  number: 'NUMBER',
  string: 'STRING',
  operator: 'OPERATOR',
  symbol: 'SYMBOL',
  end: 'END',
}

/** Where the parser is in the tokens, and how deep in the program. */
export class Cursor {
  readonly source: Source
  readonly #tokens: readonly Token[]
  readonly #nesting: number
  #at = 0
  #level = 0
  /** The deepest level of the expression that is being parsed. */
  #deepest = 0

  readonly #parse: (cursor: Cursor, precedence: number) => Node

  constructor(source: Source, nesting: number, parse: (cursor: Cursor, precedence: number) => Node) {
    this.source = source
    this.#tokens = tokenize(source)
    this.#nesting = nesting
    this.#parse = parse
  }

  /** Parses an expression whose operators bind tighter than that; the grammar's files call each other through this. */
  expression(precedence = 0): Node {
    return this.#parse(this, precedence)
  }

  /** Begins an expression one level deeper. Returns what `close` needs. */
  open(): number {
    const outer = this.#deepest
    this.#level++
    this.#deepest = this.#level
    this.#check()
    return outer
  }

  /** Puts what the current expression consists of so far below one level more. */
  sink(): void {
    this.#deepest++
    this.#check()
  }

  /** Ends the expression that `open` began. */
  close(outer: number): void {
    this.#level--
    this.#deepest = Math.max(this.#deepest, outer)
  }

  peek(ahead = 0): Token {
    const token = this.#tokens[this.#at + ahead] ?? this.#tokens.at(-1)
    if (token === undefined) throw new Error('there is always an end token')
    return token
  }

  next(): Token {
    const token = this.peek()
    this.#at++
    return token
  }

  isSymbol(text: string): boolean {
    const token = this.peek()
    return token.kind === 'symbol' && token.text === text
  }

  takeSymbol(text: string): boolean {
    return this.#take('symbol', text)
  }

  takeOperator(text: string): boolean {
    return this.#take('operator', text)
  }

  takeKeyword(text: string): boolean {
    return this.#take('keyword', text)
  }

  expectSymbol(text: string): void {
    if (!this.takeSymbol(text)) this.#expected(JSON.stringify(text))
  }

  expectOperator(text: string): void {
    if (!this.takeOperator(text)) this.#expected(`operator ${text}`)
  }

  expectKeyword(text: string): void {
    if (!this.takeKeyword(text)) this.#expected(text)
  }

  expectIdentifier(): Token {
    if (this.peek().kind !== 'identifier') this.#expected('IDENTIFIER')
    return this.next()
  }

  expectComma(element: string): void {
    const token = this.peek()
    if (!this.takeSymbol(',')) this.fail(`Expected a comma before next ${element}, got ${this.describe(token)}`, token)
  }

  /** A token as errors name it. */
  describe(token: Token): string {
    if (token.kind === 'end') return 'end of file'
    if (token.kind === 'symbol' || token.kind === 'keyword') return JSON.stringify(token.text)
    return `(${KINDS[token.kind]}, ${JSON.stringify(token.text)})`
  }

  /** @throws JsonnetSyntaxError always */
  fail(reason: string, token: Token): never {
    throw new JsonnetSyntaxError(reason, this.source, token.at)
  }

  #check(): void {
    if (this.#deepest <= this.#nesting) return
    const { line, column } = this.source.position(this.peek().at)
    const where = `${this.source.file}:${line}:${column}`
    throw new JsonnetLimitError(`${where} expressions nest deeper than the limit of ${this.#nesting}`)
  }

  #take(kind: Token['kind'], text: string): boolean {
    const token = this.peek()
    if (token.kind !== kind || token.text !== text) return false
    this.#at++
    return true
  }

  #expected(what: string): never {
    return this.fail(`Expected token ${what} but got ${this.describe(this.peek())}`, this.peek())
  }
}
