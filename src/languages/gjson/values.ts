/** JSON values as `JSON.parse` gives them; `undefined` is "does not exist". */
export type JsonObject = Readonly<Record<string, unknown>>

export function isArray(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An own property, never one of the prototype. */
export function member(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/** An array index as gjson reads it: digits only, leading zeros allowed; -1 when it is none. */
export function arrayIndex(part: string): number {
  if (part === '') return -1
  for (let i = 0; i < part.length; i++) {
    const code = part.charCodeAt(i)
    if (code < 0x30 || code > 0x39) return -1
  }
  return Number(part)
}

/** What a text holds as JSON; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** The numbers and words of Go's `strconv.ParseBool`, in any case; undefined for others. */
export function parseBool(text: string): boolean | undefined {
  const lower = text.toLowerCase()
  if (lower === '1' || lower === 't' || lower === 'true') return true
  return lower === '0' || lower === 'f' || lower === 'false' ? false : undefined
}
