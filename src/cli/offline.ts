/** What loading needs and looking at a config does not: a runtime that never calls out. */
import { randomUUID } from 'node:crypto'
import { GatewayError } from '../errors.ts'
import type { Runtime } from '../load.ts'
import { HttpCallError } from '../outbound/client.ts'
import type { HttpClient } from '../pipeline/contract/http_client.ts'
import type { SessionStore } from '../pipeline/contract/session_store.ts'
import { createShared } from '../pipeline/shared.ts'
import { createRevocations } from '../sessions/revocations.ts'
import { createMapperWorkers } from '../tokens/claims/workers/pool.ts'
import { createTokenCache } from '../tokens/token_cache.ts'

const silent = (): void => undefined

const unreachable: HttpClient = {
  send: () => Promise.reject(new HttpCallError('failed', 'this command calls no service')),
}

/** For commands that only load: loading asks nobody who they are. */
export const noSessionStore: SessionStore = {
  ask: () => Promise.resolve({ outcome: 'unavailable', error: new GatewayError('session_store_unavailable') }),
}

/** `sessions` answers in the place of the session store. Whatever loading would log, its problems say as well. */
export function offlineRuntime(sessions: SessionStore, http: HttpClient = unreachable): Runtime {
  const clock = { now: () => Date.now(), monotonic: () => performance.now() }
  const log = { debug: silent, info: silent, warn: silent, error: silent }
  return {
    clock,
    randomUUID: () => randomUUID(),
    sessions,
    revocations: createRevocations(log),
    tokens: createTokenCache({ clock }),
    mapperWorkers: createMapperWorkers(),
    http,
    shared: createShared({ clock, http, log }),
    log,
  }
}
