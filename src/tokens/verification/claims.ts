/** What a verified token's claims must say (RFC 7519 section 4.1), and how Oathkeeper hands them on. */
import { splitScope, type ScopeStrategy } from '../../oauth2/scope.ts'
import type { JsonObject } from '../../pipeline/contract/values.ts'

export interface ClaimRequirements {
  /** Each of them must be in `aud`. */
  readonly audiences: readonly string[]
  /** One of them must be `iss`; none means any. */
  readonly issuers: readonly string[]
  readonly scopes: readonly string[]
  /** Without one no required scope is ever granted. */
  readonly strategy: ScopeStrategy | undefined
  /** Whether `sub` and `exp` must be there. */
  readonly strict: boolean
}

/** Says in words, without values of the claims, what they lack; undefined when they are good. `now` in epoch milliseconds. */
export function problemOfClaims(claims: JsonObject, requirements: ClaimRequirements, now: number): string | undefined {
  return problemOfTimes(claims, now / 1000, requirements.strict) ?? problemOfParties(claims, requirements)
}

/** NumericDates, without leeway. A claim that is there and no number is as bad as one that has passed. */
function problemOfTimes({ exp, nbf, iat }: JsonObject, now: number, strict: boolean): string | undefined {
  if (exp === undefined ? strict : typeof exp !== 'number') return 'The token does not say when it expires'
  if (typeof exp === 'number' && exp <= now) return 'The token has expired'
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= now)) return 'The token is not valid yet'
  if (iat !== undefined && !(typeof iat === 'number' && iat <= now)) return 'The token was issued in the future'
  return undefined
}

function problemOfParties(
  claims: JsonObject,
  { audiences, issuers, scopes, strategy, strict }: ClaimRequirements,
): string | undefined {
  const { aud, iss, sub } = claims
  if (sub !== undefined && typeof sub !== 'string') return 'The subject of the token is not a string'
  if (strict && (sub === undefined || sub === '')) return 'The token has no subject'
  const intended = typeof aud === 'string' ? [aud] : Array.isArray(aud) ? aud : []
  if (!audiences.every((audience) => intended.includes(audience))) return 'The token is not intended for this audience'
  if (issuers.length > 0 && !(typeof iss === 'string' && issuers.includes(iss)))
    return 'The issuer of the token is not trusted'
  const granted = scopesOf(claims).scopes
  return scopes.every((scope) => strategy?.(granted, scope) === true)
    ? undefined
    : 'The token was not granted a required scope'
}

/** Issuers spell it in three ways; the first that is there counts. */
const SCOPE_CLAIMS = ['scp', 'scope', 'scopes'] as const

/** The scopes, and the claim that they stand in; empty when none does. */
export function scopesOf(claims: JsonObject): { readonly scopes: string[]; readonly claim: string } {
  const claim = SCOPE_CLAIMS.find((name) => Object.hasOwn(claims, name))
  const value = claim === undefined ? undefined : claims[claim]
  const scopes =
    typeof value === 'string'
      ? splitScope(value)
      : Array.isArray(value)
        ? value.filter((scope) => typeof scope === 'string')
        : []
  return { scopes, claim: claim ?? '' }
}

/** The claims with their scopes as the list `scp`, so that templates need to know one spelling only. */
export function withScp(claims: JsonObject): JsonObject {
  const { scopes, claim } = scopesOf(claims)
  const { [claim]: _original, ...rest } = claims
  return { ...rest, scp: scopes }
}
