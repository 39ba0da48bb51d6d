import { compactVerify } from 'jose'
import { GatewayError } from '../../errors.ts'
import type { Clock } from '../../pipeline/contract/runtime.ts'
import type { JsonObject } from '../../pipeline/contract/values.ts'
import { KeyProblem } from '../key.ts'
import { problemOfClaims, withScp, type ClaimRequirements } from './claims.ts'
import { type CompactJws, readClaims, readCompactJws } from './compact_jws.ts'
import type { VerificationKey } from './key_set.ts'
import type { LookupSettings, VerificationKeys } from './keys.ts'

export interface SignatureOptions {
  readonly keys: VerificationKeys
  readonly urls: readonly string[]
  readonly lookup: LookupSettings
  /** JWS algorithms that are accepted. */
  readonly algorithms: readonly string[]
  /** Whether a key that names its algorithm verifies nothing else (RFC 8725 section 3.1). */
  readonly pinned: boolean
}

export interface VerifierOptions extends SignatureOptions {
  readonly claims: ClaimRequirements
  readonly clock: Clock
}

/**
 * Verifies a signed JWT and gives its claims, scopes normalised. Gives `credentials_invalid` for a token that is not good,
 * and `verification_keys_unavailable` when nobody can say. Never rejects for what is in a token.
 */
export type Verify = (token: string) => Promise<JsonObject | GatewayError>

export function createVerifier({ claims: requirements, clock, ...options }: VerifierOptions): Verify {
  const errorOfSignature = signatureCheck(options)
  return async (token) => {
    const jws = readCompactJws(token)
    if (typeof jws === 'string') return refused(jws)
    const claims = readClaims(jws)
    if (typeof claims === 'string') return refused(claims)
    const error = await errorOfSignature(token, jws)
    if (error !== undefined) return error
    const lacking = problemOfClaims(claims, requirements, clock.now())
    return lacking === undefined ? withScp(claims) : refused(lacking)
  }
}

/** What is wrong with the signature of a token, which has been read; undefined when it is good. The codes are those above. */
export function signatureCheck({
  keys,
  urls,
  lookup,
  algorithms,
  pinned,
}: SignatureOptions): (token: string, jws: CompactJws) => Promise<GatewayError | undefined> {
  return async (token, { alg, kid }) => {
    if (!algorithms.includes(alg)) return refused('the algorithm of the token is not allowed')
    const found = await keys.find(urls, kid, lookup)
    if (found.outcome === 'unavailable') {
      const detail = 'no key set that could hold the key of the token could be read'
      return new GatewayError('verification_keys_unavailable', { detail, headers: [['Retry-After', '1']] })
    }
    if (found.outcome === 'unknown') return refused('no key set has a key with the kid of the token and use "sig"')
    if (pinned && (found.key.alg ?? alg) !== alg) return refused('the key of the token is for another algorithm')
    const problem = await problemOfSignature(token, alg, found.key)
    return problem === undefined ? undefined : refused(problem)
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
