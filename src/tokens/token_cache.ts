import { LRUCache } from 'lru-cache'
import type { Clock, Token, TokenCache } from '../pipeline/contract.ts'

export interface TokenCacheOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly maxEntries?: number
  /** Sum of the lengths of keys and tokens, characters. */
  readonly maxCharacters?: number
}

/** A bounded cache: the tokens that were not used for longest make room. */
export function createTokenCache({
  clock,
  maxEntries = 20_000,
  maxCharacters = 32 * 1024 * 1024,
}: TokenCacheOptions): TokenCache {
  const tokens = new LRUCache<string, Token>({
    max: maxEntries,
    maxSize: maxCharacters,
    sizeCalculation: ({ jwt }, key) => jwt.length + key.length,
  })
  const inFlight = new Map<string, Promise<Token>>()

  return {
    get(key) {
      const token = tokens.get(key)
      if (token === undefined || token.endsAt > clock.monotonic()) return token
      tokens.delete(key)
      return undefined
    },
    obtain(key, sign) {
      const shared = inFlight.get(key)
      if (shared !== undefined) return shared
      const signing = sign()
        .then((token) => {
          tokens.set(key, token)
          return token
        })
        .finally(() => inFlight.delete(key))
      inFlight.set(key, signing)
      return signing
    },
    keepSignedBy(thumbprints) {
      for (const [key, { signedBy }] of tokens.entries()) if (!thumbprints.has(signedBy)) tokens.delete(key)
    },
  }
}
