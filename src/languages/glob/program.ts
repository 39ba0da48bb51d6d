/**
 * Instructions of a compiled glob: a non-deterministic automaton without back edges but for the two wildcards, which
 * stay where they are. So a run over an input of n characters looks at no more than n × (number of instructions).
 */

export type Instruction =
  /** Exactly this code point. */
  | { readonly op: 'char'; readonly char: number }
  /** `?`: one code point that is no separator. */
  | { readonly op: 'single' }
  /** `[abc]`, `[!abc]`: one code point, separators included. */
  | { readonly op: 'list'; readonly chars: ReadonlySet<number>; readonly not: boolean }
  /** `[a-z]`, `[!a-z]`: one code point, separators included. */
  | { readonly op: 'range'; readonly low: number; readonly high: number; readonly not: boolean }
  /** `*`: any run without separators. */
  | { readonly op: 'any' }
  /** `**`: any run. */
  | { readonly op: 'super' }
  /** `{a,b}`: goes on at each of the targets. */
  | { readonly op: 'fork'; readonly targets: readonly number[] }
  /** The end of an alternative. */
  | { readonly op: 'jump'; readonly target: number }
  | { readonly op: 'accept' }

export type Program = readonly Instruction[]
