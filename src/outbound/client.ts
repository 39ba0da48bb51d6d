/**
 * The client for the calls that handlers make while a request waits. It has connections of its own, so that a slow
 * service cannot starve the upstreams or the session store, and a limit of calls per origin, so that what waits for
 * one service stays bounded.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { Agent } from 'undici'
import { CallError, type HttpAnswer, type HttpCall, type HttpClient, type HttpLimits } from '../pipeline/contract.ts'
import { exchange, TooLargeError } from './call.ts'

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

const CONNECT_TIMEOUT = 2000
/** Attempts after the first. */
const RETRIES = 4

/** A client with a pool per origin. */
export function createHttpClient(options: HttpClientOptions = {}): ClosableHttpClient {
  const { connections = 128, concurrency = 1024 } = options
  const agent = new Agent({ connections, connect: { timeout: CONNECT_TIMEOUT }, pipelining: 1 })
  const running = new Map<string, number>()

  const enter = (origin: string): void => {
    const calls = running.get(origin) ?? 0
    if (calls >= concurrency) throw new CallError('has too many calls to answer already')
    running.set(origin, calls + 1)
  }
  const leave = (origin: string): void => {
    const calls = running.get(origin) ?? 1
    if (calls === 1) running.delete(origin)
    else running.set(origin, calls - 1)
  }

  return {
    async call(call, limits) {
      const { origin } = new URL(call.url)
      enter(origin)
      try {
        return await attempts(agent, call, limits)
      } finally {
        leave(origin)
      }
    },
    close: () => agent.close(),
  }
}

/** Tries until there is an answer that stands, the attempts are used up, or the time is. */
async function attempts(agent: Agent, call: HttpCall, { timeout, maxBody, maxDelay }: HttpLimits): Promise<HttpAnswer> {
  const deadline = performance.now() + timeout
  const signal = AbortSignal.timeout(timeout)
  const retries = maxDelay === undefined ? 0 : RETRIES
  for (let attempt = 0; ; attempt++) {
    const outcome = await exchange(agent, call, { signal, maxBody }).catch((error: unknown) => failure(error, signal))
    // The pauses double up to the longest; each is cut at random, so that callers do not come back all at once.
    const delay = ((maxDelay ?? 0) / 2 ** (RETRIES - 1 - attempt)) * (0.5 + Math.random() / 2)
    const last = attempt === retries || !isPassing(outcome, maxDelay ?? 0) || performance.now() + delay >= deadline
    if (!last) await pause(delay)
    else if (outcome instanceof CallError) throw outcome
    else return outcome
  }
}

/** Whether the next attempt may come to something else: no answer, too many requests, or an error of the server. */
function isPassing(outcome: HttpAnswer | CallError, maxDelay: number): boolean {
  if (outcome instanceof CallError) return !(outcome.cause instanceof TooLargeError)
  const { status, headers } = outcome
  if (status !== 429 && (status < 500 || status === 501)) return false
  // Who asks for more time than there is gets it by our giving up.
  const retryAfter = headers['retry-after']
  return retryAfter === undefined || Number(retryAfter) * 1000 <= maxDelay
}

/** The messages of errors are left out: some quote the request or the answer. */
function failure(error: unknown, signal: AbortSignal): CallError {
  if (signal.aborted) return new CallError('did not answer in time', { cause: error })
  if (error instanceof TooLargeError) return new CallError('answered with too large a body', { cause: error })
  const { code } = error as { readonly code?: unknown }
  return new CallError(`gave no whole answer${typeof code === 'string' ? ` (${code})` : ''}`, { cause: error })
}
