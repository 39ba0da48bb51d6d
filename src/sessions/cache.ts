/**
 * What is known of sessions, by the hash of the question that found it. A session is kept beyond the time for which it
 * may be used again: it may have to last through an outage, and it tells that a refusal is news.
 */
import { LRUCache } from 'lru-cache'
import type { Revocation } from '../pipeline/contract/revocations.ts'
import type { Clock } from '../pipeline/contract/runtime.ts'
import type { Session } from '../pipeline/contract/session.ts'
import type { SessionAnswer, SessionPolicy } from '../pipeline/contract/session_store.ts'
import { createOwnerIndex } from './owner_index.ts'
import { createStringSharing } from './shared_strings.ts'

/** An answer and what is kept with it. */
export interface Reply {
  readonly answer: SessionAnswer
  /** HTTP status; absent when there was no whole answer. */
  readonly status?: number
  /** Milliseconds for which the session store says the answer may be used again; absent when it does not say. */
  readonly cacheFor?: number | undefined
  /** Characters of the body. */
  readonly size: number
}

export interface SessionCacheOptions {
  readonly clock: Clock
  /** From 0 to below 1. */
  readonly random?: () => number
}

type SessionFound = Extract<SessionAnswer, { readonly outcome: 'session' }>
type SessionDenied = Extract<SessionAnswer, { readonly outcome: 'denied' }>

/**
 * What an entry is good for: an answer; an answer only in an outage, because the session is to be asked for again; or
 * none at all, because it was revoked. That a session was known tells even then that a refusal is news.
 */
type Worth = 'answers' | 'outage' | 'nothing'

interface Known {
  worth: Worth
  /** Without Set-Cookie lines: they were for the one whose call brought them. */
  readonly answer: SessionFound
  /** The same, marked; made when it is needed. */
  stale: SessionFound | undefined
  /** Monotonic milliseconds. */
  readonly keptAt: number
  readonly cacheFor: number | undefined
  /** From above 0.9 to 1: sessions that were found together are not asked for again together. */
  readonly share: number
  readonly size: number
}

interface Refused {
  readonly answer: SessionDenied
  /** Monotonic milliseconds. */
  readonly until: number
}

export interface SessionCache {
  /** What may be answered without the session store. */
  fresh(key: string, policy: SessionPolicy): SessionAnswer | undefined
  /** What may be answered while the session store is unavailable; the session is marked as stale. */
  stale(key: string, policy: SessionPolicy): SessionAnswer | undefined
  /** Whether the question has led to a session that has neither ended nor been refused since. */
  knows(key: string): boolean
  /** The session that the question has led to, if it may still be answered, be it only in an outage. */
  session(key: string): Session | undefined
  /** Keeps what may be kept, and forgets what the answer refutes. */
  learn(key: string, reply: Reply, policy: SessionPolicy): void
  /** From now on nothing that this ends is answered, neither as fresh nor as stale. */
  revoke(revocation: Revocation): void
  /** The session is asked for again before it is fresh. */
  doubt(sessionId: string): void
  /** Every session with an id that may be answered, each once. */
  sessions(): readonly Session[]
}

/** However large single sessions are. */
const MAX_CHARACTERS = 64 * 1024 * 1024
/** For whoever asks for so many sessions that the common ones take more. */
const CHARACTERS_EACH = 2048
/** What an entry takes beside the characters of its session. */
const OVERHEAD = 512
/** Refusals have room of their own: nobody can drive out sessions with credentials that are none. */
const MAX_REFUSALS = 10_000

export function createSessionCache({ clock, random = Math.random }: SessionCacheOptions): SessionCache {
  // By size: rules may differ in it, and most do not.
  const caches = new Map<number, LRUCache<string, Known>>()
  const refusals = new LRUCache<string, Refused>({ max: MAX_REFUSALS })
  const shareStrings = createStringSharing()
  const owners = createOwnerIndex<Known>()

  const cacheOf = (maxEntries: number): LRUCache<string, Known> => {
    let cache = caches.get(maxEntries)
    if (cache === undefined) {
      cache = new LRUCache({
        max: maxEntries,
        maxSize: Math.max(MAX_CHARACTERS, maxEntries * CHARACTERS_EACH),
        sizeCalculation: ({ size }) => size + OVERHEAD,
        dispose: (known) => owners.delete(known, known.answer.session),
      })
      caches.set(maxEntries, cache)
    }
    return cache
  }

  const hasEnded = ({ expiresAt }: Session): boolean => expiresAt !== undefined && expiresAt <= clock.now()

  /** By the policy of the one who asks: what one rule keeps for an hour is not an hour old for another. */
  const ageBeyond = (known: Known, { ttl = 0 }: SessionPolicy): number =>
    clock.monotonic() - known.keptAt - (known.cacheFor ?? ttl) * known.share

  const forget = (key: string): void => {
    for (const cache of caches.values()) cache.delete(key)
  }

  return {
    fresh(key, policy) {
      const known = cacheOf(policy.maxEntries).get(key)
      if (known !== undefined) {
        return known.worth === 'answers' && ageBeyond(known, policy) < 0 && !hasEnded(known.answer.session)
          ? known.answer
          : undefined
      }
      const refused = refusals.get(key)
      if (refused === undefined) return undefined
      if (clock.monotonic() < refused.until) return refused.answer
      refusals.delete(key)
      return undefined
    },
    stale(key, policy) {
      if (policy.maxEntries === 0 || policy.staleIfError === 0) return undefined
      const known = cacheOf(policy.maxEntries).get(key)
      if (known === undefined || known.worth === 'nothing') return undefined
      if (ageBeyond(known, policy) >= policy.staleIfError) return undefined
      if (hasEnded(known.answer.session)) return undefined
      known.stale ??= { ...known.answer, session: { ...known.answer.session, stale: true } }
      return known.stale
    },
    knows(key) {
      for (const cache of caches.values()) {
        const known = cache.peek(key)
        if (known !== undefined && !hasEnded(known.answer.session)) return true
      }
      return false
    },
    session(key) {
      for (const cache of caches.values()) {
        const known = cache.peek(key)
        if (known !== undefined && known.worth !== 'nothing' && !hasEnded(known.answer.session))
          return known.answer.session
      }
      return undefined
    },
    learn(key, { answer, status, cacheFor, size }, policy) {
      const keeps = policy.maxEntries > 0
      if (answer.outcome === 'session') {
        refusals.delete(key)
        const worthKeeping = (cacheFor ?? policy.ttl ?? 0) + policy.staleIfError > 0
        if (!keeps || !worthKeeping) return
        shareStrings(answer.session.extra)
        const known: Known = {
          worth: 'answers',
          answer: { ...answer, setCookie: [] },
          stale: undefined,
          keptAt: clock.monotonic(),
          cacheFor,
          share: 1 - random() / 10,
          size,
        }
        cacheOf(policy.maxEntries).set(key, known)
        // An entry too large to be kept is not there.
        if (cacheOf(policy.maxEntries).peek(key) === known) owners.add(known, answer.session)
      } else if (answer.outcome === 'denied' && status !== 429) {
        forget(key)
        if (!keeps || status !== 401 || cacheFor === undefined || cacheFor === 0) return
        const until = clock.monotonic() + cacheFor * (1 - random() / 10)
        refusals.set(key, { answer: { ...answer, setCookie: [] }, until })
      }
    },
    revoke(revocation) {
      for (const known of owners.of(revocation)) known.worth = 'nothing'
      if ('everything' in revocation) refusals.clear()
    },
    doubt(sessionId) {
      for (const known of owners.of({ session: sessionId })) if (known.worth === 'answers') known.worth = 'outage'
    },
    sessions() {
      const found = new Map<string, Session>()
      for (const { worth, answer } of owners.of({ everything: true })) {
        const { session } = answer
        if (worth !== 'nothing' && session.id !== undefined && !hasEnded(session)) found.set(session.id, session)
      }
      return [...found.values()]
    },
  }
}
