/**
 * W3C Trace Context (https://www.w3.org/TR/trace-context/), level 1: reads the trace id of a client's `traceparent`, so that
 * log lines can be found by it even where no spans are made.
 */

/** 32 lower-case hex digits, not all zero. Undefined when there is no header or it is not valid: a broken one starts no trace. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  if (traceparent === undefined || traceparent.length < 55) return undefined
  if (traceparent[2] !== '-' || traceparent[35] !== '-' || traceparent[52] !== '-') return undefined
  const version = traceparent.slice(0, 2)
  // Version ff is forbidden, 00 has no further fields, later versions may append some after a dash.
  if (!isHex(version) || version === 'ff') return undefined
  if (traceparent.length > 55 && (version === '00' || traceparent[55] !== '-')) return undefined
  const traceId = traceparent.slice(3, 35)
  const parentId = traceparent.slice(36, 52)
  if (!isHex(traceId) || !isHex(parentId) || !isHex(traceparent.slice(53, 55))) return undefined
  return isZero(traceId) || isZero(parentId) ? undefined : traceId
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
