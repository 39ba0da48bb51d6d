/** Extends sessions by Kratos' admin API, behind the requests' backs. */
import { LRUCache } from 'lru-cache'
import type { HttpClient, HttpResponse } from '../pipeline/contract/http_client.ts'
import type { Clock, Log } from '../pipeline/contract/runtime.ts'
import type { SessionExtender } from '../pipeline/contract/session_store.ts'

export type ExtensionOutcome = 'extended' | 'unchanged' | 'failed'

export interface ExtenderOptions {
  readonly http: HttpClient
  readonly clock: Clock
  readonly log: Pick<Log, 'warn'>
  /** Told of a session that may live longer than what is remembered says. */
  readonly onExtended: (sessionId: string) => void
  /** Told of every attempt, for metrics. */
  readonly observe: (outcome: ExtensionOutcome) => void
}

/** `kratos.extend_sessions`, and where Kratos is. */
export interface ExtensionSettings {
  readonly adminUrl: string
  /** Where sessions are checked; absent means anywhere. */
  readonly publicUrl: string | undefined
  /** Milliseconds: a session with less than this left is extended. */
  readonly remaining: number
  /** Milliseconds for which it is then left alone, whatever came of it. */
  readonly interval: number
}

/** Makes extenders, which share what they remember of sessions that were tried: one for each generation of the config. */
export type SessionExtenders = (settings: ExtensionSettings) => SessionExtender

/** Sessions of which it is remembered that they were tried. */
const MAX_REMEMBERED = 100_000
/** Attempts at the same time; whoever comes then has their session tried with a later request. */
const CONCURRENCY = 32
/** Milliseconds for one attempt. */
const TIMEOUT = 5000

export function createExtenders({ http, clock, log, onExtended, observe }: ExtenderOptions): SessionExtenders {
  /** By session id: until when it is left alone, monotonic milliseconds. Its room is taken when it is first needed. */
  let remembered: LRUCache<string, number> | undefined
  let running = 0

  const attempt = async (id: string, expiresAt: number, adminUrl: string): Promise<void> => {
    const base = adminUrl.endsWith('/') ? adminUrl : `${adminUrl}/`
    const url = `${base}admin/sessions/${encodeURIComponent(id)}/extend`
    let outcome: ExtensionOutcome = 'failed'
    try {
      const answer = await http.send({ method: 'PATCH', url, headers: [] }, { giveUpAfter: TIMEOUT })
      outcome = outcomeOf(answer, expiresAt)
      if (outcome === 'failed') log.warn({ status: answer.status }, 'A session could not be extended')
    } catch {
      log.warn({}, 'A session could not be extended: Kratos’ admin API does not answer')
    }
    observe(outcome)
    // The next whoami brings the browser the cookie that lives as long as the session now does.
    if (outcome === 'extended') onExtended(id)
  }

  return ({ adminUrl, publicUrl, remaining, interval }) => {
    const tried = (remembered ??= new LRUCache({ max: MAX_REMEMBERED }))
    const origin = publicUrl === undefined ? undefined : new URL(publicUrl).origin
    return {
      appliesTo: (url) => origin === undefined || new URL(url).origin === origin,
      use({ id, expiresAt, stale }) {
        if (id === undefined || expiresAt === undefined || stale === true) return
        const left = expiresAt - clock.now()
        if (left >= remaining || left <= 0 || running >= CONCURRENCY) return
        const now = clock.monotonic()
        if ((tried.get(id) ?? -Infinity) > now) return
        tried.set(id, now + interval)
        running++
        void attempt(id, expiresAt, adminUrl).finally(() => running--)
      },
    }
  }
}

/** Kratos answers a session that may not be extended yet with 200 and leaves it as it was; a 204 says nothing of it. */
function outcomeOf({ status, body }: HttpResponse, expiresAt: number): ExtensionOutcome {
  if (status === 204) return 'extended'
  if (status !== 200) return 'failed'
  try {
    const { expires_at: end } = JSON.parse(body) as { readonly expires_at?: unknown }
    return typeof end === 'string' && Date.parse(end) > expiresAt ? 'extended' : 'unchanged'
  } catch {
    return 'failed'
  }
}
