import { positionAt, TemplateSyntaxError } from '../errors.ts'

export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'space'
  | 'word'
  | 'field'
  | 'dot'
  | 'variable'
  | 'number'
  | 'char'
  | 'string'
  | '('
  | ')'
  | '|'
  | ','
  | '='
  | ':='
  | 'end of input'

export interface Token {
  readonly kind: TokenKind
  readonly text: string
  readonly start: number
  readonly end: number
}

const isSpace = (char: string | undefined): boolean => char === ' ' || char === '\t' || char === '\r' || char === '\n'

const isWordChar = (char: string): boolean => /^[\p{L}\p{Nd}_]$/u.test(char)

/** Cuts a template source into tokens, in Go's way: spaces count, trim markers take white space off the text. */
export class Lexer {
  readonly source: string
  #at = 0
  #inAction = false
  #trimNext = false

  constructor(source: string) {
    this.source = source
  }

  fail(reason: string, at: number = this.#at): never {
    throw new TemplateSyntaxError(reason, positionAt(this.source, at))
  }

  /** The next token; at the end, `end of input` again and again. */
  next(): Token {
    return this.#inAction ? this.#action() : this.#text()
  }

  #token(kind: TokenKind, start: number): Token {
    return { kind, text: this.source.slice(start, this.#at), start, end: this.#at }
  }

  #skipSpace(): void {
    while (isSpace(this.source[this.#at])) this.#at++
  }

  #text(): Token {
    for (;;) {
      if (this.#trimNext) this.#skipSpace()
      this.#trimNext = false
      const start = this.#at
      const open = this.source.indexOf('{{', start)
      if (open === -1) {
        this.#at = this.source.length
        return start === this.#at ? this.#token('end of input', start) : this.#token('text', start)
      }
      const trims = this.source[open + 2] === '-' && isSpace(this.source[open + 3])
      let textEnd = open
      if (trims) while (textEnd > start && isSpace(this.source[textEnd - 1])) textEnd--
      if (textEnd > start) {
        this.#at = open
        return { kind: 'text', text: this.source.slice(start, textEnd), start, end: textEnd }
      }
      this.#at = open + 2
      if (this.source.startsWith('/*', trims ? open + 4 : open + 2)) {
        this.#at = trims ? open + 4 : open + 2
        this.#comment()
        continue
      }
      const token = this.#token('open', open)
      if (trims) this.#at += 2
      this.#inAction = true
      return token
    }
  }

  #comment(): void {
    const start = this.#at
    const close = this.source.indexOf('*/', start + 2)
    if (close === -1) this.fail('unclosed comment', start)
    this.#at = close + 2
    if (isSpace(this.source[this.#at]) && this.source.startsWith('-}}', this.#at + 1)) {
      this.#at += 4
      this.#trimNext = true
    } else if (this.source.startsWith('}}', this.#at)) this.#at += 2
    else this.fail('comment ends before closing delimiter')
  }

  #action(): Token {
    const { source } = this
    const start = this.#at
    const char = source[start]
    if (char === undefined) this.fail('unclosed action: an action ends with }}', start)
    if (source.startsWith('}}', start)) {
      this.#at += 2
      this.#inAction = false
      return this.#token('close', start)
    }
    if (isSpace(char)) {
      this.#skipSpace()
      if (source.startsWith('-}}', this.#at)) {
        this.#at += 3
        this.#inAction = false
        this.#trimNext = true
        return this.#token('close', start)
      }
      return this.#token('space', start)
    }
    switch (char) {
      case '(':
      case ')':
      case '|':
      case ',':
      case '=':
        this.#at++
        return this.#token(char, start)
      case ':':
        if (source[start + 1] !== '=') this.fail('expected :=')
        this.#at += 2
        return this.#token(':=', start)
      case '"':
        return this.#quoted('"', 'string', 'unterminated quoted string')
      case "'":
        return this.#quoted("'", 'char', 'unterminated character constant')
      case '`':
        return this.#raw()
      case '$':
        this.#at++
        return this.#word('variable')
      default:
        if (char === '.' && !isDigit(source[start + 1])) {
          this.#at++
          const token = this.#word('field')
          return token.text === '.' ? { ...token, kind: 'dot' } : token
        }
        if (char === '.' || char === '+' || char === '-' || isDigit(char)) return this.#number()
        return this.#word('word')
    }
  }

  #quoted(quote: string, kind: TokenKind, problem: string): Token {
    const start = this.#at
    for (let at = start + 1; ; at++) {
      const char = this.source[at]
      if (char === undefined || char === '\n') this.fail(problem, start)
      if (char === '\\') {
        at++
        if (this.source[at] === undefined || this.source[at] === '\n') this.fail(problem, start)
      } else if (char === quote) {
        this.#at = at + 1
        return this.#token(kind, start)
      }
    }
  }

  #raw(): Token {
    const start = this.#at
    const close = this.source.indexOf('`', start + 1)
    if (close === -1) this.fail('unterminated raw quoted string', start)
    this.#at = close + 1
    return this.#token('string', start)
  }

  #word(kind: TokenKind): Token {
    const start = this.#at - (kind === 'word' ? 0 : 1)
    for (;;) {
      const code = this.source.codePointAt(this.#at)
      if (code === undefined) break
      const char = String.fromCodePoint(code)
      if (!isWordChar(char)) {
        if (this.#at === start) this.fail(`unrecognized character in action: ${quoteChar(char)}`)
        const ends = isSpace(char) || '.,|:)('.includes(char) || this.source.startsWith('}}', this.#at)
        if (!ends) this.fail(`bad character ${quoteChar(char)}${char === '-' ? ': to read such a key, use index' : ''}`)
        break
      }
      this.#at += char.length
    }
    return this.#token(kind, start)
  }

  #number(): Token {
    const start = this.#at
    const match =
      /[+-]?(?:0[xX][0-9a-fA-F_]*\.?[0-9a-fA-F_]*(?:[pP][+-]?[0-9_]*)?|[0-9_]*\.?[0-9_]*(?:[eE][+-]?[0-9_]*)?|0[oObB][0-9_]*)/y
    match.lastIndex = start
    this.#at += match.exec(this.source)?.[0].length ?? 0
    let end = this.#at
    while (end < this.source.length && isWordChar(this.source[end] as string)) end++
    this.#at = end
    return this.#token('number', start)
  }
}

const isDigit = (char: string | undefined): boolean => char !== undefined && char >= '0' && char <= '9'

function quoteChar(char: string): string {
  const code = (char.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')
  return `U+${code} '${char}'`
}
