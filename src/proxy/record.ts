/** What is told of a request once it is over. */
import type { IncomingMessage } from 'node:http'
import type { Code, GatewayError } from '../errors.ts'
import type { Decision } from '../pipeline/contract/decision.ts'
import type { Inbound } from '../pipeline/contract/inbound.ts'
import type { Session } from '../pipeline/contract/session.ts'
import type { SpanIds } from '../telemetry/request_span.ts'

/** What became of one request; handed to `observe` once for each. */
export interface RequestRecord {
  /** Empty when the bytes were no request. */
  readonly method: string
  /** Absent when the front gate refused the request. */
  readonly inbound?: Inbound | undefined
  /** Of a request that the front gate refused, as far as it could be read. */
  readonly unread?: UnreadRequest | undefined
  readonly ruleId?: string | undefined
  readonly session?: Session | undefined
  /**
   * `refused`: the gate or the pipeline said no. `failed`: allowed, but no whole answer came or arrived.
   * `answered`: by the gateway itself without a decision, as a preflight or one of its endpoints.
   */
  readonly outcome: 'allowed' | 'refused' | 'failed' | 'answered'
  /** Absent when all went well. */
  readonly code?: Code | undefined
  /** For operators; never contains secrets. */
  readonly reason?: string | undefined
  /** What the client was sent, or 499 when it did not wait. */
  readonly status: number
  readonly durationMs: number
  /** Origin of the upstream, when one was chosen. */
  readonly upstream?: string | undefined
  readonly userAgent?: string | undefined
  readonly remoteAddress: string
  /** Of the request's span, when there is one. */
  readonly span?: SpanIds | undefined
}

/** What a request says of itself that is not to be believed. */
export interface UnreadRequest {
  /** The request target up to the query, which is where tokens travel. */
  readonly target: string
  readonly host: string | undefined
  readonly userAgent: string | undefined
}

export function unreadRequest({ url = '', headers }: IncomingMessage): UnreadRequest {
  const query = url.indexOf('?')
  return { target: query === -1 ? url : url.slice(0, query), host: headers.host, userAgent: headers['user-agent'] }
}

/** Builds the record from what is known at the end. */
export function requestRecord(
  known: Pick<RequestRecord, 'method' | 'status' | 'durationMs' | 'remoteAddress' | 'unread' | 'span'>,
  inbound: Inbound | undefined,
  decision: Decision | undefined,
  error: GatewayError | undefined,
): RequestRecord {
  const { method, status, durationMs, remoteAddress, unread, span } = known
  return {
    method,
    inbound,
    unread,
    ruleId: decision?.ruleId,
    session: decision?.session,
    outcome: outcomeOf(decision, error),
    code: error?.code,
    reason: error?.reason,
    status,
    durationMs,
    upstream: decision?.allowed === true ? decision.upstream?.origin : undefined,
    userAgent: inbound === undefined ? unread?.userAgent : inbound.headers.get('user-agent'),
    remoteAddress,
    span,
  }
}

function outcomeOf(decision: Decision | undefined, error: GatewayError | undefined): RequestRecord['outcome'] {
  if (error === undefined) return decision === undefined ? 'answered' : 'allowed'
  return decision?.allowed === true ? 'failed' : 'refused'
}
