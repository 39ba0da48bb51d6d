/** What a server says about a token (RFC 7662 section 2.2), and whether that is enough. */
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import type { Session } from '../pipeline/contract/session.ts'
import type { Json, JsonObject } from '../pipeline/contract/values.ts'
import { splitScope, type ScopeStrategy } from './scope.ts'

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '')

const audience = z
  .union([z.string().transform((one) => [one]), z.array(z.string())])
  .optional()
  .transform((list) => list ?? [])

const answer = z.looseObject({
  active: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
  token_use: text,
  sub: text,
  username: text,
  client_id: text,
  iss: text,
  scope: text,
  exp: z
    .number()
    .nullish()
    .transform((value) => value ?? 0),
  aud: audience,
  ext: z
    .record(z.string(), z.json())
    .nullish()
    .transform((value) => value ?? {}),
})

/** The members that count; `exp` is 0 when there is none. */
export type Introspection = z.output<typeof answer>

/** Reads the body of a 200; undefined for one that is not what RFC 7662 says. */
export function readIntrospection(body: string): Introspection | undefined {
  try {
    return answer.safeParse(JSON.parse(body)).data
  } catch {
    return undefined
  }
}

export interface TokenRequirements {
  readonly audiences: readonly string[]
  /** One of them must be `iss`; none means any. */
  readonly issuers: readonly string[]
  readonly scopes: readonly string[]
  /** Without one the server has compared the scopes. */
  readonly strategy: ScopeStrategy | undefined
  /** Whether `sub` must be there. */
  readonly strict: boolean
}

/**
 * The refusal, or undefined when the token is good. To be asked of every answer for every rule, from a cache or not: what one
 * rule accepts is not what another asks for. `now` in epoch milliseconds.
 */
export function refusalOf(
  token: Introspection,
  requirements: TokenRequirements,
  now: number,
): GatewayError | undefined {
  const { audiences, issuers, scopes, strategy, strict } = requirements
  if (token.token_use !== '' && token.token_use !== 'access_token') {
    return forbidden(`Use of introspected token is not an access token but ${JSON.stringify(token.token_use)}`)
  }
  if (!token.active) return unauthorized('Access token is not active')
  if (token.exp > 0 && token.exp * 1000 < now) return unauthorized('Access token expired')
  const foreign = audiences.find((target) => !token.aud.includes(target))
  if (foreign !== undefined) return forbidden(`Token audience is not intended for target audience ${foreign}`)
  if (issuers.length > 0 && !issuers.includes(token.iss))
    return forbidden('Token issuer does not match any trusted issuer')
  const granted = splitScope(token.scope)
  const missing = strategy === undefined ? undefined : scopes.find((scope) => !strategy(granted, scope))
  if (missing !== undefined) return forbidden(`Scope ${missing} was not granted`)
  return strict && token.sub === '' ? unauthorized('Access token has no subject') : undefined
}

function forbidden(reason: string): GatewayError {
  return new GatewayError('access_denied', { reason })
}

function unauthorized(reason: string): GatewayError {
  return new GatewayError('credentials_invalid', { reason })
}

export function sessionOf(token: Introspection): Session {
  const extra: JsonObject = {
    ...(token.ext as Record<string, Json>),
    username: token.username,
    client_id: token.client_id,
    scope: token.scope,
    ...(token.aud.length > 0 && { aud: token.aud }),
  }
  return { subject: token.sub, extra, ...(token.exp > 0 && { expiresAt: token.exp * 1000 }) }
}
