/** One compiled `match.url`: what the matcher asks. */
import { compileGlob, GlobStepLimitError, GlobSyntaxError, quoteGlob } from '../languages/glob/index.ts'
import { compileRegexp, quoteMeta, RegexpStepLimitError, RegexpSyntaxError } from '../languages/regexp/index.ts'
import { splitPattern, UnbalancedPatternError, type Segment } from './delimiters.ts'
import { literalPrefixes, type MatchingStrategy } from './prefixes.ts'

export interface Pattern {
  readonly source: string
  readonly strategy: MatchingStrategy
  /** Every URL that matches starts with one of these; none of them starts with another one. */
  readonly prefixes: readonly string[]
  /** Whether the prefixes are all that matches: the pattern has no wildcard. */
  readonly literal: boolean
  /**
   * Takes `scheme://host/path`. Returns the capture groups without the whole match (always empty for glob), or null.
   * Takes the steps it needed from the budget; throws PatternStepLimitError when that is not enough.
   */
  match(url: string, budget: StepBudget): readonly string[] | null
}

/** How much work may still be done; the unit is a step of the pattern's language. */
export interface StepBudget {
  steps: number
}

/** A pattern that cannot be compiled. Thrown by `compilePattern` alone. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
  readonly source: string
  /** Where in the source, in UTF-16 code units. */
  readonly offset: number
  /** As of a pattern that compiles: which URLs the author may have meant. */
  readonly prefixes: readonly string[]

  constructor(message: string, source: string, offset: number, prefixes: readonly string[], cause: unknown) {
    super(message, { cause })
    this.source = source
    this.offset = offset
    this.prefixes = prefixes
  }
}

/** A pattern needed too many steps for a URL. It says nothing about whether the URL matches. */
export class PatternStepLimitError extends Error {
  override readonly name = 'PatternStepLimitError'

  constructor(source: string, cause?: unknown) {
    super(`matching the pattern ${source} took too many steps`, { cause })
  }
}

type Match = Pattern['match']
const noCaptures: readonly string[] = []

/** Regular expressions that are known to be sound by themselves: most patterns are made of the same few, such as `.*`. */
export type KnownExpressions = Set<string>

/**
 * Takes a rule's `match.url`, how to read it, and what other patterns have shown to be sound. Text outside of `<…>` is literal; inside stands a regular expression
 * (regexp2's, each a capture group) or a glob (gobwas', separators `.` and `/`). The whole URL has to match.
 * Throws PatternError.
 */
export function compilePattern(
  source: string,
  strategy: MatchingStrategy,
  known: KnownExpressions = new Set(),
): Pattern {
  let segments: readonly Segment[]
  try {
    segments = splitPattern(source)
  } catch (error) {
    if (!(error instanceof UnbalancedPatternError)) throw error
    throw new PatternError(error.message, source, error.offset, [source.slice(0, source.search(/[<>]/))], error)
  }
  const { texts: prefixes, complete: literal } = literalPrefixes(segments, strategy)
  const match =
    strategy === 'regexp' ? regexpMatch(source, segments, prefixes, known) : globMatch(source, segments, prefixes)
  return { source, strategy, prefixes, literal, match: withLiteralChecks(match, segments, strategy) }
}

/** Spares the interpreter the URLs that lack the pattern's literal text; what it starts with is the index' business. */
function withLiteralChecks(match: Match, segments: readonly Segment[], strategy: MatchingStrategy): Match {
  const [first] = segments
  if (first?.kind === 'literal' && segments.length === 1) {
    const { text } = first
    // `$` of a regular expression also matches before a newline at the very end.
    return (url) => (url === text || (strategy === 'regexp' && url === `${text}\n`) ? noCaptures : null)
  }
  // A glob's braces and brackets may span several `<…>`, and make alternatives of the text between them.
  if (strategy === 'glob' && segments.some(({ kind, text }) => kind !== 'literal' && /[{}[\]\\]/.test(text)))
    return match
  const literals = segments.slice(1).filter(({ kind }) => kind === 'literal')
  const texts = literals.map(({ text }) => text)
  const last = segments.at(-1)
  // `$` again: only a glob's last text is where a URL ends.
  const end = strategy === 'glob' && last?.kind === 'literal' ? last.text : ''
  return (url, budget) => (url.endsWith(end) && containsInOrder(url, texts) ? match(url, budget) : null)
}

function containsInOrder(url: string, texts: readonly string[]): boolean {
  let position = 0
  for (const text of texts) {
    const found = url.indexOf(text, position)
    if (found === -1) return false
    position = found + text.length
  }
  return true
}

function regexpMatch(
  source: string,
  segments: readonly Segment[],
  prefixes: readonly string[],
  known: KnownExpressions,
): Match {
  let expression = '^'
  for (const segment of segments) {
    if (segment.kind === 'literal') {
      expression += quoteMeta(segment.text)
      continue
    }
    expression += `(${segment.text})`
    if (known.has(segment.text)) continue
    // Each has to be an expression of its own: `a)(b` only looks like one between parentheses.
    attempt(
      source,
      prefixes,
      (offset) => segment.offset + Math.min(Math.max(offset - 1, 0), segment.text.length),
      () => compileRegexp(`^${segment.text}$`),
    )
    known.add(segment.text)
  }
  const compiled = attempt(
    source,
    prefixes,
    () => 0,
    () => compileRegexp(`${expression}$`),
  )
  return (url, budget) => {
    try {
      return compiled.exec(url, budget)?.slice(1) ?? null
    } catch (error) {
      if (error instanceof RegexpStepLimitError) throw new PatternStepLimitError(source, error)
      throw error
    }
  }
}

function globMatch(source: string, segments: readonly Segment[], prefixes: readonly string[]): Match {
  const [first] = segments
  const head = first?.kind === 'literal' ? first.text : ''
  const tail = head === '' ? segments : segments.slice(1)
  // The expressions are put together before they are read, as in Oathkeeper: `<{a>,b<}>` is one choice.
  const texts = tail.map(({ kind, text }) => (kind === 'literal' ? quoteGlob(text) : text))
  const compiled = attempt(
    source,
    prefixes,
    (offset) => offsetOfJoined(offset, tail, texts),
    () => compileGlob(texts.join(''), ['.', '/']),
  )
  return (url, budget) => {
    if (!url.startsWith(head)) return null
    try {
      return compiled.test(url.slice(head.length), budget) ? noCaptures : null
    } catch (error) {
      if (error instanceof GlobStepLimitError) throw new PatternStepLimitError(source, error)
      throw error
    }
  }
}

/** Compiles; a syntax error is told at its place in the rule's pattern, which `sourceOffset` finds. */
function attempt<T>(
  source: string,
  prefixes: readonly string[],
  sourceOffset: (offset: number) => number,
  compile: () => T,
): T {
  try {
    return compile()
  } catch (error) {
    if (!(error instanceof RegexpSyntaxError || error instanceof GlobSyntaxError)) throw error
    // The place is told by column; an offset in what was put together would only confuse.
    const message = error.message.replace(/ \(at offset \d+\)$/, '')
    throw new PatternError(message, source, sourceOffset(error.offset), prefixes, error)
  }
}

/** From an offset in the glob that was put together to one in the pattern. */
function offsetOfJoined(offset: number, segments: readonly Segment[], texts: readonly string[]): number {
  let start = 0
  for (const [index, segment] of segments.entries()) {
    const end = start + (texts[index]?.length ?? 0)
    if (offset < end || index === segments.length - 1)
      return segment.offset + Math.min(offset - start, segment.text.length)
    start = end
  }
  return 0
}
