import { Lexer, type Token } from './lexer.ts'
import { unquote } from './literals.ts'
import { Scope } from './scope.ts'

export interface ParseSettings {
  /** Says why a function may not be used; undefined when it may. */
  readonly refuse: (name: string) => string | undefined
  /** How deep parentheses and control structures may nest. */
  readonly nesting: number
}

/** Reads tokens with look-ahead, and keeps count of the nesting. */
export class TokenReader {
  readonly #lexer: Lexer
  protected readonly settings: ParseSettings
  #ahead: Token[] = []
  /** How deep the parser itself is nested, over all templates. */
  #depth = 0
  protected lastEnd = 0
  protected scope = new Scope()

  constructor(source: string, settings: ParseSettings) {
    this.#lexer = new Lexer(source)
    this.settings = settings
  }

  protected fail(reason: string, at: number = this.lastEnd): never {
    return this.#lexer.fail(reason, at)
  }

  protected peek(): Token {
    const token = this.#ahead[0] ?? this.#lexer.next()
    if (this.#ahead.length === 0) this.#ahead.push(token)
    return token
  }

  protected next(): Token {
    const token = this.#ahead.shift() ?? this.#lexer.next()
    this.lastEnd = token.end
    return token
  }

  /** Puts tokens back, to be read again. */
  protected unread(tokens: readonly Token[]): void {
    this.#ahead = [...tokens, ...this.#ahead]
  }

  protected peekNonSpace(): Token {
    if (this.peek().kind === 'space') this.next()
    return this.peek()
  }

  protected nextNonSpace(): Token {
    this.peekNonSpace()
    return this.next()
  }

  /** Takes the token when it is a keyword. */
  protected keywordHere(keywords: ReadonlySet<string>): Token | undefined {
    const token = this.peekNonSpace()
    return token.kind === 'word' && keywords.has(token.text) ? this.next() : undefined
  }

  /** The first word of the action that opens here or has just opened; undefined when it starts with something else. */
  protected keywordAhead(): string | undefined {
    const skipped: Token[] = []
    while (this.peek().kind === 'open' || this.peek().kind === 'space') skipped.push(this.next())
    const token = this.peek()
    this.unread(skipped)
    return token.kind === 'word' ? token.text : undefined
  }

  protected expectClose(context: string): void {
    const token = this.nextNonSpace()
    if (token.kind !== 'close') this.unexpected(token, context)
  }

  protected atClose(): boolean {
    if (this.peekNonSpace().kind !== 'close') return false
    this.next()
    return true
  }

  protected templateName(context: string): string {
    const token = this.nextNonSpace()
    if (token.kind !== 'string') this.unexpected(token, context)
    return this.unquote(token)
  }

  /** Runs a nested part, within the limit. */
  protected enter<T>(at: number, part: () => T): T {
    const { scope } = this
    this.#depth++
    scope.depth++
    this.noteDepth(Math.max(scope.depth, this.#depth), at)
    const result = part()
    this.#depth--
    scope.depth--
    return result
  }

  protected noteDepth(depth: number, at: number): void {
    if (depth > this.settings.nesting) this.fail(`nested deeper than the limit of ${this.settings.nesting}`, at)
    this.scope.deepest = Math.max(this.scope.deepest, depth)
  }

  protected unquote(token: Token): string {
    return unquote(token.text) ?? this.fail(`invalid syntax in string ${token.text}`, token.start)
  }

  protected unexpected(token: Token, context: string): never {
    if (token.kind === 'close' && context === 'operand') return this.fail('unclosed left paren', token.start)
    const shown = token.text === '' ? token.kind : JSON.stringify(token.text)
    return this.fail(`unexpected ${shown} in ${context}`, token.start)
  }
}
