/**
 * The input of the running match, as code points. There is one at a time: a match is synchronous and never calls back.
 */
import type { CompiledSet } from './charset.ts'
import { isWord, toLower } from './unicode.ts'

/** The input, one code point each, closed by -1. */
export let text = new Int32Array(1024)
/** The input as it came, and whether a code point is a code unit throughout. */
let loaded = ''
let simple = true

/** Loads an input. @returns its length in code points */
export function load(input: string): number {
  while (text.length <= input.length) text = new Int32Array(text.length * 2)
  // A local variable, here and below: a module's variable is looked up anew for every character.
  const codes = text
  loaded = input
  simple = true
  let length = 0
  for (let i = 0; i < input.length; i++) {
    let code = input.charCodeAt(i)
    if ((code & 0xfc00) === 0xd800) {
      code = input.codePointAt(i) ?? code
      if (code > 0xffff) {
        simple = false
        i++
      }
    }
    codes[length++] = code
  }
  codes[length] = -1
  return length
}

/** Part of the loaded input. */
export function loadedText(start: number, end: number): string {
  if (simple) return loaded.slice(start, end)
  let result = ''
  for (let i = start; i < end; i++) result += String.fromCodePoint(text[i]!)
  return result
}

/** Whether a set has a code; the -1 behind the end is in none. */
export function contains(set: CompiledSet, code: number): boolean {
  return code < 128 ? code >= 0 && set.ascii[code] === 1 : set.has(code)
}

/** Where a run of at most so many characters of a set ends. */
export function runEnd(set: CompiledSet, from: number, most: number): number {
  const codes = text
  const { ascii } = set
  const stop = from + most
  let at = from
  while (at < stop) {
    const code = codes[at]!
    if (code < 128 ? ascii[code] !== 1 : !set.has(code)) break
    at++
  }
  return at
}

/** The last position from `at` down to `floor` where the character that has to follow stands; below the floor if none. */
export function lastFollowed(follow: number, at: number, floor: number): number {
  const codes = text
  let last = at
  if (follow >= 0) while (last >= floor && codes[last] !== follow) last--
  return last
}

/** Whether one of two neighbours is a word character and the other is none. */
export function atBoundary(position: number, length: number): boolean {
  const before = position > 0 && isWord(text[position - 1]!)
  const after = position < length && isWord(text[position]!)
  return before !== after
}

/** Whether two stretches of the input are the same. */
export function sameText(a: number, b: number, size: number, ignoreCase: boolean): boolean {
  for (let i = 0; i < size; i++) {
    const left = text[a + i]!
    const right = text[b + i]!
    if (left !== right && !(ignoreCase && toLower(left) === toLower(right))) return false
  }
  return true
}
