/** What the pipeline comes to, and how. */
import type { GatewayError } from '../../errors.ts'
import type { HeaderEdit, HeaderLine } from './headers.ts'
import type { ErrorAnswer } from './outcomes.ts'
import type { Session } from './session.ts'
import type { UpstreamTarget } from './upstream.ts'

export interface AllowedDecision {
  readonly allowed: true
  readonly ruleId: string
  readonly session: Session
  readonly edits: readonly HeaderEdit[]
  readonly responseHeaders: readonly HeaderLine[]
  readonly echoRequestHeaders: boolean
  /** Absent for a rule without `upstream.url`: it serves /decisions only. */
  readonly upstream?: UpstreamTarget | undefined
  /**
   * Told the status of the upstream's answer before the client sees any of it, and 0 when the request is over, which tells
   * something only when no answer came before.
   */
  readonly answered?: (status: number) => void
}

export interface RefusedDecision {
  readonly allowed: false
  /** Absent when no rule, or more than one, matched. */
  readonly ruleId?: string
  readonly error: GatewayError
  readonly answer: ErrorAnswer
  /** The session, when the request got so far. */
  readonly session?: Session
}

export type Decision = AllowedDecision | RefusedDecision

/** One line of how a decision came about; recorded for `explain` only. */
export interface TraceStep {
  readonly step: 'match' | 'authenticator' | 'authorizer' | 'mutator' | 'error_handler'
  /** Handler name, or the rule's id for `match`. */
  readonly name: string
  readonly outcome: string
  readonly detail?: string
}

export type Trace = (step: TraceStep) => void
