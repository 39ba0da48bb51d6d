import { RegexpSyntaxError } from './errors.ts'
import { isWord } from './unicode.ts'

const MAX_NUMBER = 0x7fffffff

/** A cursor over the code points of a pattern. */
export class Scanner {
  position = 0
  readonly #codes: readonly number[]

  constructor(source: string) {
    this.#codes = Array.from(source, (character) => character.codePointAt(0) ?? 0)
  }

  get left(): number {
    return this.#codes.length - this.position
  }

  /** The code point `ahead` places on, -1 behind the end. */
  peek(ahead = 0): number {
    return this.#codes[this.position + ahead] ?? -1
  }

  /** Whether the text at the cursor, `ahead` places on, is this (ASCII) text. */
  at(text: string, ahead = 0): boolean {
    for (let i = 0; i < text.length; i++) if (this.peek(ahead + i) !== text.charCodeAt(i)) return false
    return true
  }

  /** Steps over the text if it is there. */
  take(text: string): boolean {
    if (!this.at(text)) return false
    this.position += text.length
    return true
  }

  next(): number {
    const code = this.peek()
    if (code !== -1) this.position++
    return code
  }

  /** A run of digits; 0 when there is none. */
  decimal(): number {
    let value = 0
    for (let code = this.peek(); code >= 0x30 && code <= 0x39; code = this.peek()) {
      value = value * 10 + code - 0x30
      if (value > MAX_NUMBER) this.fail('number out of range')
      this.position++
    }
    return value
  }

  /** A run of word characters, possibly empty, and of `-` when asked for. */
  word(hyphens = false): string {
    let text = ''
    for (;;) {
      const code = this.peek()
      if (code === -1 || !(isWord(code) || (hyphens && code === 0x2d))) return text
      text += String.fromCodePoint(code)
      this.position++
    }
  }

  fail(message: string): never {
    let offset = 0
    for (let i = 0; i < this.position; i++) offset += (this.#codes[i] ?? 0) > 0xffff ? 2 : 1
    throw new RegexpSyntaxError(message, offset)
  }
}

export const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
