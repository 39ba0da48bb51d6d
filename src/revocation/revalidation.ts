/**
 * Asks Kratos' admin API in the background about every remembered session, so that what ended without anybody telling is
 * forgotten after the interval. What Kratos does not answer ends nothing.
 */
import type { HttpClient } from '../pipeline/contract/http_client.ts'
import type { Revocation } from '../pipeline/contract/revocations.ts'
import type { Clock, Log } from '../pipeline/contract/runtime.ts'
import type { Session } from '../pipeline/contract/session.ts'
import type { Json } from '../pipeline/contract/values.ts'

export interface RevalidationOptions {
  /** Base URL of Kratos' admin API. */
  readonly adminUrl: string
  /** Milliseconds between two questions about one session. */
  readonly interval: number
  readonly maxPerSecond: number
  readonly http: HttpClient
  readonly clock: Pick<Clock, 'monotonic'>
  readonly log: Pick<Log, 'info' | 'warn'>
  /** What is remembered now. */
  readonly sessions: () => readonly Session[]
  readonly onRevocation: (revocation: Revocation) => void
}

export interface Revalidation {
  /** Ends without waiting for the question under way. */
  close(): void
}

/** Milliseconds for one answer. */
const TIMEOUT = 2000
/** Questions at the same time. */
const CONCURRENCY = 8
/** Bytes of an answer. */
const MAX_BODY = 256 * 1024

/** Asks round after round until it is closed. */
export function startRevalidation(options: RevalidationOptions): Revalidation {
  const { interval, maxPerSecond, clock, sessions, onRevocation, log } = options
  const base = options.adminUrl.endsWith('/') ? options.adminUrl : `${options.adminUrl}/`
  const pace = 1000 / maxPerSecond
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let answers = true

  const check = async (session: Session): Promise<void> => {
    const url = `${base}admin/sessions/${encodeURIComponent(session.id ?? '')}?expand=identity`
    const verdict = await ask(options.http, url, session)
    if (closed) return
    if ((verdict !== 'unknown') !== answers) {
      answers = verdict !== 'unknown'
      if (answers) log.info({}, 'Sessions are validated again in the background')
      else log.warn({}, 'Kratos’ admin API does not answer: sessions are not validated in the background')
    }
    if (verdict === 'changed' && session.identity !== undefined) onRevocation({ identity: session.identity })
    else if (verdict === 'over' || verdict === 'changed') onRevocation({ session: session.id ?? '' })
  }

  const round = (): void => {
    const began = clock.monotonic()
    const waiting = [...sessions()]
    let running = 0
    const step = (): void => {
      const session = running < CONCURRENCY ? waiting.pop() : undefined
      if (session !== undefined) {
        running++
        void check(session).finally(() => running--)
      }
      const left = interval - (clock.monotonic() - began)
      const next = waiting.length > 0 ? step : round
      timer = setTimeout(next, waiting.length > 0 ? pace : Math.max(left, pace)).unref()
    }
    step()
  }

  timer = setTimeout(round, interval).unref()
  return {
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}

type Verdict = 'holds' | 'changed' | 'over' | 'unknown'

async function ask(http: HttpClient, url: string, session: Session): Promise<Verdict> {
  try {
    const limits = { giveUpAfter: TIMEOUT, maxBody: MAX_BODY }
    const { status, body } = await http.send({ method: 'GET', url, headers: [['accept', 'application/json']] }, limits)
    if (status === 404) return isKratosError(body) ? 'over' : 'unknown'
    return status === 200 ? judge(JSON.parse(body) as Json, session) : 'unknown'
  } catch {
    return 'unknown'
  }
}

/** Not the 404 of whatever else may stand at the address. */
function isKratosError(body: string): boolean {
  const document = JSON.parse(body) as { readonly error?: { readonly code?: unknown } } | null
  return document?.error?.code === 404
}

function judge(document: Json, { id, expiresAt = 0, changedAt, authentication }: Session): Verdict {
  if (typeof document !== 'object' || document === null || Array.isArray(document) || document['id'] !== id)
    return 'unknown'
  const { active, identity } = document
  if (typeof active !== 'boolean') return 'unknown'
  const user = typeof identity === 'object' && identity !== null && !Array.isArray(identity) ? identity : {}
  if (!active || user['state'] === 'inactive') return 'over'
  const same =
    timeOf(document['expires_at'], expiresAt) >= expiresAt &&
    timeOf(user['updated_at'], changedAt) === changedAt &&
    timeOf(document['authenticated_at'], authentication?.at) === authentication?.at
  return same ? 'holds' : 'changed'
}

function timeOf<Otherwise>(value: Json | undefined, otherwise: Otherwise): number | Otherwise {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? otherwise : time
}
