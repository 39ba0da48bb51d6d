import { compactVerify } from 'jose'
import { GatewayError } from '../../errors.ts'
import type { Clock, JsonObject } from '../../pipeline/contract.ts'
import { KeyProblem } from '../key.ts'
import { problemOfClaims, withScp, type ClaimRequirements } from './claims.ts'
import { readCompactJws } from './compact_jws.ts'
import type { VerificationKey } from './key_set.ts'
import type { LookupSettings, VerificationKeys } from './keys.ts'

export interface VerifierOptions {
  readonly keys: VerificationKeys
  readonly urls: readonly string[]
  readonly lookup: LookupSettings
  /** JWS algorithms that are accepted. */
  readonly algorithms: readonly string[]
  readonly claims: ClaimRequirements
  readonly clock: Clock
}

/**
 * Verifies a signed JWT and gives its claims, scopes normalised. Gives `credentials_invalid` for a token that is not good,
 * and `verification_keys_unavailable` when nobody can say. Never rejects for what is in a token.
 */
export type Verify = (token: string) => Promise<JsonObject | GatewayError>

export function createVerifier({
  keys,
  urls,
  lookup,
  algorithms,
  claims: requirements,
  clock,
}: VerifierOptions): Verify {
  return async (token) => {
    const jws = readCompactJws(token)
    if (typeof jws === 'string') return refused(jws)
    const { alg, kid, claims } = jws
    if (!algorithms.includes(alg)) return refused('the algorithm of the token is not allowed')
    const found = await keys.find(urls, kid, lookup)
    if (found.outcome === 'unavailable') {
      const detail = 'no key set that could hold the key of the token could be read'
      return new GatewayError('verification_keys_unavailable', { detail, headers: [['Retry-After', '1']] })
    }
    if (found.outcome === 'unknown') return refused('no key set has a key with the kid of the token and use "sig"')
    const problem = await problemOfSignature(token, alg, found.key)
    if (problem !== undefined) return refused(problem)
    const lacking = problemOfClaims(claims, requirements, clock.now())
    return lacking === undefined ? withScp(claims) : refused(lacking)
  }
}

/** Clients learn from it what is wrong with their token, and nothing of what is in it. */
function refused(problem: string): GatewayError {
  return new GatewayError('credentials_invalid', { reason: problem.charAt(0).toUpperCase() + problem.slice(1) })
}

async function problemOfSignature(token: string, alg: string, key: VerificationKey): Promise<string | undefined> {
  try {
    await compactVerify(token, await key.importFor(alg), { algorithms: [alg] })
    return undefined
  } catch (error) {
    // The library's messages are left out: they may quote the token.
    return error instanceof KeyProblem ? error.message : 'the signature of the token is not valid'
  }
}
