/**
 * W3C Trace Context (https://www.w3.org/TR/trace-context/), level 1: reads the client's `traceparent` and says what goes
 * on. Spans are made by whatever SDK the user registers with @opentelemetry/api; without one nothing is made up.
 */
import { trace } from '@opentelemetry/api'

export interface TraceParent {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string
  /** 16 lower-case hex digits, not all zero. */
  readonly parentId: string
  /** Bit field; 1 = sampled. */
  readonly flags: number
}

/** Reads a `traceparent` header. Undefined when there is none or it is not valid: a broken header starts no trace. */
export function parseTraceparent(header: string | undefined): TraceParent | undefined {
  if (header === undefined || header.length < 55) return undefined
  if (header[2] !== '-' || header[35] !== '-' || header[52] !== '-') return undefined
  const version = header.slice(0, 2)
  // Version ff is forbidden, 00 has no further fields, later versions may append some after a dash.
  if (!isHex(version) || version === 'ff') return undefined
  if (header.length > 55 && (version === '00' || header[55] !== '-')) return undefined
  const traceIdField = header.slice(3, 35)
  const parentId = header.slice(36, 52)
  const flags = header.slice(53, 55)
  if (!isHex(traceIdField) || !isHex(parentId) || !isHex(flags)) return undefined
  if (isZero(traceIdField) || isZero(parentId)) return undefined
  return { traceId: traceIdField, parentId, flags: Number.parseInt(flags, 16) }
}

/** The header that carries `parent` on. */
export const formatTraceparent = ({ traceId: id, parentId, flags }: TraceParent): string =>
  `00-${id}-${parentId}-${flags.toString(16).padStart(2, '0')}`

/** The trace that a request belongs to: of the active span when an SDK made one, else of the client's header. */
export function traceId(header: string | undefined): string | undefined {
  return trace.getActiveSpan()?.spanContext().traceId ?? parseTraceparent(header)?.traceId
}

/**
 * The `traceparent` for a request that follows from one with `header`: the active span as parent when there is one,
 * else the client's own, checked; undefined when there is nothing to pass on.
 */
export function outgoingTraceparent(header: string | undefined): string | undefined {
  const span = trace.getActiveSpan()?.spanContext()
  if (span !== undefined) {
    return formatTraceparent({ traceId: span.traceId, parentId: span.spanId, flags: span.traceFlags })
  }
  const parent = parseTraceparent(header)
  return parent === undefined ? undefined : formatTraceparent(parent)
}

function isHex(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    const digit = code >= 0x30 && code <= 0x39
    const letter = code >= 0x61 && code <= 0x66
    if (!digit && !letter) return false
  }
  return true
}

function isZero(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text[index] !== '0') return false
  return true
}
