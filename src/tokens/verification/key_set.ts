/** Public and symmetric keys that verify signatures, as a key set publishes them. */
import { importJWK, type CryptoKey } from 'jose'
import { algorithms } from '../algorithms.ts'
import { KeyProblem, publicHalf, readKey, type KeyEntry } from '../key.ts'

export type ImportedKey = CryptoKey | Uint8Array

export interface VerificationKey {
  readonly kid: string
  /** What the key itself says that it is for (RFC 7517 section 4.4). */
  readonly alg?: string
  /** The key, ready for signatures by `alg` (RFC 7518 section 3.1). Rejects with KeyProblem when it does not go with it. */
  importFor(alg: string): Promise<ImportedKey>
}

/**
 * The keys of a JWKS (RFC 7517 section 5) that have a kid and say `use: sig`; the others are passed over, as are those of a
 * kind that is unknown here. Throws KeyProblem for a text that is no key set.
 */
export function readVerificationKeys(text: string): readonly VerificationKey[] {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    // The parser's message is left out: it quotes the text, which may hold keys.
    throw new KeyProblem('is not JSON')
  }
  const keys = (document as { keys?: unknown } | null)?.keys
  if (!Array.isArray(keys)) throw new KeyProblem('is not a JSON Web Key Set')
  return keys.flatMap((value: unknown, index) => verificationKey(value, index + 1) ?? [])
}

function verificationKey(value: unknown, position: number): VerificationKey | undefined {
  let entry: KeyEntry
  try {
    entry = readKey(value, position)
  } catch (error) {
    if (error instanceof KeyProblem) return undefined
    throw error
  }
  const { jwk, kid } = entry
  if (kid === '' || jwk.use !== 'sig') return undefined
  const imported = new Map<string, Promise<ImportedKey>>()
  return {
    kid,
    ...(typeof jwk.alg === 'string' && { alg: jwk.alg }),
    importFor(alg) {
      let key = imported.get(alg)
      if (key === undefined) {
        key = importKey(entry, alg)
        // The names of the algorithms are the config's, so there are few. A failure is one answer for all who ask.
        imported.set(alg, key)
      }
      return key
    },
  }
}

async function importKey(entry: KeyEntry, alg: string): Promise<ImportedKey> {
  const { jwk } = entry
  const algorithm = algorithms.get(alg)
  if (
    algorithm === undefined ||
    algorithm.kty !== jwk.kty ||
    (algorithm.crv !== undefined && algorithm.crv !== jwk.crv)
  ) {
    throw new KeyProblem(`the key's type does not go with ${alg}`)
  }
  if (jwk.kty === 'oct') {
    const secret = Buffer.from(jwk.k ?? '', 'base64url')
    if (secret.length * 8 < algorithm.bits) throw new KeyProblem(`the key is too short for ${alg}`)
    return secret
  }
  const { use: _use, alg: _alg, kid: _kid, ...material } = publicHalf(entry) ?? jwk
  try {
    return await importJWK(material, alg)
  } catch {
    throw new KeyProblem('the key is damaged')
  }
}
