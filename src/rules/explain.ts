/** Why a rule matches a request, or by what it misses it. */
import type { CompiledEntry } from './entry.ts'
import { compilePattern, PatternError, PatternStepLimitError, type Pattern } from './pattern.ts'
import { patternSections, urlSections } from './sections.ts'

export type MatchPart = 'method' | 'scheme' | 'host' | 'path'

export interface Explanation<T> {
  readonly id: string
  readonly value: T
  /** Upper case. */
  readonly methods: readonly string[]
  /** The pattern, as it was written. */
  readonly url: string
  readonly matches: boolean
  readonly priority: number
  /** It matches, but a rule with a higher priority does, too. */
  readonly overruled: boolean
  /** The parts that differ, in the order in which they are written; empty for a rule that matches. */
  readonly differs: readonly MatchPart[]
  /** The pattern does not compile or took too many steps, so that nothing can be said of scheme, host and path. */
  readonly error?: PatternError | PatternStepLimitError
}

/** Takes all rules and a request as the matcher takes it; the nearest rule comes first. */
export function explainRules<T>(
  entries: readonly CompiledEntry<T>[],
  method: string,
  url: string,
): readonly Explanation<T>[] {
  const ranked = entries.map((entry) => {
    const explanation = explainRule(entry, method.toUpperCase(), url)
    return { explanation, index: entry.index, common: commonPrefix(entry.url, url) }
  })
  const highest = Math.max(...ranked.filter(isMatch).map(({ explanation }) => explanation.priority))
  ranked.sort(
    (a, b) =>
      rank(a.explanation) - rank(b.explanation) ||
      // A request for another host is further away than one with another method.
      b.common - a.common ||
      a.index - b.index,
  )
  return ranked.map((each) => ({
    ...each.explanation,
    overruled: isMatch(each) && each.explanation.priority < highest,
  }))
}

const isMatch = ({ explanation }: { readonly explanation: Pick<Explanation<unknown>, 'matches'> }): boolean =>
  explanation.matches

function explainRule<T>(
  { id, value, methods, url: written, pattern, priority }: CompiledEntry<T>,
  method: string,
  url: string,
): Explanation<T> {
  const known = { id, value, methods, url: written, priority, overruled: false }
  const differs: MatchPart[] = methods.includes(method) ? [] : ['method']
  if (pattern instanceof PatternError) return { ...known, matches: false, differs, error: pattern }
  try {
    differs.push(...differingParts(pattern, url))
  } catch (error) {
    if (!(error instanceof PatternStepLimitError)) throw error
    return { ...known, matches: false, differs, error }
  }
  return { ...known, matches: differs.length === 0, differs }
}

function differingParts(pattern: Pattern, url: string): readonly MatchPart[] {
  if (fits(pattern, url)) return []
  const wanted = patternSections(pattern.source)
  const actual = urlSections(url)
  // A pattern that does not show its parts is told by the one that people get wrong most.
  if (wanted === undefined || actual === undefined) return ['path']
  const parts = (['scheme', 'host', 'path'] as const).filter((part) => {
    const partial = compilePart(wanted[part], pattern)
    return partial !== undefined && !fits(partial, actual[part])
  })
  return parts.length > 0 ? parts : ['path']
}

/** A part of a pattern may be no pattern of its own: a glob's braces may stand open across several `<…>`. */
function compilePart(source: string, { strategy }: Pattern): Pattern | undefined {
  try {
    return compilePattern(source, strategy)
  } catch (error) {
    if (error instanceof PatternError) return undefined
    throw error
  }
}

function fits(pattern: Pattern, text: string): boolean {
  return pattern.match(text, { steps: 100_000 }) !== null
}

function rank({ matches, differs, error }: Explanation<unknown>): number {
  if (matches) return 0
  return error === undefined ? differs.length : 4
}

function commonPrefix(pattern: string, url: string): number {
  let length = 0
  while (length < pattern.length && pattern.charCodeAt(length) === url.charCodeAt(length)) length++
  return length
}
