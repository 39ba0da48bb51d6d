/**
 * `/decisions`: the decision alone, for proxies that ask before they forward (nginx auth_request, Traefik ForwardAuth,
 * Envoy ext_authz, Caddy forward_auth). X-Forwarded-Method, -Proto, -Host and -Uri say which request it is about; they
 * are believed, whoever asks, so that only the asking proxy may reach this port.
 */
import type { Context } from 'hono'
import { GatewayError } from '../errors.ts'
import type { AllowedDecision, Decision } from '../pipeline/contract/decision.ts'
import type { Inbound } from '../pipeline/contract/inbound.ts'
import type { Clock } from '../pipeline/contract/runtime.ts'
import { errorAnswer } from '../pipeline/error_body.ts'
import { framing, headerName, hopByHop } from '../proxy/header_names.ts'
import { pushEdits } from '../proxy/headers.ts'
import type { DecisionRecord } from '../telemetry/decision_log.ts'
import type { RequestSpan, TracedRequest } from '../telemetry/request_span.ts'
import { errorResponse } from './answers.ts'
import { bodyReader } from './body.ts'
import { readDecisionInbound } from './decision_inbound.ts'
import { bindings, rawRequest, type ApiEnv } from './request.ts'
import type { ApiSnapshot } from './snapshot.ts'

export interface DecisionOptions {
  current(): ApiSnapshot
  readonly clock: Pick<Clock, 'monotonic'>
  onDecision(record: DecisionRecord): void
}

/** Answers one call: 200 without a body and with what the mutators set, or what the error handlers say. */
export async function answerDecision(c: Context<ApiEnv>, options: DecisionOptions): Promise<Response> {
  const start = options.clock.monotonic()
  const snapshot = options.current()
  const { request, peer } = rawRequest(c)
  const inbound = readDecisionInbound(request, peer, snapshot.inbound, bodyReader(c.req.raw, bindings(c.env).incoming))
  const span = snapshot.tracer?.(traced(c))
  const { decision, error, response } = await outcomeOf(inbound, snapshot, span)
  const { status } = response
  const ruleId = decision?.ruleId
  span?.end({ status, outcome: error === undefined ? 'allowed' : 'refused', ruleId, code: error?.code })
  options.onDecision({
    ...(inbound instanceof GatewayError ? unreadable(c) : described(inbound)),
    clientIp: peer.address,
    granted: error === undefined,
    span: span?.ids,
    ruleId,
    session: decision?.session,
    code: error?.code,
    detail: error?.detail,
    status,
    durationMs: options.clock.monotonic() - start,
  })
  return response
}

interface Outcome {
  readonly decision?: Decision
  readonly error?: GatewayError
  readonly response: Response
}

async function outcomeOf(
  inbound: Inbound | GatewayError,
  snapshot: ApiSnapshot,
  span: RequestSpan | undefined,
): Promise<Outcome> {
  if (inbound instanceof GatewayError) return refused(inbound, undefined)
  return span === undefined ? decideInbound(inbound, snapshot) : span.run(() => decideInbound(inbound, snapshot))
}

/** The call itself, not the request that it asks about. */
function traced(c: Context<ApiEnv>): TracedRequest {
  const { request, peer } = rawRequest(c)
  return {
    method: request.method ?? '',
    rawHeaders: request.rawHeaders,
    peer: peer.address,
    scheme: peer.tls ? 'https' : 'http',
    host: c.req.header('host'),
    path: '/decisions',
    route: '/decisions',
    userAgent: c.req.header('user-agent'),
  }
}

async function decideInbound(inbound: Inbound, snapshot: ApiSnapshot): Promise<Outcome> {
  const decision = await snapshot.decide(inbound)
  if (!decision.allowed) return { decision, error: decision.error, response: errorResponse(decision.answer) }
  try {
    return { decision, response: allowedResponse(decision, inbound) }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    return { decision, ...refused(error, inbound) }
  }
}

const refused = (error: GatewayError, inbound: Inbound | undefined): Outcome => ({
  error,
  response: errorResponse(errorAnswer(error, inbound, { verbose: false })),
})

type Described = Pick<DecisionRecord, 'method' | 'target' | 'scheme' | 'host' | 'path' | 'userAgent' | 'traceparent'>

const described = ({ method, scheme, host, path, headers }: Inbound): Described => ({
  method,
  scheme,
  host,
  path,
  userAgent: headers.get('user-agent'),
  traceparent: headers.get('traceparent'),
})

/** What a request that the front gate refused says of itself, without the query. */
function unreadable(c: Context<ApiEnv>): Described {
  const { request } = rawRequest(c)
  const [target = ''] = (c.req.header('x-forwarded-uri') ?? request.url ?? '').split('?', 1)
  return {
    method: c.req.header('x-forwarded-method') ?? c.req.method,
    target,
    scheme: '',
    host: c.req.header('x-forwarded-host') ?? c.req.header('host') ?? '',
    path: '',
    userAgent: c.req.header('user-agent'),
    traceparent: c.req.header('traceparent'),
  }
}

/**
 * 200 without a body and with what the mutators set. Throws GatewayError (`template_failed`) when that cannot be put into
 * headers.
 */
const allowedResponse = (decision: AllowedDecision, inbound: Inbound): Response =>
  new Response(null, { status: 200, headers: allowedHeaders(decision, inbound) })

function allowedHeaders(decision: AllowedDecision, inbound: Inbound): [string, string][] {
  const list: string[] = []
  pushEdits(list, decision.edits)
  const pairs: [string, string][] = [['Content-Length', '0']]
  for (let i = 0; i < list.length; i += 2) pairs.push([list[i]!, list[i + 1]!])
  if (decision.echoRequestHeaders) {
    // What a mutator set or removed is not the client's to say; of the rest, the first value of each counts.
    const told = new Set(decision.edits.map(([name]) => headerName(name).lower))
    const { raw } = inbound.headers
    for (let i = 0; i < raw.length; i += 2) {
      const { lower, traits } = headerName(raw[i]!)
      if ((traits & (hopByHop | framing)) !== 0 || told.has(lower)) continue
      told.add(lower)
      pairs.push([raw[i]!, raw[i + 1]!])
    }
  }
  for (const [name, value] of decision.responseHeaders) pairs.push([name, value])
  return pairs
}
