/**
 * The client of the session store (Kratos' `/sessions/whoami`, or anything that answers like it): one call in flight per
 * question, limits of time and size, and a connection pool of its own, so that a slow session store cannot starve the
 * upstreams and no upstream can starve it.
 */
import { hash } from 'node:crypto'
import { Agent } from 'undici'
import { GatewayError } from '../errors.ts'
import { exchange } from '../outbound/call.ts'
import type { SessionAnswer, SessionQuestion, SessionStore } from '../pipeline/contract.ts'
import { readAnswer, unavailable } from './answer.ts'

export interface SessionStoreOptions {
  /** Milliseconds for a whole call, waiting for a free connection included. */
  readonly timeout?: number
  /** Calls at the same time, over all questions. */
  readonly concurrency?: number
  /** Bytes of an answer's body. */
  readonly maxBody?: number
  /** Told about every call that was made, for metrics: seconds, and how it ended. */
  readonly observe?: (outcome: SessionAnswer['outcome'], seconds: number) => void
}

export interface ClosableSessionStore extends SessionStore {
  close(): Promise<void>
}

const CONNECT_TIMEOUT = 500

/** Length-prefixed, so that no two questions can be told apart wrongly by where their parts end. */
function questionKey(question: SessionQuestion): string {
  const parts = [question.method, question.url, question.reader.key]
  for (const [name, value] of question.headers) parts.push(name, value)
  return hash('sha256', parts.map((part) => `${part.length}:${part}`).join(''), 'base64url')
}

function overloaded(): SessionAnswer {
  return { outcome: 'unavailable', error: new GatewayError('overloaded', { headers: [['Retry-After', '1']] }) }
}

/** A session store client with a pool per origin. `close` waits for calls in flight. */
export function createSessionStore(options: SessionStoreOptions = {}): ClosableSessionStore {
  const { timeout = 2000, concurrency = 128, maxBody = 256 * 1024, observe } = options
  const agent = new Agent({ connections: concurrency, connect: { timeout: CONNECT_TIMEOUT }, pipelining: 1 })
  const inFlight = new Map<string, Promise<SessionAnswer>>()
  let active = 0
  const waiting: (() => void)[] = []

  /** Resolves with false when no place became free in time. */
  const wait = (deadline: AbortSignal): Promise<boolean> =>
    new Promise((resolve) => {
      const proceed = (): void => {
        deadline.removeEventListener('abort', giveUp)
        resolve(true)
      }
      const giveUp = (): void => {
        waiting.splice(waiting.indexOf(proceed), 1)
        resolve(false)
      }
      waiting.push(proceed)
      deadline.addEventListener('abort', giveUp, { once: true })
    })
  // The place is handed over rather than freed, so that a newcomer cannot slip in before those who wait.
  const leave = (): void => {
    const next = waiting.shift()
    if (next === undefined) active--
    else next()
  }

  const ask = async (question: SessionQuestion): Promise<SessionAnswer> => {
    const deadline = AbortSignal.timeout(timeout)
    const full = active >= concurrency
    if (!full) active++
    else if (!(await wait(deadline))) return overloaded()
    try {
      return readAnswer(await exchange(agent, question, { signal: deadline, maxBody }), question)
    } catch (error) {
      // Most of the time went by before the call: that says nothing about the session store.
      return full && deadline.aborted ? overloaded() : unavailable(error)
    } finally {
      leave()
    }
  }

  return {
    ask(question) {
      const key = questionKey(question)
      const running = inFlight.get(key)
      if (running !== undefined) return running
      const start = performance.now()
      // Nobody's abort signal is passed on: a client that goes away must not fail the others who wait for this answer.
      const answer = ask(question).then((result) => {
        inFlight.delete(key)
        observe?.(result.outcome, (performance.now() - start) / 1000)
        return result
      })
      inFlight.set(key, answer)
      return answer
    },
    close: () => agent.close(),
  }
}
