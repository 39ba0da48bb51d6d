import { LRUCache } from 'lru-cache'
import { GatewayError } from '../errors.ts'
import type { HttpClient, HttpLimits } from '../pipeline/contract/http_client.ts'
import type { Clock } from '../pipeline/contract/runtime.ts'
import type { Session } from '../pipeline/contract/session.ts'
import { clientKey } from './client_tokens.ts'
import { requestToken, type ClientCredentials } from './token_endpoint.ts'

export interface ClientCache {
  /** Milliseconds for which a client counts as verified; absent means until its token expires. */
  readonly ttl: number | undefined
  /** How many clients are remembered. */
  readonly maxEntries: number
}

/** Clients that proved who they are by getting a token for their credentials. */
export interface VerifiedClients {
  /** Never rejects. Those who ask with the same credentials at the same time share one call. */
  verify(
    credentials: ClientCredentials,
    limits: HttpLimits,
    cache: ClientCache | undefined,
  ): Promise<Session | GatewayError>
  recall(credentials: ClientCredentials, cache: ClientCache): Session | undefined
}

interface Verified {
  readonly session: Session
  /** Monotonic milliseconds. */
  readonly verifiedAt: number
  /** Milliseconds from then on; of the token. */
  readonly lifetime: number
}

const MAX_ENTRIES = 100_000
/** Milliseconds, when neither the server nor the config says. */
const DEFAULT_LIFETIME = 60_000

export function createVerifiedClients({
  clock,
  http,
}: {
  readonly clock: Clock
  readonly http: HttpClient
}): VerifiedClients {
  const inFlight = new Map<string, Promise<Verified | GatewayError>>()
  const caches = new Map<number, LRUCache<string, Verified>>()

  const cacheOf = (maxEntries: number): LRUCache<string, Verified> => {
    const max = Math.min(Math.max(1, maxEntries), MAX_ENTRIES)
    let cache = caches.get(max)
    if (cache === undefined) {
      cache = new LRUCache({ max })
      caches.set(max, cache)
    }
    return cache
  }

  const ask = async (credentials: ClientCredentials, limits: HttpLimits): Promise<Verified | GatewayError> => {
    const token = await requestToken(http, credentials, limits)
    if (token instanceof GatewayError) return token
    const { lifetime } = token
    return {
      session: {
        subject: credentials.clientId,
        extra: null,
        ...(lifetime !== undefined && { expiresAt: clock.now() + lifetime }),
      },
      verifiedAt: clock.monotonic(),
      lifetime: lifetime ?? Number.POSITIVE_INFINITY,
    }
  }

  return {
    async verify(credentials, limits, cache) {
      const key = clientKey(credentials)
      let asking = inFlight.get(key)
      if (asking === undefined) {
        asking = ask(credentials, limits).finally(() => inFlight.delete(key))
        inFlight.set(key, asking)
      }
      const verified = await asking
      if (verified instanceof GatewayError) return verified
      if (cache !== undefined) cacheOf(cache.maxEntries).set(key, verified)
      return verified.session
    },
    recall(credentials, { ttl, maxEntries }) {
      const verified = cacheOf(maxEntries).get(clientKey(credentials))
      if (verified === undefined) return undefined
      const lifetime = Math.min(
        verified.lifetime,
        ttl ?? (verified.lifetime === Number.POSITIVE_INFINITY ? DEFAULT_LIFETIME : verified.lifetime),
      )
      return clock.monotonic() - verified.verifiedAt < lifetime ? verified.session : undefined
    },
  }
}
