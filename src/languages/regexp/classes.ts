import { CharSet } from './charset.ts'
import { scanCharacterEscape, scanProperty } from './escapes.ts'
import type { Scanner } from './scanner.ts'
import { isSpace, isWord, unicodeProperty, type CodePointTest } from './unicode.ts'

const NEVER: CodePointTest = () => false
const isDecimalDigit = unicodeProperty('Nd') ?? NEVER
const CASED = ['Ll', 'Lu', 'Lt']
const MAX_DEPTH = 50

type Range = readonly [number, number]

/** The bracketed names that are ASCII. `[:digit:]` is not among them: it is `\d`, as in the reference. */
const POSIX = new Map<string, readonly Range[]>([
  [
    'alnum',
    [
      [0x30, 0x39],
      [0x41, 0x5a],
      [0x61, 0x7a],
    ],
  ],
  [
    'alpha',
    [
      [0x41, 0x5a],
      [0x61, 0x7a],
    ],
  ],
  ['ascii', [[0, 0x7f]]],
  [
    'blank',
    [
      [0x09, 0x09],
      [0x20, 0x20],
    ],
  ],
  [
    'cntrl',
    [
      [0, 0x1f],
      [0x7f, 0x7f],
    ],
  ],
  ['graph', [[0x21, 0x7e]]],
  ['lower', [[0x61, 0x7a]]],
  ['print', [[0x20, 0x7e]]],
  [
    'punct',
    [
      [0x21, 0x2f],
      [0x3a, 0x40],
      [0x5b, 0x60],
      [0x7b, 0x7e],
    ],
  ],
  ['upper', [[0x41, 0x5a]]],
  [
    'word',
    [
      [0x30, 0x39],
      [0x41, 0x5a],
      [0x5f, 0x5f],
      [0x61, 0x7a],
    ],
  ],
  [
    'xdigit',
    [
      [0x30, 0x39],
      [0x41, 0x46],
      [0x61, 0x66],
    ],
  ],
  // The white space of ECMAScript.
  [
    'space',
    [
      [0x09, 0x0d],
      [0x20, 0x20],
      [0xa0, 0xa0],
      [0x1680, 0x1680],
      [0x2000, 0x200a],
      [0x2028, 0x2029],
      [0x202f, 0x202f],
      [0x205f, 0x205f],
      [0x3000, 0x3000],
      [0xfeff, 0xfeff],
    ],
  ],
])

/** Adds what `\d \D \s \S \w \W` stand for. @returns false when the letter is none of them */
export function addShorthand(set: CharSet, letter: string): boolean {
  const lower = letter.toLowerCase()
  const test = lower === 'd' ? isDecimalDigit : lower === 's' ? isSpace : lower === 'w' ? isWord : undefined
  if (test === undefined) return false
  // \d and \p{Nd} are the same class, so that either one with the other's opposite is everything.
  set.addClass(lower === 'd' ? 'Nd' : `\\${lower}`, lower !== letter, test)
  return true
}

/** Adds `\p{X}` or `\P{X}`; the scanner stands behind the `p`. */
export function addProperty(set: CharSet, scanner: Scanner, negated: boolean, ignoreCase: boolean): void {
  const { name, test } = scanProperty(scanner)
  if (ignoreCase && CASED.includes(name)) {
    for (const cased of CASED) set.addClass(cased, negated, unicodeProperty(cased) ?? NEVER)
  }
  set.addClass(name, negated, test)
}

/**
 * `[...]`, behind the opening bracket, with .NET's subtraction (`[a-z-[aeiou]]`) and the names of POSIX (`[[:alpha:]]`).
 * A class in a range (`[a-\d]`) is an error; `]` first is itself.
 */
export function parseSet(scanner: Scanner, ignoreCase: boolean, depth = 0): CharSet {
  if (depth > MAX_DEPTH) scanner.fail('sets nested too deeply')
  const set = new CharSet()
  set.negated = scanner.take('^')
  let rangeStart = -1

  const subtract = (): void => {
    set.subtracted = parseSet(scanner, ignoreCase, depth + 1)
    if (scanner.left > 0 && !scanner.at(']'))
      scanner.fail('a subtraction must be the last element in a character class')
  }

  for (let first = true; ; first = false) {
    if (scanner.left === 0) scanner.fail('unterminated [] set')
    let code = scanner.next()
    let escaped = false
    if (code === 0x5d && !first) break
    if (code === 0x5c && scanner.left > 0) {
      const letter = String.fromCodePoint(scanner.peek())
      if ('dDsSwWpP'.includes(letter)) {
        if (rangeStart !== -1) scanner.fail(`cannot include class \\${letter} in character range`)
        scanner.next()
        if (!addShorthand(set, letter)) addProperty(set, scanner, letter === 'P', ignoreCase)
        continue
      }
      if (letter === '-') {
        scanner.next()
        set.addRange(0x2d, 0x2d)
        continue
      }
      code = scanCharacterEscape(scanner)
      escaped = true
    } else if (code === 0x5b && rangeStart === -1 && scanner.at(':') && addPosixName(set, scanner)) {
      continue
    }

    if (rangeStart !== -1) {
      if (code === 0x5b && !escaped && !first) {
        set.addRange(rangeStart, rangeStart)
        subtract()
      } else {
        if (rangeStart > code) scanner.fail('[x-y] range in reverse order')
        set.addRange(rangeStart, code)
      }
      rangeStart = -1
    } else if (scanner.left >= 2 && scanner.at('-') && !scanner.at(']', 1)) {
      rangeStart = code
      scanner.next()
    } else if (code === 0x2d && !escaped && !first && scanner.take('[')) {
      subtract()
    } else {
      set.addRange(code, code)
    }
  }

  if (ignoreCase) set.addLowerCase()
  return set
}

/** `:name:]` or `:^name:]`, behind the inner bracket. @returns false, with the scanner put back, when it does not end */
function addPosixName(set: CharSet, scanner: Scanner): boolean {
  const start = scanner.position
  scanner.next()
  const negated = scanner.left > 1 && scanner.take('^')
  const name = scanner.word()
  if (name === 'digit') {
    addShorthand(set, negated ? 'D' : 'd')
  } else {
    const ranges = POSIX.get(name)
    if (ranges === undefined) scanner.fail(`unknown character class name [:${name}:]`)
    if (negated) set.addComplement(ranges)
    else for (const [first, last] of ranges) set.addRange(first, last)
  }
  if (scanner.take(':]')) return true
  scanner.position = start
  return false
}
