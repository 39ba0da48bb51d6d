/**
 * The client of the session store (Kratos' `/sessions/whoami`, or anything that answers like it): one call in flight per
 * question, a bounded memory of sessions, limits of time and size, and a connection pool of its own, so that a slow
 * session store cannot starve the upstreams and no upstream can starve it.
 */
import { CallTimeoutError, exchange, originOf, TooLargeError } from '../outbound/call.ts'
import { OriginPools } from '../outbound/origin_pools.ts'
import type { HttpResponse } from '../pipeline/contract/http_client.ts'
import type { Revocation } from '../pipeline/contract/revocations.ts'
import type { Clock, Log } from '../pipeline/contract/runtime.ts'
import type { Session } from '../pipeline/contract/session.ts'
import type { SessionAnswer, SessionPolicy, SessionQuestion, SessionStore } from '../pipeline/contract/session_store.ts'
import { cacheableFor, outOfOrder, outrun, overloaded, readAnswer, unavailable, unbelievable } from './answer.ts'
import { createBreaker } from './breaker.ts'
import { createSessionCache, type Reply } from './cache.ts'
import { createHealthCheck } from './health.ts'
import { createKnownAnswers } from './known_answers.ts'
import { createPlaces } from './places.ts'
import { questionKey } from './question_key.ts'
import { createRevocationLog } from './revocation_log.ts'

export interface SessionStoreOptions {
  /** Milliseconds for a whole call, waiting for a free connection included. */
  readonly timeout?: number
  /** Calls at the same time, over all questions. */
  readonly concurrency?: number
  /** Bytes of an answer's body. */
  readonly maxBody?: number
  readonly clock?: Clock
  readonly log?: Pick<Log, 'info' | 'warn'>
  /** Told about every call that was made, for metrics: how it ended. */
  readonly observe?: (outcome: SessionAnswer['outcome']) => void
  /** Told about every question that was answered from memory, for metrics. */
  readonly observeMemory?: (kind: 'fresh' | 'stale') => void
  /**
   * Told of a remembered session when a credential of it is refused: with 401 by a session store that says it is ready, or
   * with a session that is not active or has expired. The credential alone may be over while the session lives on with
   * another: what is remembered of it is in doubt, not its end.
   */
  readonly onRefused?: (sessionId: string) => void
}

export interface SessionMemory extends SessionStore {
  /** Forgets what is revoked, and lets no answer to an earlier question bring it back. */
  revoke(revocation: Revocation): void
  /** The session is asked for again before it is used again. */
  doubt(sessionId: string): void
  /** The sessions with an id that are remembered, each once. */
  remembered(): readonly Session[]
  /**
   * Until the returned function is called every session is asked for, because news of revocations may be missed. What is
   * remembered still counts in an outage of the session store, as policies allow.
   */
  distrustMemory(): () => void
  close(): Promise<void>
}

const CONNECT_TIMEOUT = 500

const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() }
const askEachTime: SessionPolicy = { maxEntries: 0, staleIfError: 0, reuse: false }

/** Attempts to get an answer that is not older than a revocation of its session. */
const ATTEMPTS = 3

const hasIds = ({ id, identity }: Session): boolean => id !== undefined && identity !== undefined

/** A session store client with a pool per origin. `close` waits for calls in flight. */
export function createSessionStore(options: SessionStoreOptions = {}): SessionMemory {
  const { timeout = 2000, concurrency = 128, maxBody = 256 * 1024, clock = systemClock } = options
  const { log, observe, observeMemory, onRefused } = options
  const pools = new OriginPools({ connections: concurrency, connectTimeout: CONNECT_TIMEOUT })
  const cache = createSessionCache({ clock })
  const known = createKnownAnswers(clock)
  const places = createPlaces(concurrency)
  const isReady = createHealthCheck(pools)
  const inFlight = new Map<string, Promise<SessionAnswer>>()
  const revocations = createRevocationLog()
  let distrusts = 0
  const breaker = createBreaker({
    clock,
    onChange(origin, open) {
      if (open) log?.warn({ origin }, 'The session store does not answer; it is asked once a second until it does')
      else log?.info({ origin }, 'The session store answers again')
    },
  })

  /** Makes the call, if it can be made; never rejects. */
  const call = async (question: SessionQuestion): Promise<Reply> => {
    const origin = originOf(question.url)
    if (!breaker.admits(origin)) return { answer: outOfOrder(), size: 0 }
    let left = timeout
    const waits = !places.tryTake()
    if (waits) {
      const began = performance.now()
      if (!(await places.wait(timeout))) return { answer: overloaded(), size: 0 }
      left -= performance.now() - began
    }
    try {
      if (waits && breaker.isOpen(origin)) return { answer: outOfOrder(), size: 0 }
      const reply = await exchange(pools, question, { timeout: left, maxBody })
        .then((response) => answered(response, question, origin))
        .catch((error: unknown) => failed(error, origin, left))
      observe?.(reply.answer.outcome)
      return reply
    } finally {
      places.leave()
    }
  }

  const answered = (response: HttpResponse, question: SessionQuestion, origin: string): Reply => {
    breaker.answered(origin)
    const { status, body } = response
    return {
      answer: readAnswer(response, question, known),
      status,
      cacheFor: cacheableFor(response),
      size: body.length,
    }
  }

  /** Takes the milliseconds that were left for the call when it began. */
  const failed = (error: unknown, origin: string, left: number): Reply => {
    // What cannot be read is an answer, too; and the client may be the one who made it so large.
    if (!(error instanceof TooLargeError || error instanceof TypeError)) breaker.failed(origin)
    // When most of the time went by before the call, that says nothing about the session store.
    const late = left < timeout && error instanceof CallTimeoutError
    return { answer: late ? overloaded() : unavailable(error), size: 0 }
  }

  const ask = async (question: SessionQuestion, key: string, policy: SessionPolicy): Promise<SessionAnswer> => {
    try {
      for (let attempt = 1; ; attempt++) {
        const { moment } = revocations
        const reply = await call(question)
        const { answer, status } = reply
        const { healthUrl } = policy
        const isNews = status === 401 && healthUrl !== undefined && cache.knows(key)
        if (isNews && !(await isReady(healthUrl))) return unbelievable()
        if (answer.outcome !== 'session' || !revocations.revokedSince(moment, answer.session)) {
          // With 200 the session store has said in so many words that the session is over, and needs no second opinion.
          const isRefusal = isNews || (status === 200 && answer.outcome === 'denied')
          const refused = isRefusal ? cache.session(key)?.id : undefined
          cache.learn(key, reply, policy)
          if (refused !== undefined) onRefused?.(refused)
          return answer
        }
        // Of a session without ids it cannot be told whether it was the one: its answer counts for those who wait, and is not kept.
        if (attempt === ATTEMPTS) return hasIds(answer.session) ? outrun() : answer
      }
    } finally {
      inFlight.delete(key)
    }
  }

  const orStale = (answer: SessionAnswer, key: string, policy: SessionPolicy): SessionAnswer => {
    const stale = answer.outcome === 'unavailable' ? cache.stale(key, policy) : undefined
    if (stale === undefined) return answer
    observeMemory?.('stale')
    return stale
  }

  return {
    ask(question, policy = askEachTime) {
      const key = questionKey(question)
      if (policy.reuse && distrusts === 0) {
        const fresh = cache.fresh(key, policy)
        if (fresh !== undefined) {
          observeMemory?.('fresh')
          return fresh
        }
      }
      let asking = inFlight.get(key)
      if (asking === undefined) {
        // Nobody's abort signal is passed on: a client that goes away must not fail the others who wait for this answer.
        asking = ask(question, key, policy)
        inFlight.set(key, asking)
      }
      return asking.then((answer) => orStale(answer, key, policy))
    },
    revoke(revocation) {
      revocations.add(revocation)
      cache.revoke(revocation)
      known.revoke(revocation)
    },
    doubt: (sessionId) => cache.doubt(sessionId),
    remembered: () => cache.sessions(),
    distrustMemory() {
      let over = false
      distrusts++
      return () => {
        if (!over) distrusts--
        over = true
      }
    },
    close: () => pools.close(),
  }
}
