/**
 * What is read of a pattern besides its structure: blanks and comments, options, quantifiers, and the names and numbers
 * of groups.
 */
import type { GroupCollector, Groups } from './groups.ts'
import { isDigit, Scanner } from './scanner.ts'

export const IGNORE_CASE = 1
export const MULTILINE = 2
export const EXPLICIT_CAPTURE = 4
export const SINGLE_LINE = 8
const EXTENDED = 16

/** The letters of `(?imnsx-imnsx)`; `d` is accepted and does nothing. */
const OPTIONS = new Map([
  ['i', IGNORE_CASE],
  ['m', MULTILINE],
  ['n', EXPLICIT_CAPTURE],
  ['s', SINGLE_LINE],
  ['x', EXTENDED],
  ['d', 0],
])

const BLANK = '\t\n\v\f\r '

const MAX_REPETITIONS = 100_000

export interface Quantifier {
  readonly min: number
  /** `Infinity` when open. */
  readonly max: number
  readonly lazy: boolean
}

/** A scanner that knows the options in force and the capture groups. */
export class PatternReader {
  readonly scanner: Scanner
  /** Set in the first pass. */
  readonly collector: GroupCollector | undefined
  /** Known in the second pass; the first one takes every reference on trust. */
  readonly groups: Groups | undefined
  options = 0

  constructor(source: string, collector: GroupCollector | undefined, groups: Groups | undefined) {
    this.scanner = new Scanner(source)
    this.collector = collector
    this.groups = groups
  }

  has(option: number): boolean {
    return (this.options & option) !== 0
  }

  /** Comments, and white space under `x`. */
  skipBlank(): void {
    const scanner = this.scanner
    for (;;) {
      if (this.has(EXTENDED)) {
        while (scanner.left > 0 && isOneOf(BLANK, scanner.peek())) scanner.next()
        if (scanner.at('#')) {
          while (scanner.left > 0 && !scanner.at('\n')) scanner.next()
          continue
        }
      }
      if (!scanner.at('(?#')) return
      while (!scanner.at(')')) if (scanner.next() === -1) scanner.fail('unterminated comment')
      scanner.next()
    }
  }

  /** A `{` that does not begin `{n}`, `{n,}` or `{n,m}` is a literal. */
  atQuantifier(): boolean {
    const scanner = this.scanner
    if (!scanner.at('{')) return scanner.at('*') || scanner.at('+') || scanner.at('?')
    let ahead = 1
    while (isDigit(scanner.peek(ahead))) ahead++
    if (ahead === 1) return false
    if (scanner.at(',', ahead)) {
      ahead++
      while (isDigit(scanner.peek(ahead))) ahead++
    }
    return scanner.at('}', ahead)
  }

  /** A quantifier, at its first character. */
  quantifier(): Quantifier {
    const scanner = this.scanner
    let min = 0
    let max = Infinity
    if (scanner.take('+')) min = 1
    else if (scanner.take('?')) max = 1
    else if (!scanner.take('*')) {
      scanner.next()
      min = max = scanner.decimal()
      if (scanner.take(',')) max = scanner.at('}') ? Infinity : scanner.decimal()
      scanner.next()
    }
    if (min > max) scanner.fail('invalid repeat count')
    if (min > MAX_REPETITIONS || (max !== Infinity && max > MAX_REPETITIONS)) {
      scanner.fail(`a repeat count of more than ${MAX_REPETITIONS}`)
    }
    this.skipBlank()
    return { min, max, lazy: scanner.take('?') }
  }

  /** The letters of `(?imsx-imsx`, behind the question mark. */
  takeOptions(): void {
    const scanner = this.scanner
    let off = false
    for (;;) {
      if (scanner.take('-')) off = true
      else if (scanner.take('+')) off = false
      else {
        const code = scanner.peek()
        const option = code === -1 ? undefined : OPTIONS.get(String.fromCodePoint(code).toLowerCase())
        if (option === undefined) return
        scanner.next()
        this.options = off ? this.options & ~option : this.options | option
      }
    }
  }

  /** `\1`, `\k<name>`, `\k'name'` and the old `\<name>`; undefined when it is none of them after all. */
  reference(): number | undefined {
    const scanner = this.scanner
    const keyed = scanner.take('k')
    const close = scanner.at('<') ? '>' : scanner.at("'") ? "'" : undefined
    if (close === undefined) {
      if (keyed) scanner.fail('malformed \\k<...> named back reference')
      if (!isDigit(scanner.peek()) || scanner.at('0')) return undefined
      const number = scanner.decimal()
      if (this.knows(number)) return number
      // \10 and up may still be octal.
      return number > 9 ? undefined : scanner.fail(`reference to undefined group number ${number}`)
    }
    scanner.next()
    if (keyed && scanner.left === 0) scanner.fail('malformed \\k<...> named back reference')
    if (isDigit(scanner.peek())) {
      const number = scanner.decimal()
      if (!scanner.take(close)) return undefined
      return this.knows(number) ? number : scanner.fail(`reference to undefined group number ${number}`)
    }
    const name = scanner.word()
    if (name === '' || !scanner.take(close)) return undefined
    return this.named(name) ?? scanner.fail(`reference to undefined group name ${name}`)
  }

  /** Whether there is a group of this number. */
  knows(slot: number): boolean {
    return this.groups === undefined || this.groups.slots.includes(slot)
  }

  /** The number of the group of this name; undefined when there is none. */
  named(name: string): number | undefined {
    return this.groups === undefined ? 0 : this.groups.names.get(name)
  }

  /** The name or number a group is given: `(?<name>`. */
  groupName(): number {
    const scanner = this.scanner
    const first = scanner.peek()
    if (isDigit(first)) {
      const number = scanner.decimal()
      if (number === 0) scanner.fail('capture number cannot be zero')
      if (first !== 0x30) this.collector?.addNumber(number)
      if (!this.knows(number)) scanner.fail('unrecognized grouping construct')
      return number
    }
    const name = scanner.word()
    if (name === '') scanner.fail('invalid group name: it begins with a word character')
    this.collector?.addName(name)
    return this.named(name) ?? scanner.fail('unrecognized grouping construct')
  }

  /** The group a balancing group takes from: the second one in `(?<name-other>`. */
  balancedGroup(): number {
    const scanner = this.scanner
    if (isDigit(scanner.peek())) {
      const number = scanner.decimal()
      return this.knows(number) ? number : scanner.fail(`reference to undefined group number ${number}`)
    }
    const name = scanner.word()
    if (name === '') scanner.fail('invalid group name: it begins with a word character')
    return this.named(name) ?? scanner.fail(`reference to undefined group name ${name}`)
  }
}

/** Whether a code point is one of these ASCII characters. */
export function isOneOf(characters: string, code: number): boolean {
  return code >= 0 && code < 128 && characters.includes(String.fromCharCode(code))
}
