import { casePairs, toLower, type CodePointTest } from './unicode.ts'

const MAX_CODE_POINT = 0x10ffff

type Range = readonly [first: number, last: number]

interface CharacterClass {
  readonly name: string
  readonly negated: boolean
  readonly test: CodePointTest
}

/**
 * A set of code points as written in `[...]`: ranges, classes, an optional negation and an optional subtraction.
 * Built once by the parser, then frozen into a `CompiledSet`.
 */
export class CharSet {
  negated = false
  subtracted: CharSet | undefined
  #ranges: Range[] = []
  #classes: CharacterClass[] = []
  #everything = false

  static of(code: number): CharSet {
    const set = new CharSet()
    set.addRange(code, code)
    return set
  }

  addRange(first: number, last: number): void {
    this.#ranges.push([first, last])
  }

  /** Everything outside the given ranges, which are in order and do not touch. */
  addComplement(ranges: readonly Range[]): void {
    let next = 0
    for (const [first, last] of ranges) {
      if (next < first) this.addRange(next, first - 1)
      next = last + 1
    }
    if (next <= MAX_CODE_POINT) this.addRange(next, MAX_CODE_POINT)
  }

  /** A class and its opposite together are every character. */
  addClass(name: string, negated: boolean, test: CodePointTest): void {
    if (this.#everything) return
    const same = this.#classes.find((other) => other.name === name)
    if (same === undefined) this.#classes.push({ name, negated, test })
    else if (same.negated !== negated) {
      this.#everything = true
      this.#classes = []
      this.#ranges = [[0, MAX_CODE_POINT]]
    }
  }

  /** Adds all of another set that is neither negated nor has a subtraction. */
  addSet(other: CharSet): void {
    this.#ranges.push(...other.#ranges)
    for (const { name, negated, test } of other.#classes) this.addClass(name, negated, test)
    this.#everything ||= other.#everything
  }

  /** Adds the lower case of every character in the ranges; a case-insensitive match lowers its input. */
  addLowerCase(): void {
    const written = [...this.#ranges]
    for (const [upper, lower] of casePairs()) {
      if (written.some(([first, last]) => first <= upper && upper <= last)) this.addRange(lower, lower)
    }
    this.#ranges = merged(this.#ranges)
  }

  get mergeable(): boolean {
    return !this.negated && this.subtracted === undefined
  }

  /**
   * Whether the set has the code point. Ranges come first; then classes in the order written, where a negated class
   * settles the question either way, so that `[\D\w]` has no digits.
   */
  has(code: number): boolean {
    let found = this.#ranges.some(([first, last]) => first <= code && code <= last)
    if (!found) {
      for (const { negated, test } of this.#classes) {
        const inClass = test(code)
        if (inClass || negated) {
          found = inClass !== negated
          break
        }
      }
    }
    if (found === this.negated) return false
    return this.subtracted === undefined || !this.subtracted.has(code)
  }
}

function merged(ranges: Range[]): Range[] {
  const result: [number, number][] = []
  for (const [first, last] of ranges.sort((a, b) => a[0] - b[0])) {
    const previous = result.at(-1)
    if (previous !== undefined && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last)
    else result.push([first, last])
  }
  return result
}

/** A set ready for matching: a table for ASCII, a function for the rest. */
export interface CompiledSet {
  /** 128 entries, 1 for members. */
  readonly ascii: Uint8Array
  /** For code points from 128 up. */
  readonly has: CodePointTest
}

/** @param ignoreCase lowers the input before asking; the set has to hold lower case then */
export function compileSet(set: CharSet, ignoreCase: boolean): CompiledSet {
  const has: CodePointTest = ignoreCase ? (code) => set.has(toLower(code)) : (code) => set.has(code)
  const ascii = new Uint8Array(128)
  for (let code = 0; code < 128; code++) ascii[code] = has(code) ? 1 : 0
  return { ascii, has }
}
