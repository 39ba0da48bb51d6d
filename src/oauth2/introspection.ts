/** The client of introspection endpoints (RFC 7662): one call in flight per question, and a bounded memory of good answers. */
import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { GatewayError } from '../errors.ts'
import { HttpCallError } from '../outbound/client.ts'
import { rateLimited } from '../outbound/rate_limit.ts'
import type { HeaderLine } from '../pipeline/contract/headers.ts'
import type { HttpClient, HttpLimits, HttpRequest } from '../pipeline/contract/http_client.ts'
import type { Clock } from '../pipeline/contract/runtime.ts'
import type { Session } from '../pipeline/contract/session.ts'
import { clientKey, createClientTokens } from './client_tokens.ts'
import { readIntrospection, sessionOf, type Introspection } from './introspection_answer.ts'
import type { ClientCredentials } from './token_endpoint.ts'

/** All that decides about the answer. */
export interface IntrospectionQuestion {
  readonly url: string
  readonly token: string
  /** Scopes that the server is to compare; absent when the gateway does. */
  readonly scope?: string
  /** Lower-case names. */
  readonly headers: readonly HeaderLine[]
  /** The client as which the gateway asks. */
  readonly client?: ClientCredentials | undefined
}

export interface IntrospectionCache {
  /** Milliseconds for which an answer is used; absent means until the token expires. */
  readonly ttl: number | undefined
  /** How many answers are kept. */
  readonly maxEntries: number
}

/** An answer, and the session that all requests with this answer share. */
export interface Introspected {
  readonly token: Introspection
  readonly session: Session
}

export interface Introspections {
  /** Never rejects. */
  ask(question: IntrospectionQuestion, limits: HttpLimits): Promise<Introspected | GatewayError>
  /** A kept answer. Whether it suffices is for each rule to say. */
  recall(question: IntrospectionQuestion, cache: IntrospectionCache): Introspected | undefined
  /** For answers that were good enough for one rule; nobody can fill the memory with tokens that are not. */
  keep(question: IntrospectionQuestion, cache: IntrospectionCache, answer: Introspected): void
}

interface Kept {
  readonly answer: Introspected
  /** Monotonic milliseconds. */
  readonly keptAt: number
}

/** Whatever a config says: more answers, or more characters of them, are not worth their memory. */
const MAX_ENTRIES = 100_000
const MAX_CHARACTERS = 64 * 1024 * 1024
/** Milliseconds for which an answer is kept that has no end of its own, when the config sets none either. */
const TTL_WITHOUT_END = 60_000

export function createIntrospections({
  clock,
  http,
}: {
  readonly clock: Clock
  readonly http: HttpClient
}): Introspections {
  const tokens = createClientTokens({ clock, http })
  const inFlight = new Map<string, Promise<Introspected | GatewayError>>()
  // By size: rules may differ in it, and most do not.
  const caches = new Map<number, LRUCache<string, Kept>>()

  const cacheOf = (maxEntries: number): LRUCache<string, Kept> => {
    const max = Math.min(Math.max(1, maxEntries), MAX_ENTRIES)
    let cache = caches.get(max)
    if (cache === undefined) {
      cache = new LRUCache({
        max,
        maxSize: MAX_CHARACTERS,
        sizeCalculation: ({ answer }, key) => JSON.stringify(answer.token).length + key.length,
      })
      caches.set(max, cache)
    }
    return cache
  }

  const ask = async (question: IntrospectionQuestion, limits: HttpLimits): Promise<Introspected | GatewayError> => {
    const { client } = question
    const bearer = client === undefined ? undefined : await tokens.obtain(client, limits)
    if (bearer instanceof GatewayError) {
      return new GatewayError('introspection_failed', {
        detail: `no token to introspect with: ${bearer.detail ?? bearer.message}`,
      })
    }
    try {
      const response = await http.send(requestOf(question, bearer), limits)
      if (response.status === 200) {
        const token = readIntrospection(response.body)
        if (token !== undefined) return { token, session: sessionOf(token) }
        return new GatewayError('introspection_failed', { detail: 'the answer is not what RFC 7662 says' })
      }
      if (response.status === 429) return rateLimited(response)
      if (response.status === 401 && client !== undefined && bearer !== undefined) tokens.forget(client, bearer)
      return new GatewayError('introspection_failed', {
        message: `Introspection returned status code ${response.status} but expected 200`,
        detail: `the server answered ${response.status}`,
      })
    } catch (error) {
      if (!(error instanceof HttpCallError)) throw error
      if (error.kind === 'overloaded') return new GatewayError('overloaded', { headers: [['Retry-After', '1']] })
      return new GatewayError('introspection_failed', { detail: `the server ${error.message}`, cause: error })
    }
  }

  return {
    ask(question, limits) {
      const key = questionKey(question)
      const running = inFlight.get(key)
      if (running !== undefined) return running
      const asking = ask(question, limits).finally(() => inFlight.delete(key))
      inFlight.set(key, asking)
      return asking
    },
    recall(question, { ttl, maxEntries }) {
      const kept = cacheOf(maxEntries).get(questionKey(question))
      if (kept === undefined) return undefined
      // By the settings of the one who asks: an answer that one rule keeps for an hour is no hour old for another.
      const lifetime = ttl ?? (kept.answer.token.exp > 0 ? Number.POSITIVE_INFINITY : TTL_WITHOUT_END)
      return clock.monotonic() - kept.keptAt < lifetime ? kept.answer : undefined
    },
    keep(question, { maxEntries }, answer) {
      cacheOf(maxEntries).set(questionKey(question), { answer, keptAt: clock.monotonic() })
    },
  }
}

function requestOf({ url, token, scope, headers }: IntrospectionQuestion, bearer: string | undefined): HttpRequest {
  const own: HeaderLine[] = [['content-type', 'application/x-www-form-urlencoded']]
  if (bearer !== undefined) own.push(['authorization', `Bearer ${bearer}`])
  const form = new URLSearchParams({ token })
  if (scope !== undefined) form.set('scope', scope)
  return {
    method: 'POST',
    url,
    headers: [...headers.filter(([name]) => !own.some(([set]) => set === name)), ...own],
    body: form.toString(),
  }
}

/** A hash: no cache holds tokens as its keys. As JSON, so that no two questions can run into one. */
function questionKey({ url, token, scope, headers, client }: IntrospectionQuestion): string {
  const parts = [url, token, scope ?? null, headers, client === undefined ? null : clientKey(client)]
  return hash('sha256', JSON.stringify(parts), 'base64url')
}
