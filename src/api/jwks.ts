/** The keys that verifiers of our tokens need (RFC 7517), for Hasura, PostgREST and whoever else reads them. */
import type { KeySet } from '../pipeline/contract/keys.ts'
import type { ErrorAnswer } from '../pipeline/contract/outcomes.ts'
import { publishedKeys, publishedKeysCacheControl } from '../tokens/key_set.ts'
import { goJson, JSON_TYPE, problem } from './answers.ts'

export const JWKS_PATH = '/.well-known/jwks.json'

/** The public halves of all keys; 500 when sets are configured and none of them could be read, so that no verifier forgets its keys. */
export function publishedKeySet(sets: readonly KeySet[]): ErrorAnswer {
  const keys = publishedKeys(sets)
  if (keys.keys.length === 0 && sets.length > 0 && sets.every((set) => set.problem !== undefined)) {
    return problem(500, 'An internal server error occurred, please contact the system administrator')
  }
  return {
    status: 200,
    headers: [
      ['Content-Type', JSON_TYPE],
      ['Cache-Control', publishedKeysCacheControl],
    ],
    body: `${goJson(keys)}\n`,
  }
}
