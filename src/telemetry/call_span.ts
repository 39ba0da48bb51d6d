/**
 * Spans of the calls that the gateway makes, and the trace context that they send along. Attributes are those of
 * OpenTelemetry's conventions for HTTP clients (https://opentelemetry.io/docs/specs/semconv/http/http-spans/).
 */
import {
  context,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api'
import { version } from '../version.ts'
import { redactText } from './redact.ts'

/** Under which name, and version, the gateway's spans are made. */
export const SCOPE = ['mintkeeper', version] as const

export interface Call {
  readonly method: string
  /** `http://host:port`. */
  readonly origin: string
  /** With or without query, which is left out: it is where tokens travel. */
  readonly path: string
}

/** Begins the span of one call as a child of `parent`. */
export function startCall(tracer: Tracer, { method, origin, path }: Call, parent: Context): Span {
  const { hostname, port, protocol } = new URL(origin)
  const query = path.indexOf('?')
  const attributes = {
    'http.request.method': methodOf(method),
    'url.full': origin + redactText(query === -1 ? path : path.slice(0, query)),
    'server.address': hostname,
    'server.port': port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
  }
  return tracer.startSpan(spanName(method), { kind: SpanKind.CLIENT, attributes }, parent)
}

/** Ends it. Takes the status of the answer, 0 when there was none, and what went wrong, as a low-cardinality word. */
export function endCall(span: Span, status: number, error?: string): void {
  if (status !== 0) span.setAttribute('http.response.status_code', status)
  const type = error ?? (status >= 400 ? String(status) : undefined)
  if (type !== undefined) {
    span.setAttribute('error.type', type)
    span.setStatus({ code: SpanStatusCode.ERROR })
  }
  span.end()
}

/** A request to another service; header names in lower case. */
interface ServiceRequest {
  readonly method: string
  readonly url: string
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/**
 * Makes one call to a service, as a span of its own when the request that it is made for is traced, and then with the
 * headers that carry the trace on. Rejects as the call does.
 */
export function traceCall<Request extends ServiceRequest, Answer extends { readonly status: number }>(
  request: Request,
  call: (request: Request) => Promise<Answer>,
): Promise<Answer> {
  const active = context.active()
  return trace.getSpan(active) === undefined ? call(request) : tracedCall(active, request, call)
}

async function tracedCall<Request extends ServiceRequest, Answer extends { readonly status: number }>(
  active: Context,
  request: Request,
  call: (request: Request) => Promise<Answer>,
): Promise<Answer> {
  const { origin, pathname: path } = new URL(request.url)
  const span = startCall(trace.getTracer(...SCOPE), { method: request.method, origin, path }, active)
  const list = request.headers.flat()
  injectContext(trace.setSpan(active, span), list)
  const headers = list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1]!] as const] : []))
  try {
    const answer = await call({ ...request, headers })
    endCall(span, answer.status)
    return answer
  } catch (error) {
    endCall(span, 0, errorType(error))
    throw error
  }
}

/** Puts the headers of the registered propagator (`traceparent` and `tracestate`) into a flat list, in the place of others of their names. */
export function injectContext(from: Context, list: string[]): void {
  const fields = new Set(propagation.fields())
  let kept = 0
  for (let i = 0; i < list.length; i += 2) {
    if (fields.has(list[i]!.toLowerCase())) continue
    list[kept++] = list[i]!
    list[kept++] = list[i + 1]!
  }
  list.length = kept
  propagation.inject(from, list, { set: (carrier, name, value) => carrier.push(name, value) })
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'])

/** A method as an attribute: whatever is not one of HTTP's own is one. */
export const methodOf = (method: string): string => (METHODS.has(method) ? method : '_OTHER')

/** A method as the beginning of a span's name. */
export const spanName = (method: string): string => (METHODS.has(method) ? method : 'HTTP')

function errorType(error: unknown): string {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown }
  return typeof code === 'string' ? code : typeof name === 'string' ? name : '_OTHER'
}
