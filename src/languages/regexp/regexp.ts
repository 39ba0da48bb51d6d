import { compileProgram } from './compiler.ts'
import { load, loadedText } from './input.ts'
import { captured, search } from './machine.ts'
import { parsePattern } from './parser.ts'

/** Enough for any sensible pattern on a URL; a hostile one ends here within a few milliseconds. */
const DEFAULT_STEPS = 100_000

export interface MatchLimits {
  /** The step budget, 100 000 when no limits are given. What a match needs is taken off, so that matches can share one. */
  steps: number
}

/** A compiled pattern. It keeps no state between matches. */
export interface Regexp {
  readonly source: string
  /**
   * Finds the first match.
   * @returns the whole match, then every group in the order of its number (unnamed groups by opening parenthesis, then
   *   named ones); '' for a group that took no part. null when nothing matches.
   * @throws RegexpStepLimitError when the budget does not suffice
   */
  exec(input: string, limits?: MatchLimits): readonly string[] | null
  /** Whether there is a match. @throws RegexpStepLimitError when the budget does not suffice */
  test(input: string, limits?: MatchLimits): boolean
}

const prefixes = new WeakMap<Regexp, string>()

/**
 * Compiles a pattern: .NET's syntax as dlclark/regexp2 v1.2.0 reads it with its RE2 option.
 * @throws RegexpSyntaxError when the pattern is malformed or beyond the limits (length, nesting, repeat counts)
 */
export function compileRegexp(source: string): Regexp {
  const program = compileProgram(parsePattern(source))
  const { prefix } = program

  const find = (input: string, limits: MatchLimits = { steps: DEFAULT_STEPS }) => {
    if (prefix !== '' && !input.startsWith(prefix)) return undefined
    return search(program, load(input), limits)
  }

  const regexp: Regexp = {
    source,
    exec(input, limits) {
      const found = find(input, limits)
      if (found === undefined) return null
      const texts = [loadedText(found.start, found.end)]
      for (let group = 1; group <= program.groups; group++) {
        const bounds = captured(group)
        texts.push(bounds === undefined ? '' : loadedText(bounds.start, bounds.end))
      }
      return texts
    },
    test: (input, limits) => find(input, limits) !== undefined,
  }
  prefixes.set(regexp, prefix)
  return regexp
}

/** The text that every match starts with, at the start of the input; '' when the pattern is not anchored there. */
export function literalPrefix(regexp: Regexp): string {
  return prefixes.get(regexp) ?? ''
}

/** The pattern that matches exactly this text. */
export function quoteMeta(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&')
}
