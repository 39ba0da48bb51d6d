import type { Exchange } from '../../pipeline/contract/exchange.ts'
import type { Awaitable, Json, JsonObject } from '../../pipeline/contract/values.ts'

/** What a token says, whatever language it is written in. */
export interface ClaimsTemplate {
  /** Tells this template from every other: its language, its options and its text. */
  readonly identity: string
  /** Whether what it says takes the place of registered claims, `sub` apart; else they take the place of what it says. */
  readonly replacesRegistered: boolean
  /**
   * The claims as data. Throws GatewayError `template_failed`; rejects with it when evaluated elsewhere.
   * @param registered the claims that the token has anyway
   */
  evaluate(exchange: Exchange, registered: JsonObject): Awaitable<JsonObject>
  /**
   * Stands for the result without evaluating the template: two exchanges with the same fingerprint give the same claims.
   * Undefined when that cannot be told because the template reads the request, or differs from run to run.
   */
  fingerprint(exchange: Exchange): string | undefined
}

/** Claims made of the exchange alone and at once, as Handlebars and Go templates do. */
export interface RenderedClaims extends ClaimsTemplate {
  readonly replacesRegistered: false
  evaluate(exchange: Exchange): JsonObject
}

/** A path from the root of what templates see. */
export type ReadPath = readonly string[]

/** A value of a template; undefined is a missing one. */
export type Value = Json | undefined

/** A member of a value: own properties only, so that a prototype's never look like data, and `length` of texts and lists. */
export function lookUp(value: Value, name: string): Value {
  if (typeof value === 'string') return name === 'length' ? value.length : undefined
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as { readonly [name: string]: Json })[name]
}
