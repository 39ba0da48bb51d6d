import { parseGlob } from './parse.ts'
import { createRunner, type GlobBudget } from './run.ts'

export { GlobStepLimitError, GlobSyntaxError } from './errors.ts'

export interface Glob {
  readonly source: string
  /** Whether the whole input matches. Throws GlobStepLimitError when the budget, 100,000 steps unless given, is used up. */
  test(input: string, budget?: GlobBudget): boolean
}

const defaultSteps = 100_000
const special = '*?\\[]{}'

/**
 * Takes a pattern in the syntax of gobwas/glob v0.2.3 and the characters that `*` and `?` do not match.
 * Throws GlobSyntaxError.
 */
export function compileGlob(pattern: string, separators: readonly string[] = []): Glob {
  const run = createRunner(parseGlob(pattern), separators)
  return { source: pattern, test: (input, budget = { steps: defaultSteps }) => run(input, budget) }
}

/** Takes any text; returns the pattern that matches exactly this text, also inside braces up to its commas. */
export function quoteGlob(text: string): string {
  let quoted = ''
  for (const char of text) quoted += special.includes(char) ? `\\${char}` : char
  return quoted
}
