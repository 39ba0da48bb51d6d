/** How granted scopes cover required ones; the strategies of Ory's fosite, by which Oathkeeper compares. */
import { z } from 'zod'

export const scopeStrategyName = z
  .enum(['hierarchic', 'exact', 'wildcard', 'none'])
  .default('none')
  .describe(
    'How granted scopes cover required ones: equal (exact), `foo` covers `foo.bar` (hierarchic), `foo.*` covers `foo.bar` (wildcard), or not compared here (none).',
  )

/** Whether what was granted covers one required scope. */
export type ScopeStrategy = (granted: readonly string[], required: string) => boolean

/** Undefined for `none`: there is nothing to compare with. */
export function scopeStrategy(name: z.output<typeof scopeStrategyName>): ScopeStrategy | undefined {
  return strategies[name]
}

const strategies: Record<z.output<typeof scopeStrategyName>, ScopeStrategy | undefined> = {
  none: undefined,
  exact: (granted, required) => granted.includes(required),
  hierarchic: (granted, required) => granted.some((scope) => required === scope || required.startsWith(`${scope}.`)),
  wildcard: (granted, required) => {
    const segments = required.split('.')
    return granted.some((scope) => covers(scope.split('.'), segments))
  },
}

/** `*` stands for one segment that is not empty; at the end it also covers whatever follows. */
function covers(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length > segments.length) return false
  if (pattern.length < segments.length && pattern.at(-1) !== '*') return false
  return pattern.every((part, index) => (part === '*' ? segments[index] !== '' : part === segments[index]))
}

/** The scopes of a `scope` value: separated by spaces (RFC 6749 section 3.3). */
export function splitScope(text: string): string[] {
  return text.split(' ').filter((scope) => scope !== '')
}
