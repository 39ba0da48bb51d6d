/** What advice on a rule looks at. */
import { isMap } from '../../documents/layers.ts'
import type { Locate, Path, Problem } from '../../documents/problem.ts'
import type { Rule } from '../../rules/rule.ts'
import type { MatchingStrategy } from '../../rules/prefixes.ts'
import type { Safeguards } from '../contract/safeguards.ts'
import type { UpstreamTarget } from '../contract/upstream.ts'

/** A handler and its config. */
export interface AdvisedHandler {
  readonly name: string
  /** Where it stands in the rule; of `errors.fallback`, in the config. */
  readonly path: Path
  /** The rule's config over the global one. */
  readonly config: unknown
}

/** A handler of the rule, as it was compiled. */
export interface AdvisedStep extends AdvisedHandler {
  /** Finds places in that config, whichever file they came from. */
  readonly locateConfig: Locate
  /** Lower-case names of the headers that it sets or removes. */
  readonly owns: readonly string[]
}

export interface AdvisedRule {
  readonly rule: Rule
  /** Finds places in the rule. */
  readonly locate: Locate
  readonly upstream: UpstreamTarget | undefined
  readonly authenticators: readonly AdvisedStep[]
  /** Mutators, and authorizers between them, in the order in which they run. */
  readonly edits: readonly AdvisedStep[]
  readonly errors: readonly AdvisedStep[]
  /** Whether the client's session credentials and Authorization reach the upstream. */
  readonly passesCredentials: boolean
  /** As it is in force for the rule. */
  readonly clientHeaders: Safeguards['client_headers']
  readonly path: Safeguards['path']
  readonly safeguards: Pick<Safeguards, 'session_request' | 'session_requirements'>
  readonly matchingStrategy: MatchingStrategy
}

export function warning(message: string, place: Problem['place'], hint: string): Problem {
  return { severity: 'warning', message, hint, ...(place !== undefined && { place }) }
}

/** The value of a key in a step's config. */
export function settingOf({ config }: AdvisedHandler, ...path: readonly string[]): unknown {
  let value = config
  for (const key of path) {
    if (!isMap(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return value
}
