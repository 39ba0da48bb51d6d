/** A request that has been authenticated, and what its steps have said so far. */
import type { HeaderEdit } from './headers.ts'
import type { Inbound } from './inbound.ts'
import type { Session } from './session.ts'

/** What authorizers, mutators and templates see of a request that has been authenticated. */
export interface Exchange {
  readonly inbound: Inbound
  /** Capture groups of the rule's pattern, without the whole match; empty for glob. */
  readonly captures: readonly string[]
  readonly session: Session
  /** What earlier steps have set so far, in order. */
  readonly edits: readonly HeaderEdit[]
}
