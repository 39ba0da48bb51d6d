/** What an answer of the session store means. An outage is never told as a refusal. */
import { GatewayError } from '../errors.ts'
import { rateLimited } from '../outbound/rate_limit.ts'
import type { HttpResponse } from '../pipeline/contract/http_client.ts'
import type { SessionAnswer, SessionQuestion } from '../pipeline/contract/session_store.ts'
import type { Session } from '../pipeline/contract/session.ts'
import type { Json } from '../pipeline/contract/values.ts'
import type { KnownAnswers } from './known_answers.ts'

/**
 * Maps a whole response; `question.reader` decides about the 200s and about statuses nobody expects. What `known` has been told
 * of before is not read again.
 */
export function readAnswer(response: HttpResponse, question: SessionQuestion, known?: KnownAnswers): SessionAnswer {
  const { status } = response
  const setCookie = lines(response.headers['set-cookie'])
  if (status === 200) {
    const session = readSession(response.body, question, known)
    if (session instanceof GatewayError) return refusal(session, setCookie)
    const verbatim = question.verbatim && { body: response.body, cacheFor: cacheableFor(response) }
    return { outcome: 'session', session, setCookie, ...(verbatim !== undefined && { verbatim }) }
  }
  if (status === 401)
    return refusal(new GatewayError('credentials_invalid', { detail: 'the session store answered 401' }), setCookie)
  if (status === 403 && isAal2Required(response.body)) {
    return refusal(new GatewayError('session_aal2_required', { body: response.body }), setCookie)
  }
  if (status === 429) return refusal(rateLimited(response), setCookie)
  if (status >= 500) {
    const retryAfter = lines(response.headers['retry-after'])[0] ?? '1'
    return storeUnavailable(`the session store answered ${status}`, retryAfter)
  }
  return refusal(question.reader.unexpected(status), setCookie)
}

function readSession(
  body: string,
  { reader, method }: SessionQuestion,
  known: KnownAnswers | undefined,
): Session | GatewayError {
  const before = known?.recall(reader, body)
  if (before !== undefined) return before
  const document = parse(body, method)
  if (document instanceof GatewayError) return document
  const session = reader.read(document)
  if (!(session instanceof GatewayError)) known?.keep(reader, body, session)
  return session
}

/**
 * For how long Kratos says that its answer may be used again, milliseconds (`Ory-Session-Cache-For`: whole seconds);
 * undefined when it does not say.
 */
export function cacheableFor({ headers }: Pick<HttpResponse, 'headers'>): number | undefined {
  const [seconds] = lines(headers['ory-session-cache-for'])
  return seconds !== undefined && /^\d{1,9}$/.test(seconds) ? Number(seconds) * 1000 : undefined
}

/** For a call without a whole answer. */
export function unavailable(cause: unknown): SessionAnswer {
  const timedOut = cause instanceof Error && (cause.name === 'TimeoutError' || cause.name === 'ConnectTimeoutError')
  return storeUnavailable(
    timedOut ? 'the session store did not answer in time' : 'the session store gave no whole answer',
    '1',
    cause,
  )
}

/** For a call that is not made. */
export function outOfOrder(): SessionAnswer {
  return storeUnavailable('the session store has not answered lately', '1')
}

/** For a 401 from a session store that is not ready: it says nothing about the session. */
export function unbelievable(): SessionAnswer {
  return storeUnavailable('the session store refused a known session while it is not ready', '1')
}

/** For a session that was revoked again and again while it was asked for. */
export function outrun(): SessionAnswer {
  return storeUnavailable('the session was revoked while it was asked for', '1')
}

export function overloaded(): SessionAnswer {
  return { outcome: 'unavailable', error: new GatewayError('overloaded', { headers: [['Retry-After', '1']] }) }
}

function storeUnavailable(reason: string, retryAfter: string, cause?: unknown): SessionAnswer {
  return { outcome: 'unavailable', error: sessionStoreUnavailable(reason, retryAfter, cause) }
}

export function sessionStoreUnavailable(detail: string, retryAfter = '1', cause?: unknown): GatewayError {
  return new GatewayError('session_store_unavailable', { detail, cause, headers: [['Retry-After', retryAfter]] })
}

function refusal(error: GatewayError, setCookie: readonly string[]): SessionAnswer {
  return error.status >= 500 ? { outcome: 'unavailable', error } : { outcome: 'denied', error, setCookie }
}

/** The document; undefined for a body that is no JSON; an outage for one that begins as JSON and is not. */
function parse(body: string, method: string): Json | undefined | GatewayError {
  if (method === 'HEAD') return undefined
  try {
    return JSON.parse(body) as Json
  } catch {
    const first = body.trimStart()[0]
    return first === '{' || first === '['
      ? sessionStoreUnavailable('the session store answered with broken JSON')
      : undefined
  }
}

function isAal2Required(body: string): boolean {
  try {
    const document = JSON.parse(body) as { error?: { id?: unknown } } | null
    return document?.error?.id === 'session_aal2_required'
  } catch {
    return false
  }
}

function lines(value: string | string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}
