/** What handlers make at load, and requests run. */
import type { GatewayError } from '../../errors.ts'
import type { Exchange } from './exchange.ts'
import type { Inbound } from './inbound.ts'
import type { Authentication, Authorization, ErrorAnswer, Mutation } from './outcomes.ts'
import type { Awaitable } from './values.ts'

export type Authenticate = (inbound: Inbound) => Awaitable<Authentication>

/** Throws GatewayError only for faults; a refusal is an outcome. */
export type Authorize = (exchange: Exchange) => Awaitable<Authorization>

/** Throws GatewayError when the edit cannot be made: a request never goes on without it. */
export type Mutate = (exchange: Exchange) => Awaitable<Mutation>

export type AnswerError = (error: GatewayError, inbound: Inbound) => ErrorAnswer

/** An authorizer says at load which request headers it sets, so that a client's own copies never get through. */
export interface AuthorizerStep {
  readonly authorize: Authorize
  /** Lower case. */
  readonly owns: readonly string[]
}

/** A mutator says at load which request headers it owns, so that a client's own copies never get through. */
export interface MutatorStep {
  readonly mutate: Mutate
  /** Lower case. */
  readonly owns: readonly string[]
}

/** An error handler and the condition (`when`) under which it answers. */
export interface ErrorStep {
  /** With `exactly` an error counts under the name of its own status alone; without, also under Oathkeeper's name for it. */
  readonly matches: (error: GatewayError, inbound: Inbound, exactly: boolean) => boolean
  readonly answer: AnswerError
}
