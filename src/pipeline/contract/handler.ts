/** A handler, and how one is defined. Who writes one begins here; `setup.ts` says what it is given. */
import type { z } from 'zod'
import type { Setup } from './setup.ts'
import type { Authenticate, AuthorizerStep, ErrorStep, MutatorStep } from './steps.ts'
import type { Awaitable } from './values.ts'

/**
 * One pluggable handler: a name, a config schema, and a factory that runs once per rule when the rule is loaded.
 * The one schema serves parsing, defaults, types, the editor's JSON Schema and the reference table.
 */
export interface Handler<Kind extends string, Step> {
  readonly kind: Kind
  /** What users write after `handler:`; also the name of the handler's file. */
  readonly name: string
  readonly config: z.ZodType
  // A method, not a property: keeps a handler with a narrower config assignable to this type.
  create(config: unknown, setup: Setup): Awaitable<Step>
}

export type Authenticator = Handler<'authenticators', Authenticate>

export type Authorizer = Handler<'authorizers', AuthorizerStep>

export type Mutator = Handler<'mutators', MutatorStep>

export type ErrorHandler = Handler<'errors', ErrorStep>

export type AnyHandler = Authenticator | Authorizer | Mutator | ErrorHandler

interface Definition<Schema extends z.ZodType, Step> {
  readonly name: string
  readonly config: Schema
  /** Throws ConfigError for what the schema cannot say. */
  create(config: z.output<Schema>, setup: Setup): Awaitable<Step>
}

export const defineAuthenticator = <S extends z.ZodType>(handler: Definition<S, Authenticate>): Authenticator => ({
  kind: 'authenticators',
  ...handler,
})

export const defineAuthorizer = <S extends z.ZodType>(handler: Definition<S, AuthorizerStep>): Authorizer => ({
  kind: 'authorizers',
  ...handler,
})

export const defineMutator = <S extends z.ZodType>(handler: Definition<S, MutatorStep>): Mutator => ({
  kind: 'mutators',
  ...handler,
})

export const defineErrorHandler = <S extends z.ZodType>(handler: Definition<S, ErrorStep>): ErrorHandler => ({
  kind: 'errors',
  ...handler,
})
