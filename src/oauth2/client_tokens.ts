import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { GatewayError } from '../errors.ts'
import type { HttpClient, HttpLimits } from '../pipeline/contract/http_client.ts'
import type { Clock } from '../pipeline/contract/runtime.ts'
import type { Awaitable } from '../pipeline/contract/values.ts'
import { requestToken, type ClientCredentials } from './token_endpoint.ts'

/** The access tokens by which the gateway itself authorises its calls: each is reused until shortly before it expires. */
export interface ClientTokens {
  /** Never rejects. Those who ask at the same time share one call. */
  obtain(credentials: ClientCredentials, limits: HttpLimits): Awaitable<string | GatewayError>
  /** A server no longer accepts the token: the next one who asks gets a new one. */
  forget(credentials: ClientCredentials, token: string): void
}

interface Kept {
  readonly token: string
  /** Monotonic milliseconds. */
  readonly endsAt: number
}

/** Milliseconds by which a token is given up before its end, so that it does not expire on its way. */
const MARGIN = 10_000
/** There are as many as configs name clients. */
const MAX_TOKENS = 1000

export function createClientTokens({
  clock,
  http,
}: {
  readonly clock: Clock
  readonly http: HttpClient
}): ClientTokens {
  const kept = new LRUCache<string, Kept>({ max: MAX_TOKENS })
  const inFlight = new Map<string, Promise<string | GatewayError>>()

  const request = async (
    key: string,
    credentials: ClientCredentials,
    limits: HttpLimits,
  ): Promise<string | GatewayError> => {
    const token = await requestToken(http, credentials, limits)
    if (token instanceof GatewayError) return token
    const endsAt = clock.monotonic() + (token.lifetime ?? Number.POSITIVE_INFINITY) - MARGIN
    kept.set(key, { token: token.value, endsAt })
    return token.value
  }

  return {
    obtain(credentials, limits) {
      const key = clientKey(credentials)
      const known = kept.get(key)
      if (known !== undefined && clock.monotonic() < known.endsAt) return known.token
      const running = inFlight.get(key)
      if (running !== undefined) return running
      const asking = request(key, credentials, limits).finally(() => inFlight.delete(key))
      inFlight.set(key, asking)
      return asking
    },
    forget(credentials, token) {
      const key = clientKey(credentials)
      if (kept.peek(key)?.token === token) kept.delete(key)
    },
  }
}

/** One key for the same client asking for the same; a hash, so that no cache holds secrets as its keys. */
export function clientKey({ tokenUrl, clientId, clientSecret, scopes, audience = '' }: ClientCredentials): string {
  return hash('sha256', JSON.stringify([tokenUrl, clientId, clientSecret, scopes, audience]), 'base64url')
}
