/** A tracing SDK of the smallest kind: keeps every ended span, takes its context along, speaks W3C Trace Context. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import {
  context,
  createTraceState,
  propagation,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type ContextManager,
  type Span,
  type SpanContext,
  type TextMapPropagator,
  type Tracer,
} from '@opentelemetry/api'

export interface EndedSpan {
  readonly name: string
  /** 1 server, 2 client. */
  readonly kind: number | undefined
  readonly attributes: Attributes
  readonly failed: boolean
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string | undefined
}

export interface Tracing extends Disposable {
  /** In the order in which they ended. */
  readonly spans: EndedSpan[]
}

/** Registers it; `using` takes it away again. */
export function registerTracing(): Tracing {
  const spans: EndedSpan[] = []
  trace.setGlobalTracerProvider({ getTracer: () => tracer(spans) })
  context.setGlobalContextManager(contextManager())
  propagation.setGlobalPropagator(propagator)
  return {
    spans,
    [Symbol.dispose]() {
      trace.disable()
      context.disable()
      propagation.disable()
    },
  }
}

function tracer(spans: EndedSpan[]): Tracer {
  const startSpan: Tracer['startSpan'] = (initialName, options = {}, parentContext = context.active()) => {
    const parent = trace.getSpanContext(parentContext)
    const traceId = parent?.traceId ?? randomBytes(16).toString('hex')
    const own: SpanContext = {
      traceId,
      spanId: randomBytes(8).toString('hex'),
      traceFlags: 1,
      ...(parent?.traceState !== undefined && { traceState: parent.traceState }),
    }
    const attributes: Attributes = { ...options.attributes }
    let name = initialName
    let failed = false
    let ended = false
    const span: Span = {
      spanContext: () => own,
      setAttribute(key, value) {
        attributes[key] = value
        return span
      },
      setAttributes(more) {
        Object.assign(attributes, more)
        return span
      },
      addEvent: () => span,
      addLink: () => span,
      addLinks: () => span,
      setStatus({ code }) {
        failed = code === SpanStatusCode.ERROR
        return span
      },
      updateName(text) {
        name = text
        return span
      },
      end() {
        if (ended) throw new Error(`the span ${name} is ended twice`)
        ended = true
        const { spanId } = own
        spans.push({ name, kind: options.kind, attributes, failed, traceId, spanId, parentId: parent?.spanId })
      },
      isRecording: () => !ended,
      recordException: () => undefined,
    }
    return span
  }
  return {
    startSpan,
    startActiveSpan() {
      throw new Error('not part of this SDK')
    },
  }
}

function contextManager(): ContextManager {
  const storage = new AsyncLocalStorage<Context>()
  const manager: ContextManager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, work, self, ...args) => storage.run(active, () => work.apply(self, args)),
    bind: (_, target) => target,
    enable: () => manager,
    disable: () => manager,
  }
  return manager
}

const propagator: TextMapPropagator = {
  fields: () => ['traceparent', 'tracestate'],
  inject(from, carrier, setter) {
    const span = trace.getSpanContext(from)
    if (span === undefined) return
    setter.set(carrier, 'traceparent', `00-${span.traceId}-${span.spanId}-0${span.traceFlags}`)
    if (span.traceState !== undefined) setter.set(carrier, 'tracestate', span.traceState.serialize())
  },
  extract(into, carrier, getter) {
    const header = getter.get(carrier, 'traceparent')
    const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-0([01])$/.exec(String(header))
    if (match === null) return into
    const [, traceId = '', spanId = '', flags] = match
    const state = getter.get(carrier, 'tracestate')
    return trace.setSpanContext(into, {
      traceId,
      spanId,
      traceFlags: Number(flags),
      isRemote: true,
      ...(typeof state === 'string' && { traceState: createTraceState(state) }),
    })
  },
}
