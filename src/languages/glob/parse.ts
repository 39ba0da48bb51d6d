import { GlobSyntaxError } from './errors.ts'
import type { Instruction, Program } from './program.ts'

/** Far more than any rule needs; keeps the automaton, and with it the work per character, small. */
const maxPatternLength = 8192
const maxDepth = 64

/** Braces that are open: where the fork stands, where each alternative starts, and the jumps to aim behind the end. */
interface Alternatives {
  readonly fork: number
  readonly starts: number[]
  readonly exits: number[]
}

/**
 * Takes a glob and returns its program.
 * Throws GlobSyntaxError where gobwas/glob v0.2.3 has an error, and for patterns that are too long or too deep.
 */
export function parseGlob(pattern: string): Program {
  if (pattern.length > maxPatternLength) {
    throw new GlobSyntaxError(`the pattern is longer than ${maxPatternLength} characters`, maxPatternLength)
  }
  return new Parser(pattern).parse()
}

class Parser {
  private readonly pattern: string
  private position = 0
  private readonly program: Instruction[] = []
  private readonly open: Alternatives[] = []

  constructor(pattern: string) {
    this.pattern = pattern
  }

  parse(): Program {
    while (this.position < this.pattern.length) this.item()
    // Braces that nobody closed end with the pattern, as in gobwas.
    while (this.open.length > 0) this.closeAlternatives()
    this.program.push({ op: 'accept' })
    return this.program
  }

  private item(): void {
    const start = this.position
    const char = this.read()
    switch (char) {
      case '*':
        if (this.pattern[this.position] === '*') {
          this.position++
          this.program.push({ op: 'super' })
        } else this.program.push({ op: 'any' })
        return
      case '?':
        this.program.push({ op: 'single' })
        return
      case '[':
        this.program.push(this.class(start))
        return
      case '{':
        this.openAlternatives(start)
        return
      case ',':
      case '}':
        if (this.open.length === 0) break
        if (char === ',') this.nextAlternative()
        else this.closeAlternatives()
        return
      case '\\':
        // A backslash at the very end quotes nothing and is dropped, as in gobwas.
        if (this.position < this.pattern.length) this.text(this.read())
        return
    }
    this.text(char)
  }

  private text(char: string): void {
    this.program.push({ op: 'char', char: codePoint(char) })
  }

  private openAlternatives(start: number): void {
    if (this.open.length === maxDepth) throw new GlobSyntaxError(`more than ${maxDepth} nested "{"`, start)
    const fork = this.program.length
    this.program.push({ op: 'fork', targets: [] })
    this.open.push({ fork, starts: [fork + 1], exits: [] })
  }

  private nextAlternative(): void {
    const alternatives = this.open.at(-1)
    if (alternatives === undefined) return
    alternatives.exits.push(this.program.length)
    this.program.push({ op: 'jump', target: 0 })
    alternatives.starts.push(this.program.length)
  }

  private closeAlternatives(): void {
    const alternatives = this.open.pop()
    if (alternatives === undefined) return
    this.program[alternatives.fork] = { op: 'fork', targets: alternatives.starts }
    for (const exit of alternatives.exits) this.program[exit] = { op: 'jump', target: this.program.length }
  }

  /** What follows `[`: one range or one list, never a mixture. */
  private class(start: number): Instruction {
    const not = this.pattern[this.position] === '!'
    if (not) this.position++
    const first = this.read()
    if (this.pattern[this.position] === '-') return this.range(first, not, start)
    this.position -= first.length

    const chars = new Set<number>()
    while (this.pattern[this.position] !== ']') {
      let char = this.read()
      if (char === '\\') char = this.read()
      chars.add(codePoint(char))
    }
    if (chars.size === 0) throw new GlobSyntaxError('the class "[]" is empty', start)
    this.position++
    return { op: 'list', chars, not }
  }

  private range(first: string, not: boolean, start: number): Instruction {
    this.position++
    const last = this.read()
    const low = codePoint(first)
    const high = codePoint(last)
    if (high < low) throw new GlobSyntaxError(`the range "${first}-${last}" is the wrong way round`, start)
    if (this.read() !== ']') {
      throw new GlobSyntaxError('a class is one range or one list of characters: expected "]"', this.position - 1)
    }
    return { op: 'range', low, high, not }
  }

  /** The next character, a whole code point. */
  private read(): string {
    const code = this.pattern.codePointAt(this.position)
    if (code === undefined) throw new GlobSyntaxError('the pattern ends inside a class', this.position)
    // gobwas takes NUL for the end of the pattern, and cannot read U+FFFD; neither is ever meant.
    if (code === 0 || code === 0xfffd || (code >= 0xd800 && code <= 0xdfff)) {
      throw new GlobSyntaxError('the pattern has a character that cannot be matched', this.position)
    }
    const char = String.fromCodePoint(code)
    this.position += char.length
    return char
  }
}

function codePoint(char: string): number {
  return char.codePointAt(0) ?? 0
}
