/** The public API: a gateway as a library, and what a handler of one's own is made of. */
export { createGateway } from './gateway.ts'
export type { Gateway, GatewayOptions } from './gateway.ts'
export { ListenError } from './listeners.ts'
export type { Address, Addresses } from './listeners.ts'
export { codes, GatewayError } from './errors.ts'
export type { Code, GatewayErrorOptions } from './errors.ts'
export { formatProblem, ProblemsError } from './documents/problem.ts'
export type { Place, Problem } from './documents/problem.ts'
export { ConfigError } from './pipeline/contract/config_error.ts'
export {
  defineAuthenticator,
  defineAuthorizer,
  defineErrorHandler,
  defineMutator,
} from './pipeline/contract/handler.ts'
export type { AllowedDecision, Decision, RefusedDecision, Trace, TraceStep } from './pipeline/contract/decision.ts'
export type { Exchange } from './pipeline/contract/exchange.ts'
export type { AnyHandler } from './pipeline/contract/handler.ts'
export type { HeaderEdit, RequestHeaders } from './pipeline/contract/headers.ts'
export type { Inbound } from './pipeline/contract/inbound.ts'
export type { Authentication, Authorization, ErrorAnswer, Mutation } from './pipeline/contract/outcomes.ts'
export type { Safeguards } from './pipeline/contract/safeguards.ts'
export type { Session } from './pipeline/contract/session.ts'
export type { Setup, TemplateSettings } from './pipeline/contract/setup.ts'
export type { ErrorStep, MutatorStep } from './pipeline/contract/steps.ts'
