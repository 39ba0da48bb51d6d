import { Fault } from '../errors.ts'
import { DATA_LEVEL, quote, toText } from '../runtime/json.ts'
import { concat } from '../runtime/operators.ts'
import type { Run } from '../runtime/run.ts'
import { isAstral, substring, textLength } from '../runtime/text.ts'
import { typeName } from '../runtime/types.ts'
import { force, isArray, type Slot, type Value } from '../runtime/values.ts'
import { characters, integer, string, value } from './args.ts'
import { format } from './format.ts'
import { type Members, native } from './spec.ts'
import { char } from './unicode.ts'

const TRIMMED = ' \t\n\f\r\u0085\u00a0'

function stripLeft(text: string, chars: ReadonlySet<string>, run: Run): string {
  const all = characters(text, run)
  const start = all.findIndex((one) => !chars.has(one))
  return start === -1 ? '' : all.slice(start).join('')
}

function stripRight(text: string, chars: ReadonlySet<string>, run: Run): string {
  const all = characters(text, run)
  return all.slice(0, all.findLastIndex((one) => !chars.has(one)) + 1).join('')
}

const stripper = (strip: typeof stripLeft): Value =>
  native(['str', 'chars'], (args, run) => {
    return strip(string(args, 0, run), new Set(string(args, 1, run)), run)
  })

/** What a part of a text is asked for: its first argument is the text, and each has its own complaint. */
function substr(args: readonly Slot[], run: Run): string {
  const text = value(args, 0, run)
  if (typeof text !== 'string') throw new Fault(`substr first parameter should be a string, got ${typeName(text)}`)
  const [from, length] = ['second', 'third'].map((name, index) => {
    const given = value(args, index + 1, run)
    const what = `substr ${name} parameter should be`
    if (typeof given !== 'number') throw new Fault(`${what} a number, got ${typeName(given)}`)
    if (!Number.isInteger(given)) throw new Fault(`${what} an integer, got ${given}`)
    return given
  }) as [number, number]
  if (length < 0) throw new Fault(`substr third parameter should be greater than zero, got ${length}`)
  if (from < 0) throw new Fault(`substr second parameter should not be negative, got ${from}`)
  run.spend(text.length >>> 6)
  return substring(text, from, from + length)
}

function split(text: string, separator: string, limit: number, name: string, run: Run): string[] {
  const length = textLength(separator)
  if (length < 1) throw new Fault(`std.${name} second parameter should have length 1 or greater, got ${length}`)
  if (limit < -1) throw new Fault(`std.${name} third parameter should be -1 or non-negative, got ${limit}`)
  const parts = text.split(separator)
  run.allocate(parts.length)
  return parts
}

const cutLeft = (parts: string[], separator: string, limit: number): string[] =>
  limit === -1 || parts.length <= limit + 1 ? parts : [...parts.slice(0, limit), parts.slice(limit).join(separator)]

/** Splits from the right, where separators that overlap are found from the right, too. */
function splitRight(text: string, separator: string, limit: number, run: Run): string[] {
  const parts: string[] = []
  let end = text.length
  while (parts.length < limit) {
    const at = end < separator.length ? -1 : text.lastIndexOf(separator, end - separator.length)
    if (at === -1) break
    run.allocate(1)
    parts.unshift(text.slice(at + separator.length, end))
    end = at
  }
  return [text.slice(0, end), ...parts]
}

function parseNatural(text: string, base: number): number {
  let result = 0
  for (const digit of text) {
    const code = digit >= '0' && digit <= '9' ? Number(digit) : Number.parseInt(digit, 16)
    if (Number.isNaN(code) || code >= base) throw new Fault(`${text} is not a base ${base} integer`)
    result = result * base + code
  }
  return result
}

const parser = (base: number, what: string): Value =>
  native(['str'], (args, run) => {
    const text = string(args, 0, run)
    run.spend(text.length >>> 1)
    if (text === '' || (base === 10 && text === '-')) throw new Fault(`Not ${what}: ${JSON.stringify(text)}`)
    return base === 10 && text.startsWith('-') ? -parseNatural(text.slice(1), base) : parseNatural(text, base)
  })

const escape = (compute: (text: string, run: Run) => string): Value =>
  native(['str_'], (args, run) => {
    const text = toText(value(args, 0, run), run)
    run.chars(text.length * 2)
    return compute(text, run)
  })

const XML: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;', "'": '&apos;' }
const ASCII = /^[\0-\x7f]*$/
const lower = (text: string): string =>
  ASCII.test(text) ? text.toLowerCase() : text.replaceAll(/[A-Z]+/g, (part) => part.toLowerCase())
const upper = (text: string): string =>
  ASCII.test(text) ? text.toUpperCase() : text.replaceAll(/[a-z]+/g, (part) => part.toUpperCase())

/** A string of which a changed copy is made. */
function remade(args: readonly Slot[], run: Run): string {
  const text = string(args, 0, run)
  run.chars(text.length)
  return text
}

/** The start of each occurrence, overlapping ones too, in code points. */
function findSubstr(pattern: string, text: string, run: Run): number[] {
  const found: number[] = []
  if (pattern === '') return found
  const astral = isAstral(text)
  for (let at = text.indexOf(pattern); at !== -1; at = text.indexOf(pattern, at + 1)) {
    run.allocate(1)
    if (astral) run.spend(at >>> 4)
    found.push(astral ? textLength(text.slice(0, at)) : at)
  }
  return found
}

export const strings: Members = {
  toString: native(['a'], (args, run) => toText(value(args, 0, run), run)),
  char: native(['n'], (args, run) => char(integer(args, 0, run))),
  codepoint: native(['str'], (args, run) => {
    const text = string(args, 0, run)
    const length = textLength(text)
    if (length !== 1) throw new Fault(`codepoint takes a string of length 1, got length ${length}`)
    return text.codePointAt(0) ?? 0
  }),
  substr: native(['str', 'from', 'len'], substr),
  startsWith: native(['a', 'b'], (args, run) => string(args, 0, run).startsWith(string(args, 1, run))),
  endsWith: native(['a', 'b'], (args, run) => string(args, 0, run).endsWith(string(args, 1, run))),
  lstripChars: stripper(stripLeft),
  rstripChars: stripper(stripRight),
  stripChars: stripper((text, chars, run) => stripLeft(stripRight(text, chars, run), chars, run)),
  trim: native(['str'], (args, run) => {
    const chars = new Set(TRIMMED)
    return stripLeft(stripRight(string(args, 0, run), chars, run), chars, run)
  }),
  stringChars: native(['str'], (args, run) => {
    return characters(string(args, 0, run), run)
  }),
  split: native(['str', 'c'], (args, run) => split(string(args, 0, run), string(args, 1, run), -1, 'split', run)),
  splitLimit: native(['str', 'c', 'maxsplits'], (args, run) => {
    const limit = integer(args, 2, run)
    const separator = string(args, 1, run)
    return cutLeft(split(string(args, 0, run), separator, limit, 'splitLimit', run), separator, limit)
  }),
  splitLimitR: native(['str', 'c', 'maxsplits'], (args, run) => {
    const limit = integer(args, 2, run)
    const text = string(args, 0, run)
    const separator = string(args, 1, run)
    const parts = split(text, separator, limit, 'splitLimitR', run)
    return limit === -1 ? parts : splitRight(text, separator, limit, run)
  }),
  strReplace: native(['str', 'from', 'to'], (args, run) => {
    const [text, from, to] = [string(args, 0, run), string(args, 1, run), string(args, 2, run)]
    if (from === '') throw new Fault("'from' string must not be zero length.")
    const parts = text.split(from)
    run.chars(text.length + (parts.length - 1) * (to.length - from.length))
    return parts.join(to)
  }),
  asciiUpper: native(['str'], (args, run) => upper(remade(args, run))),
  asciiLower: native(['str'], (args, run) => lower(remade(args, run))),
  isEmpty: native(['str'], (args, run) => string(args, 0, run) === ''),
  equalsIgnoreCase: native(
    ['str1', 'str2'],
    (args, run) => lower(string(args, 0, run)) === lower(string(args, 1, run)),
  ),
  findSubstr: native(['pat', 'str'], (args, run) => findSubstr(string(args, 0, run), string(args, 1, run), run)),
  parseInt: parser(10, 'an integer'),
  parseOctal: parser(8, 'an octal number'),
  parseHex: parser(16, 'hexadecimal'),
  format: native(['str', 'vals'], (args, run) => format(string(args, 0, run), value(args, 1, run), run)),
  escapeStringJson: escape(quote),
  escapeStringPython: native(['str'], (args, run) => quote(toText(value(args, 0, run), run), run)),
  escapeStringBash: escape((text) => `'${text.replaceAll("'", `'"'"'`)}'`),
  escapeStringDollars: escape((text) => text.replaceAll('$', () => '$$')),
  escapeStringXML: escape((text) => text.replaceAll(/[<>&"']/g, (one) => XML[one] ?? one)),
  resolvePath: native(['f', 'r'], (args, run) => {
    const path = string(args, 0, run)
    return concat(path.slice(0, path.lastIndexOf('/') + 1), string(args, 1, run), run)
  }),
  deepJoin: native(['arr'], (args, run) => deepJoin(value(args, 0, run), run)),
}

/** Joins strings in lists of lists. */
export function deepJoin(given: Value, run: Run): string {
  if (typeof given === 'string') return given
  if (!isArray(given)) throw new Fault(`Expected string or array, got ${typeName(given)}`)
  run.enter(DATA_LEVEL)
  const parts = given.map((item) => deepJoin(force(item, run), run))
  run.leave(DATA_LEVEL)
  run.chars(parts.reduce((sum, part) => sum + part.length, 0))
  return parts.join('')
}
