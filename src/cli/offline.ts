/** What loading needs and looking at a config does not: a runtime that never calls out. */
import { randomUUID } from 'node:crypto'
import type { Runtime } from '../load.ts'
import type { SessionStore } from '../pipeline/contract.ts'
import { createTokenCache } from '../tokens/token_cache.ts'

const silent = (): void => undefined

/** `sessions` answers in the place of the session store. Whatever loading would log, its problems say as well. */
export function offlineRuntime(sessions: SessionStore): Runtime {
  const clock = { now: () => Date.now(), monotonic: () => performance.now() }
  return {
    clock,
    randomUUID: () => randomUUID(),
    sessions,
    tokens: createTokenCache({ clock }),
    log: { debug: silent, info: silent, warn: silent, error: silent },
  }
}
