import { LRUCache } from 'lru-cache'
import type { Revocation } from '../pipeline/contract/revocations.ts'
import type { Clock } from '../pipeline/contract/runtime.ts'
import type { Session } from '../pipeline/contract/session.ts'
import type { Token, TokenCache } from '../pipeline/contract/tokens.ts'

export interface TokenCacheOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly maxEntries?: number
  /** Sum of the lengths of keys and tokens, characters. */
  readonly maxCharacters?: number
}

interface Kept {
  readonly token: Token
  readonly session: string | undefined
  readonly identity: string | undefined
}

/** A bounded cache: the tokens that were not used for longest make room. */
export function createTokenCache({
  clock,
  maxEntries = 20_000,
  maxCharacters = 32 * 1024 * 1024,
}: TokenCacheOptions): TokenCache {
  const tokens = new LRUCache<string, Kept>({
    max: maxEntries,
    maxSize: maxCharacters,
    sizeCalculation: ({ token }, key) => token.jwt.length + key.length,
  })
  const inFlight = new Map<string, Promise<Token>>()

  return {
    get(key) {
      const token = tokens.get(key)?.token
      if (token === undefined || token.endsAt > clock.monotonic()) return token
      tokens.delete(key)
      return undefined
    },
    obtain(key, sign, { id: session, identity }: Pick<Session, 'id' | 'identity'> = {}) {
      const shared = inFlight.get(key)
      if (shared !== undefined) return shared
      const signing = sign()
        .then((token) => {
          tokens.set(key, { token, session, identity })
          return token
        })
        .finally(() => inFlight.delete(key))
      inFlight.set(key, signing)
      return signing
    },
    // Sessions end seldom, and tokens are few enough to look through; an index would cost more than it saves.
    forget(revocation) {
      for (const [key, kept] of tokens.entries()) if (ends(revocation, kept)) tokens.delete(key)
    },
    keepSignedBy(thumbprints) {
      for (const [key, { token }] of tokens.entries()) if (!thumbprints.has(token.signedBy)) tokens.delete(key)
    },
  }
}

function ends(revocation: Revocation, { session, identity }: Kept): boolean {
  if ('session' in revocation) return session === undefined || session === revocation.session
  if ('identity' in revocation) return identity === undefined || identity === revocation.identity
  return true
}
