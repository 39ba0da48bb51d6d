/**
 * The client for the calls that handlers make while a request waits. It has connections of its own, so that a slow
 * service cannot starve the upstreams or the session store, and a limit of calls per origin, so that what waits for
 * one service stays bounded.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { HttpClient, HttpLimits, HttpRequest, HttpResponse } from '../pipeline/contract/http_client.ts'
import { CallTimeoutError, exchange, TooLargeError } from './call.ts'
import { OriginPools } from './origin_pools.ts'

export interface HttpClientOptions {
  /** Connections per origin. */
  readonly connections?: number
  /** Calls per origin that have begun, those that wait for a connection included; more are refused at once. */
  readonly concurrency?: number
}

export interface ClosableHttpClient extends HttpClient {
  /** Waits for calls in flight. */
  close(): Promise<void>
}

/** `overloaded`: the call was not made, because too many to this origin are under way. */
export type HttpCallFailure = 'failed' | 'timed_out' | 'too_large' | 'overloaded'

/** There was no whole answer. The message completes "the service …"; it holds nothing of the request or the answer. */
export class HttpCallError extends Error {
  override readonly name = 'HttpCallError'
  readonly kind: HttpCallFailure

  constructor(kind: HttpCallFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

const CONNECT_TIMEOUT = 2000
const MAX_BODY = 1024 * 1024
/** Milliseconds: the whole of a call has a limit of its own. */
const MAX_WAIT = 3_600_000
/** Attempts after the first. */
const RETRIES = 4

/** A client with a pool per origin. */
export function createHttpClient(options: HttpClientOptions = {}): ClosableHttpClient {
  const { connections = 128, concurrency = 1024 } = options
  const pools = new OriginPools({
    connections,
    waiting: concurrency,
    waitTimeout: MAX_WAIT,
    connectTimeout: CONNECT_TIMEOUT,
  })
  const running = new Map<string, number>()

  return {
    async send(request, limits) {
      const { origin } = new URL(request.url)
      const calls = running.get(origin) ?? 0
      if (calls >= concurrency) throw new HttpCallError('overloaded', 'has too many calls to answer already')
      running.set(origin, calls + 1)
      try {
        return await attempts(pools, request, limits)
      } finally {
        const left = (running.get(origin) ?? 1) - 1
        if (left === 0) running.delete(origin)
        else running.set(origin, left)
      }
    },
    close: () => pools.close(),
  }
}

/** Tries until there is an answer that stands, the attempts are used up, or the time is. */
async function attempts(pools: OriginPools, request: HttpRequest, limits: HttpLimits): Promise<HttpResponse> {
  const { giveUpAfter, maxDelay, maxBody = MAX_BODY } = limits
  const deadline = performance.now() + giveUpAfter
  for (let left = maxDelay === undefined ? 0 : RETRIES; ; left--) {
    const timeout = deadline - performance.now()
    const outcome = await exchange(pools, request, { timeout, maxBody }).catch(failure)
    // The pauses double up to the longest; each is cut at random, so that callers do not come back all at once.
    const delay = ((maxDelay ?? 0) / 2 ** (left - 1)) * (0.5 + Math.random() / 2)
    if (left > 0 && isPassing(outcome, maxDelay ?? 0) && performance.now() + delay < deadline) await pause(delay)
    else if (outcome instanceof HttpCallError) throw outcome
    else return outcome
  }
}

/** Whether the next attempt may come to something else. */
function isPassing(outcome: HttpResponse | HttpCallError, maxDelay: number): boolean {
  if (outcome instanceof HttpCallError) return outcome.kind === 'failed'
  const { status, headers } = outcome
  if (status !== 429 && (status < 500 || status === 501)) return false
  const retryAfter = headers['retry-after']
  // A date, the other form of Retry-After, is never as near as a pause is short.
  return retryAfter === undefined || Number(retryAfter) * 1000 <= maxDelay
}

function failure(error: unknown): HttpCallError {
  if (error instanceof CallTimeoutError)
    return new HttpCallError('timed_out', 'did not answer in time', { cause: error })
  if (error instanceof TooLargeError) return new HttpCallError('too_large', 'sent too large an answer')
  // The messages of errors are left out: some quote what was sent.
  const { code } = error as { readonly code?: unknown }
  const detail = typeof code === 'string' ? ` (${code})` : ''
  return new HttpCallError('failed', `gave no whole answer${detail}`, { cause: error })
}
