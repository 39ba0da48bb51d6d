import type { Locate } from '../documents/problem.ts'
import type { Pattern, PatternError } from './pattern.ts'

/** What of a rule decides which requests are its own. */
export interface MatcherEntry<T> {
  readonly id: string
  /** In any case; a rule without methods matches nothing. */
  readonly methods: readonly string[]
  /** Of the entries that match a request, those with the highest count. */
  readonly priority: number
  /** The pattern of `match.url`. */
  readonly url: string
  readonly value: T
  /** Finds places in the rule. */
  readonly locate: Locate
}

/** An entry whose pattern has been compiled, or has turned out not to compile. */
export interface CompiledEntry<T> extends MatcherEntry<T> {
  readonly index: number
  /** Upper case, each once. */
  readonly methods: readonly string[]
  readonly pattern: Pattern | PatternError
}
