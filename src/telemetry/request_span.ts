/**
 * The span of one request, by whatever OpenTelemetry SDK the process has registered with @opentelemetry/api. Attributes are
 * those of OpenTelemetry's conventions for HTTP servers (https://opentelemetry.io/docs/specs/semconv/http/http-spans/), and
 * `mintkeeper.…` for what was decided. Without an SDK there is no tracer, and nothing is done.
 */
import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type TextMapGetter,
  type Tracer,
} from '@opentelemetry/api'
import { type Call, endCall, injectContext, methodOf, SCOPE, spanName, startCall } from './call_span.ts'
import { redactText } from './redact.ts'

/** A request as it came; its canonical form when the front gate let it in. */
export interface TracedRequest {
  readonly method: string
  /** Name, value, name, value… as the client sent them. */
  readonly rawHeaders: readonly string[]
  /** IP address of the peer. */
  readonly peer: string
  readonly scheme?: string | undefined
  /** Host and port. */
  readonly host?: string | undefined
  /** Without query. */
  readonly path?: string | undefined
  readonly userAgent?: string | undefined
  /** The one path that this request is served at, when there is one. */
  readonly route?: string | undefined
}

/** What became of it. */
export interface TracedOutcome {
  readonly status: number
  readonly outcome: 'allowed' | 'refused' | 'failed' | 'answered'
  readonly ruleId?: string | undefined
  /** Reason code; absent when all went well. */
  readonly code?: string | undefined
}

/** For log lines. */
export interface SpanIds {
  readonly traceId: string
  readonly spanId: string
}

export interface RequestSpan {
  readonly ids: SpanIds
  /** Does work as a part of the request: calls made in it, also later, are its children. */
  run<T>(work: () => T): T
  /** Begins the call to the upstream, and puts the trace context into its flat list of headers. */
  startUpstream(call: Call, headers: string[]): void
  /** Ends it: the status of the answer, 0 when there was none, and a reason code when it failed. */
  endUpstream(status: number, code?: string): void
  /** Ends the request, and a call to the upstream that is still under way. */
  end(outcome: TracedOutcome): void
}

/** Begins the span of a request as a child of the client's, when the client says so in its headers. */
export type RequestTracer = (request: TracedRequest) => RequestSpan

/** Undefined as long as no SDK is registered. To be asked once for each snapshot. */
export function requestTracer(): RequestTracer | undefined {
  const provider = trace.getTracerProvider()
  // What the API puts in front of an SDK has no tracer to delegate to until there is one.
  const delegating = provider as { getDelegateTracer?(...scope: typeof SCOPE): Tracer | undefined }
  const tracer =
    delegating.getDelegateTracer === undefined ? provider.getTracer(...SCOPE) : delegating.getDelegateTracer(...SCOPE)
  return tracer === undefined ? undefined : (request) => new TracedSpan(tracer, request)
}

class TracedSpan implements RequestSpan {
  readonly ids: SpanIds
  readonly #tracer: Tracer
  readonly #span: Span
  readonly #context: Context
  readonly #method: string
  readonly #route: string | undefined
  #upstream: Span | undefined

  constructor(tracer: Tracer, request: TracedRequest) {
    const parent = propagation.extract(ROOT_CONTEXT, request.rawHeaders, rawHeaderGetter)
    this.#tracer = tracer
    this.#method = request.method
    this.#route = request.route
    const options = { kind: SpanKind.SERVER, attributes: attributesOf(request) }
    this.#span = tracer.startSpan(this.#name(this.#route), options, parent)
    this.#context = trace.setSpan(parent, this.#span)
    const { traceId, spanId } = this.#span.spanContext()
    this.ids = { traceId, spanId }
  }

  run<T>(work: () => T): T {
    return context.with(this.#context, work)
  }

  startUpstream(call: Call, headers: string[]): void {
    this.#upstream = startCall(this.#tracer, call, this.#context)
    injectContext(trace.setSpan(this.#context, this.#upstream), headers)
  }

  endUpstream(status: number, code?: string): void {
    if (this.#upstream !== undefined) endCall(this.#upstream, status, code)
    this.#upstream = undefined
  }

  end({ status, outcome, ruleId, code }: TracedOutcome): void {
    this.endUpstream(0, code)
    const span = this.#span
    span.setAttributes({
      'http.response.status_code': status,
      'mintkeeper.outcome': outcome,
      'mintkeeper.reason': code ?? 'allowed',
      ...(ruleId !== undefined && { 'mintkeeper.rule.id': ruleId }),
    })
    if (this.#route === undefined && ruleId !== undefined) span.updateName(this.#name(ruleId))
    if (status >= 500 || (outcome === 'failed' && status < 400)) {
      span.setAttribute('error.type', code ?? String(status))
      span.setStatus({ code: SpanStatusCode.ERROR })
    }
    span.end()
  }

  /** The method and what of few values tells requests apart, which a path is not. */
  #name(target: string | undefined): string {
    const method = spanName(this.#method)
    return target === undefined ? method : `${method} ${target}`
  }
}

const MAX_TEXT = 512

function attributesOf({ method, scheme, host, path, peer, userAgent, route }: TracedRequest): Attributes {
  const known = methodOf(method)
  const { name, port } = splitHost(host ?? '')
  return {
    'http.request.method': known,
    'client.address': peer,
    ...(known === '_OTHER' && { 'http.request.method_original': cut(method) }),
    ...(scheme !== undefined && { 'url.scheme': scheme }),
    ...(path !== undefined && { 'url.path': cut(redactText(path)) }),
    ...(name !== '' && { 'server.address': name }),
    ...(port !== undefined && { 'server.port': port }),
    ...(userAgent !== undefined && { 'user_agent.original': cut(redactText(userAgent)) }),
    ...(route !== undefined && { 'http.route': route }),
  }
}

const cut = (text: string): string => text.slice(0, MAX_TEXT)

/** An address in brackets has colons of its own. */
function splitHost(host: string): { readonly name: string; readonly port?: number } {
  const colon = host.lastIndexOf(':')
  if (colon === -1 || host.endsWith(']')) return { name: host }
  return { name: host.slice(0, colon), port: Number(host.slice(colon + 1)) }
}

/** Several lines of a name count as one: of `tracestate` they are one list, and a second `traceparent` makes both invalid. */
const rawHeaderGetter: TextMapGetter<readonly string[]> = {
  get(list, wanted) {
    const values = list.filter((_, index) => index % 2 === 1 && list[index - 1]!.toLowerCase() === wanted.toLowerCase())
    return values.length === 0 ? undefined : values.join(',')
  },
  keys: (list) => list.filter((_, index) => index % 2 === 0),
}
