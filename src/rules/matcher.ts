/**
 * Finds the one rule of a request. By method first, then by the literal text that a pattern starts with, and only for
 * what is left by pattern: the cost does not grow with the number of rules, unless their patterns have no literal host.
 */
import type { Interruptible } from '../documents/pace.ts'
import type { Problem } from '../documents/problem.ts'
import type { CompiledEntry, MatcherEntry } from './entry.ts'
import { explainRules, type Explanation } from './explain.ts'
import {
  compilePattern,
  type KnownExpressions,
  PatternError,
  PatternStepLimitError,
  type StepBudget,
} from './pattern.ts'
import { patternErrorProblem, patternWarnings, overlapWarnings } from './pattern_problems.ts'
import type { MatchingStrategy } from './prefixes.ts'
import { PrefixTree } from './prefix_tree.ts'

export type Match<T> =
  | { readonly kind: 'one'; readonly value: T; readonly captures: readonly string[] }
  | { readonly kind: 'none' }
  /** Those with the highest priority, in the order of the rules. */
  | { readonly kind: 'several'; readonly values: readonly T[] }
  | { readonly kind: 'failed'; readonly value: T; readonly error: PatternError | PatternStepLimitError }

export interface Matcher<T> {
  /**
   * Takes the method and `scheme://host/path`, the path decoded and resolved. Never throws.
   *
   * A rule whose pattern does not compile, or needs too many steps, fails the requests that have one of its methods and
   * start with its literal text, even when another rule of any priority matches them: nobody can tell whose they are. (Oathkeeper fails
   * every request of its methods.)
   */
  match(method: string, url: string): Match<T>
  /** What of each rule fits the request and what does not, the nearest rule first. */
  explain(method: string, url: string): readonly Explanation<T>[]
}

export interface CreatedMatcher<T> {
  readonly matcher: Matcher<T>
  /** Patterns that do not compile, that match nothing, or that match what another one matches. */
  readonly problems: readonly Problem[]
  /** The values of the entries whose pattern does not compile. */
  readonly broken: readonly T[]
}

/** Enough for any sensible pattern; a hostile path ends here within a millisecond or two. */
const stepsPerPattern = 100_000
/** However many patterns a path has to be held against. */
const stepsPerRequest = 1_000_000

const none = { kind: 'none' } as const

/**
 * Takes all rules, in order, and how their patterns are written. Never throws: what is wrong comes back as problems.
 * Can be interrupted after each rule.
 */
export function* createMatcher<T>(
  entries: readonly MatcherEntry<T>[],
  strategy: MatchingStrategy,
): Interruptible<CreatedMatcher<T>> {
  const compiled: CompiledEntry<T>[] = []
  const trees = new Map<string, PrefixTree<CompiledEntry<T>>>()
  const known: KnownExpressions = new Set()
  for (const [index, written] of entries.entries()) {
    yield
    const entry = compileEntry(written, index, strategy, known)
    compiled.push(entry)
    for (const method of entry.methods) {
      let tree = trees.get(method)
      if (tree === undefined) trees.set(method, (tree = new PrefixTree()))
      for (const prefix of entry.pattern.prefixes) tree.add(prefix, entry)
    }
  }
  const candidates: CompiledEntry<T>[] = []
  const budget: StepBudget = { steps: 0 }

  function match(method: string, url: string): Match<T> {
    const tree = trees.get(method) ?? trees.get(method.toUpperCase())
    if (tree === undefined) return none
    candidates.length = 0
    tree.find(url, candidates)
    let winner: CompiledEntry<T> | undefined
    let captures: readonly string[] = []
    let others: CompiledEntry<T>[] | undefined
    let stepsLeft = stepsPerRequest
    for (const entry of candidates) {
      const { pattern } = entry
      if (pattern instanceof PatternError) return { kind: 'failed', value: entry.value, error: pattern }
      const granted = Math.min(stepsPerPattern, stepsLeft)
      budget.steps = granted
      let found: readonly string[] | null
      try {
        found = pattern.match(url, budget)
      } catch (error) {
        if (!(error instanceof PatternStepLimitError)) throw error
        return { kind: 'failed', value: entry.value, error }
      }
      stepsLeft -= granted - budget.steps
      if (found === null || (winner !== undefined && entry.priority < winner.priority)) continue
      if (winner === undefined || entry.priority > winner.priority) {
        winner = entry
        captures = found
        others = undefined
      } else (others ??= []).push(entry)
    }
    if (winner === undefined) return none
    if (others === undefined) return { kind: 'one', value: winner.value, captures }
    const all = [winner, ...others].sort((a, b) => a.index - b.index)
    return { kind: 'several', values: all.map(({ value }) => value) }
  }

  const broken = compiled.filter((entry) => entry.pattern instanceof PatternError)
  return {
    matcher: { match, explain: (method, url) => explainRules(compiled, method, url) },
    problems: [
      ...compiled.flatMap((entry) => patternProblems(entry)),
      ...(yield* overlapWarnings(compiled, (method, url, into) => trees.get(method)?.find(url, into))),
    ],
    broken: broken.map(({ value }) => value),
  }
}

function compileEntry<T>(
  entry: MatcherEntry<T>,
  index: number,
  strategy: MatchingStrategy,
  known: KnownExpressions,
): CompiledEntry<T> {
  const methods = [...new Set(entry.methods.map((method) => method.toUpperCase()))]
  try {
    return { ...entry, index, methods, pattern: compilePattern(entry.url, strategy, known) }
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    return { ...entry, index, methods, pattern: error }
  }
}

function patternProblems<T>(entry: CompiledEntry<T>): readonly Problem[] {
  const { pattern } = entry
  return pattern instanceof PatternError
    ? [patternErrorProblem(pattern, entry.locate)]
    : patternWarnings(entry, pattern)
}
