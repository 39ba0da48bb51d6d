/** The one line that each decision leaves in the log, with Oathkeeper's field names and ours. */
import { type Code, codes } from '../errors.ts'
import type { Log } from './log.ts'
import { fingerprint } from './redact.ts'
import type { SpanIds } from './request_span.ts'
import { traceIdOf } from './trace.ts'

/** One finished decision, from whichever front it came. */
export interface DecisionRecord {
  /** The canonical request. The query is left out on purpose: it is where tokens travel, and no rule looks at it. */
  readonly method: string
  /** IP address of the connection's other end. */
  readonly clientIp: string
  /** Of a request that the front gate refused: the request target as it came, up to the query. */
  readonly target?: string | undefined
  readonly scheme: string
  readonly host: string
  readonly path: string
  readonly userAgent?: string | undefined
  /** The client's `traceparent` header, as it came. */
  readonly traceparent?: string | undefined
  /** Of the request's span, when there is one. */
  readonly span?: SpanIds | undefined
  readonly granted: boolean
  /** Absent when no rule, or more than one, matched. */
  readonly ruleId?: string | undefined
  readonly session?: { readonly subject: string; readonly id?: string; readonly stale?: true } | undefined
  /** Why not; absent when granted. */
  readonly code?: Code | undefined
  /** What kept a granted request from its whole answer. */
  readonly forwardError?: Code | undefined
  /** What happened, in words for the operator. */
  readonly detail?: string | undefined
  /** What the client was answered. */
  readonly status: number
  readonly durationMs: number
  /** Origin of the upstream that answered. */
  readonly upstream?: string | undefined
}

/** Oathkeeper's `reason_id`, where one of its values says the same. */
const REASON_IDS: Readonly<Partial<Record<Code, string>>> = {
  credentials_invalid: 'authentication_handler_error',
  session_aal2_required: 'authentication_handler_error',
  session_refresh_required: 'authentication_handler_error',
  session_address_unverified: 'authentication_handler_error',
  session_response_invalid: 'authentication_handler_error',
  session_store_unavailable: 'authentication_handler_error',
  rate_limited: 'authentication_handler_error',
  access_denied: 'authorization_handler_error',
  template_failed: 'mutation_handler_error',
  signing_key_unavailable: 'mutation_handler_error',
}

const MAX_TEXT = 512

/** Session ids are hashed once, not once per request; sessions are shared by the requests they answer. */
const tags = new WeakMap<object, string>()

/**
 * Writes the line. A refusal is the gateway at work and therefore `info`; what an operator must mend (5xx, an answer that
 * the upstream gave not at all or not whole) is `warn`, a fault of the gateway `error`. Never a stack.
 */
export function logDecision(log: Log, record: DecisionRecord): void {
  const severity = severityOf(record)
  if (!log.enabled(severity)) return
  const { session, code, target, userAgent } = record
  const host = log.clean(cut(record.host))
  // Of one shape whatever there is to tell: what is undefined is not written.
  const fields = {
    granted: record.granted,
    client_ip: record.clientIp,
    http_method: log.clean(cut(record.method)),
    // A request that the front gate refused has no canonical URL.
    http_target: target === undefined ? undefined : log.clean(cut(target)),
    http_url:
      target === undefined && host !== '' ? `${record.scheme}://${host}${log.clean(cut(record.path))}` : undefined,
    http_host: host === '' ? undefined : host,
    http_user_agent: userAgent === undefined ? undefined : log.clean(cut(userAgent)),
    rule_id: record.ruleId,
    subject: session === undefined ? undefined : log.clean(session.subject),
    session: session?.id === undefined ? undefined : tagOf(session, session.id),
    // The session store could not be asked: who reads the log should know on what word the request went on.
    session_stale: session?.stale,
    reason_id: code === undefined ? undefined : REASON_IDS[code],
    reason: record.granted ? 'allowed' : code,
    forward_error: record.forwardError,
    detail: record.detail === undefined ? undefined : log.clean(cut(record.detail)),
    status: record.status,
    duration_ms: Math.round(record.durationMs * 100) / 100,
    upstream: record.upstream,
    trace_id: record.span?.traceId ?? traceIdOf(record.traceparent),
    span_id: record.span?.spanId,
  }
  log.line(severity, fields, record.granted ? 'Access request granted' : 'Access request denied')
}

function severityOf({ code, forwardError }: DecisionRecord): 'info' | 'warn' | 'error' {
  // A granted request may carry the upstream's own 5xx, which is not the gateway's to complain about.
  const fault = code ?? forwardError
  if (fault === undefined) return 'info'
  if (fault === 'internal_error') return 'error'
  return codes[fault].status >= 500 ? 'warn' : 'info'
}

function tagOf(session: object, id: string): string {
  let tag = tags.get(session)
  if (tag === undefined) {
    tag = fingerprint(id)
    tags.set(session, tag)
  }
  return tag
}

const cut = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text)
