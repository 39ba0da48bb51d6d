/** The public API: a gateway as a library, and what a handler of one's own is made of. */
export { createGateway } from './gateway.ts'
export type { Gateway, GatewayOptions } from './gateway.ts'
export { ListenError } from './listeners.ts'
export type { Address, Addresses } from './listeners.ts'
export { codes, GatewayError } from './errors.ts'
export type { Code, GatewayErrorOptions } from './errors.ts'
export { formatProblem, ProblemsError } from './documents/problem.ts'
export type { Place, Problem } from './documents/problem.ts'
export {
  ConfigError,
  defineAuthenticator,
  defineAuthorizer,
  defineErrorHandler,
  defineMutator,
} from './pipeline/contract.ts'
export type {
  AllowedDecision,
  AnyHandler,
  Authentication,
  Authorization,
  Decision,
  ErrorAnswer,
  ErrorStep,
  Exchange,
  HeaderEdit,
  Inbound,
  Mutation,
  MutatorStep,
  RefusedDecision,
  RequestHeaders,
  Safeguards,
  Session,
  Setup,
  TemplateSettings,
  Trace,
  TraceStep,
} from './pipeline/contract.ts'
