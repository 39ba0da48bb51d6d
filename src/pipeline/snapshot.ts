/** The rules in force, compiled and immutable. A request reads one snapshot once; a reload builds the next one aside. */
import type { Matcher } from '../rules/matcher.ts'
import type { Rule } from '../rules/rule.ts'
import type { KeySet } from './contract/keys.ts'
import type { Log } from './contract/runtime.ts'
import type { Authenticate, Authorize, ErrorStep, Mutate } from './contract/steps.ts'
import type { UpstreamTarget } from './contract/upstream.ts'

export interface Named<Step> {
  /** The handler's name, for traces and logs. */
  readonly name: string
  readonly step: Step
}

export interface NamedAuthenticator extends Named<Authenticate> {
  /** Whether the next authenticator is asked when this one refuses (`on_error: next`). */
  readonly passesRefusals: boolean
}

export interface CompiledRule {
  readonly id: string
  readonly rule: Rule
  readonly authenticators: readonly NamedAuthenticator[]
  /** `before_authorizer`; most rules have none. */
  readonly beforeAuthorizer: readonly Named<Mutate>[]
  /** At least one; all must allow. */
  readonly authorizers: readonly Named<Authorize>[]
  readonly mutators: readonly Named<Mutate>[]
  readonly errors: readonly Named<ErrorStep>[]
  readonly upstream?: UpstreamTarget
}

export interface Snapshot {
  /** Valid and broken ones; a broken rule matches and its broken step answers 500. */
  readonly rules: readonly CompiledRule[]
  /** The rules without a problem: what the rules API lists and readiness counts. */
  readonly validRules: readonly Rule[]
  readonly matcher: Matcher<CompiledRule>
  /** `errors.fallback`, in order. */
  readonly fallback: readonly Named<ErrorStep>[]
  /** Lower-case names of all headers that some mutator sets: a client's own copies never reach an upstream. */
  readonly ownedHeaders: ReadonlySet<string>
  /** Every key set that signs under this snapshot. */
  readonly keySets: readonly KeySet[]
  readonly log: Log
}
