/** What is told of a request once it is over. */
import type { IncomingMessage } from 'node:http'
import type { Code, GatewayError } from '../errors.ts'
import type { Decision, Inbound, Session } from '../pipeline/contract.ts'
import type { SpanIds } from '../telemetry/request_span.ts'

/** What became of one request; handed to `observe` once for each. */
export interface RequestRecord {
  /** Empty when the bytes were no request. */
  readonly method: string
  /** Absent when the front gate refused the request. */
  readonly inbound?: Inbound
  /** Of a request that the front gate refused, as far as it could be read. */
  readonly unread?: UnreadRequest
  readonly ruleId?: string
  readonly session?: Session
  /**
   * `refused`: the gate or the pipeline said no. `failed`: allowed, but no whole answer came or arrived.
   * `answered`: by the gateway itself without a decision, as a preflight or one of its endpoints.
   */
  readonly outcome: 'allowed' | 'refused' | 'failed' | 'answered'
  /** Absent when all went well. */
  readonly code?: Code
  /** For operators; never contains secrets. */
  readonly reason?: string
  /** What the client was sent, or 499 when it did not wait. */
  readonly status: number
  readonly durationMs: number
  /** Origin of the upstream, when one was chosen. */
  readonly upstream?: string
  readonly userAgent?: string
  readonly remoteAddress: string
  /** Of the request's span, when there is one. */
  readonly span?: SpanIds
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
  const userAgent = inbound === undefined ? known.unread?.userAgent : inbound.headers.get('user-agent')
  const session = decision?.session
  const upstream = decision?.allowed === true ? decision.upstream?.origin : undefined
  return {
    ...known,
    outcome: outcomeOf(decision, error),
    ...(inbound === undefined ? {} : { inbound }),
    ...(decision?.ruleId === undefined ? {} : { ruleId: decision.ruleId }),
    ...(session === undefined ? {} : { session }),
    ...(error === undefined ? {} : { code: error.code }),
    ...(error?.reason === undefined ? {} : { reason: error.reason }),
    ...(upstream === undefined ? {} : { upstream }),
    ...(userAgent === undefined ? {} : { userAgent }),
  }
}

function outcomeOf(decision: Decision | undefined, error: GatewayError | undefined): RequestRecord['outcome'] {
  if (error === undefined) return decision === undefined ? 'answered' : 'allowed'
  return decision?.allowed === true ? 'failed' : 'refused'
}
