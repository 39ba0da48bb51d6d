/** The keys that verifiers of our tokens need (RFC 7517), for Hasura, PostgREST and whoever else reads them. */
import type { KeySet } from '../pipeline/contract.ts'
import { publishedKeys, publishedKeysCacheControl } from '../tokens/key_set.ts'
import { jsonAnswer, problemAnswer } from './answers.ts'

/** The public halves of all keys; 500 when sets are configured and none of them could be read, so that no verifier forgets its keys. */
export function publishedKeySet(sets: readonly KeySet[]): Response {
  const keys = publishedKeys(sets)
  if (keys.keys.length === 0 && sets.length > 0 && sets.every(({ problem }) => problem !== undefined)) {
    return problemAnswer(500, 'An internal server error occurred, please contact the system administrator')
  }
  return jsonAnswer(keys, { 'cache-control': publishedKeysCacheControl })
}
