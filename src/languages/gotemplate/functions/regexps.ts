import { type Matcher, RE2JS } from 're2js'
import { GoError } from '../errors.ts'
import type { Limits } from '../limits.ts'
import type { Meter } from '../values/meter.ts'
import { type GoValue, typedSlice } from '../values/value.ts'
import { expand } from './expand.ts'
import { bound, type Call, fn, type FunctionSpec } from './spec.ts'

/** Patterns made of data that one place in a template remembers. */
const remembered = 8

/** A pattern in RE2's syntax, which is Go's. The time it takes is linear in the text. */
class Pattern {
  readonly source: string
  readonly #regexp: RE2JS
  /** Work per character of a text: at most one visit of each instruction of the compiled pattern. */
  readonly size: number
  readonly #names: Readonly<Record<string, number>>

  constructor(source: string, limits: Limits) {
    if (source.length > limits.pattern) {
      throw new GoError(`a regular expression is longer than the limit of ${limits.pattern}`)
    }
    try {
      this.#regexp = RE2JS.compile(source)
    } catch (error) {
      throw new GoError(`error parsing regexp: ${fault(error)}`)
    }
    this.source = source
    this.size = this.#regexp.programSize()
    this.#names = this.#regexp.namedGroups()
  }

  /** What a group of a match holds, by number or name; empty when there is none. */
  group(match: Matcher, name: number | string): string {
    const index = typeof name === 'number' ? name : Object.hasOwn(this.#names, name) ? this.#names[name] : undefined
    return index === undefined || index > match.groupCount() ? '' : (match.group(index) ?? '')
  }

  /** The first match, or undefined. */
  find(text: string, meter: Meter): Matcher | undefined {
    charge(this.size, text.length, meter)
    const matcher = this.#regexp.matcher(text)
    return matcher.find() ? matcher : undefined
  }

  /** Matches from left to right, at most `count` of them (all when negative); an empty one never touches the one before it. */
  *findAll(text: string, count: number, meter: Meter): Generator<Matcher> {
    const matcher = this.#regexp.matcher(text)
    let end = -1
    for (let found = 0; found !== count;) {
      // a failing search reads all that is left, and so may one that succeeds
      charge(this.size, text.length - Math.max(end, 0), meter)
      if (!matcher.find()) return
      const touches = matcher.start() === matcher.end() && matcher.start() === end
      end = matcher.end()
      if (touches) continue
      found++
      yield matcher
    }
  }
}

const charge = (size: number, length: number, meter: Meter): void => meter.spend(1 + Math.ceil((size * length) / 128))

/** Says what is wrong with a pattern without quoting it, as it may be made of data. */
function fault(error: unknown): string {
  const described = error as { readonly error?: unknown }
  return typeof described.error === 'string' ? described.error : 'the pattern cannot be used'
}

/** A function of a pattern and further arguments. A constant pattern is compiled when the template is. */
function withPattern(
  rest: Parameters<typeof fn>[0],
  call: (pattern: Pattern, args: readonly GoValue[], meter: Meter) => GoValue,
): FunctionSpec {
  return bound(['string', ...rest], (constant, limits): Call => {
    if (constant !== undefined) {
      const pattern = new Pattern(constant, limits)
      return ({ meter }, args) => call(pattern, args, meter)
    }
    const known = new Map<string, Pattern>()
    const patternOf = (source: string, meter: Meter): Pattern => {
      const held = known.get(source)
      if (held !== undefined) return held
      meter.spend(source.length)
      const pattern = new Pattern(source, limits)
      meter.spend(pattern.size)
      const [oldest] = known.keys()
      if (known.size >= remembered && oldest !== undefined) known.delete(oldest)
      known.set(source, pattern)
      return pattern
    }
    return ({ meter }, args) => call(patternOf(args[0] as string, meter), args, meter)
  })
}

/** What is between matches, in at most `count` parts; in all of them when negative. */
function split(pattern: Pattern, text: string, count: number, meter: Meter): string[] | null {
  if (count === 0) return null
  if (text === '' && pattern.source !== '') return ['']
  const parts: string[] = []
  let begin = 0
  let end = 0
  for (const match of pattern.findAll(text, count, meter)) {
    if (parts.length === count - 1) break
    end = match.start()
    if (match.end() > 0) parts.push(text.slice(begin, end))
    begin = match.end()
  }
  meter.list(parts.length + 1)
  if (end !== text.length) parts.push(text.slice(begin))
  return parts
}

/** Puts what `by` gives in the place of each match. */
function replace(pattern: Pattern, text: string, meter: Meter, by: (match: Matcher) => string): string {
  let out = ''
  let from = 0
  for (const match of pattern.findAll(text, -1, meter)) {
    out += text.slice(from, match.start()) + by(match)
    // charged for as a whole by the caller, but never longer than a string may be
    if (out.length > meter.limits.output) meter.chars(out.length)
    from = match.end()
  }
  return out + text.slice(from)
}

const matches = withPattern(['string'], (pattern, [, text], meter) => pattern.find(text as string, meter) !== undefined)
const find = withPattern(['string'], (pattern, [, text], meter) => pattern.find(text as string, meter)?.group() ?? '')
const findAll = withPattern(['string', 'int'], (pattern, [, text, count], meter) => {
  const found: string[] = []
  for (const match of pattern.findAll(text as string, Number(count), meter)) found.push(match.group() ?? '')
  meter.list(found.length)
  return typedSlice('string', found.length === 0 ? null : found)
})
const splitAll = withPattern(['string', 'int'], (pattern, [, text, count], meter) =>
  typedSlice('string', split(pattern, text as string, Number(count), meter)),
)
const replaceAll = withPattern(['string', 'string'], (pattern, [, text, by], meter) =>
  replace(pattern, text as string, meter, (match) => expand(by as string, (name) => pattern.group(match, name))),
)
const replaceAllLiteral = withPattern(['string', 'string'], (pattern, [, text, by], meter) =>
  replace(pattern, text as string, meter, () => by as string),
)

/** sprig's functions of regular expressions. All of them fail on a malformed pattern, also those without `must`. */
export const regexps: Readonly<Record<string, FunctionSpec>> = {
  regexMatch: matches,
  mustRegexMatch: matches,
  regexFind: find,
  mustRegexFind: find,
  regexFindAll: findAll,
  mustRegexFindAll: findAll,
  regexSplit: splitAll,
  mustRegexSplit: splitAll,
  regexReplaceAll: replaceAll,
  mustRegexReplaceAll: replaceAll,
  regexReplaceAllLiteral: replaceAllLiteral,
  mustRegexReplaceAllLiteral: replaceAllLiteral,
  regexQuoteMeta: fn(['string'], (_, [text]) => RE2JS.quote(text as string)),
}
