/**
 * The one form of a path that is matched, logged, shown to templates and forwarded (RFC 3986 section 6.2.2).
 */
import { GatewayError } from '../errors.ts'
import type { Safeguards } from '../pipeline/contract/safeguards.ts'

export interface CanonicalPath {
  /** Decoded once and resolved, without a trailing slash except for `/`. */
  readonly path: string
  /** Percent-encoded, with the client's trailing slash; decodes to `path`. */
  readonly target: string
}

const longestPath = 4096

// What a byte of a raw path is.
const plain = 0
const slash = 1
const escape = 2
/** May be meant but must not stand unescaped (RFC 3986 section 3.3), or splits segments for some servers (`;`). */
const doubtful = 3
/** Never in a path: controls, blanks, the backslash that some servers read as a slash, bytes beyond ASCII. */
const forbidden = 4

const classes = new Uint8Array(256).fill(forbidden)
for (let code = 0x21; code < 0x7f; code++) classes[code] = doubtful
for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@") {
  classes[char.charCodeAt(0)] = plain
}
classes[0x2f] = slash
classes[0x25] = escape
classes[0x5c] = forbidden

/** Bytes that change the meaning of a path when somebody behind us decodes them a second time: # % . / ; ? */
const structural = new Set([0x23, 0x25, 0x2e, 0x2f, 0x3b, 0x3f])

/**
 * Makes the canonical path of a raw one (no query, starts with `/`).
 * With `refuse`, whatever two readers could resolve differently is an error; with `resolve` it is decoded once and
 * resolved as Go's path.Clean does. Controls, backslashes, bad escapes and bytes that are no UTF-8 are always errors
 * (`request_invalid`, with the reason).
 */
export function canonicalPath(raw: string, mode: Safeguards['path']): CanonicalPath | GatewayError {
  if (raw.length > longestPath) return refusal('path is longer than 4096 bytes')
  if (raw.charCodeAt(0) !== 0x2f) return refusal('path does not start with a slash')

  let escaped = false
  let beyondAscii = false
  let unresolved = false
  let unencoded = false
  let segmentStart = 1
  for (let i = 1; i <= raw.length; i++) {
    // The end closes the last segment like a slash does.
    const code = i === raw.length ? 0x2f : raw.charCodeAt(i)
    const kind = code > 0xff ? forbidden : classes[code]
    if (kind === plain) continue
    if (kind === slash) {
      const length = i - segmentStart
      // An empty last segment is the trailing slash.
      if (length === 0 && i < raw.length) {
        if (mode === 'refuse') return refusal('path holds an empty segment')
        unresolved = true
      } else if (isDots(raw, segmentStart, length)) {
        if (mode === 'refuse') return refusal('path holds a dot segment')
        unresolved = true
      }
      segmentStart = i + 1
    } else if (kind === escape) {
      const byte = hexPair(raw, i + 1)
      if (byte === -1) return refusal('path holds an incomplete percent escape')
      if (byte < 0x20 || byte === 0x7f) return refusal('path holds an escaped control character')
      if (byte === 0x5c) return refusal('path holds an escaped backslash')
      if (structural.has(byte)) {
        if (mode === 'refuse') return refusal('path holds an escaped delimiter')
        if (byte === 0x2e || byte === 0x2f) unresolved = true
      }
      escaped = true
      beyondAscii ||= byte >= 0x80
      i += 2
    } else if (kind === doubtful) {
      if (mode === 'refuse') return refusal('path holds a character that must be percent-encoded')
      unencoded = true
    } else {
      return refusal('path holds a forbidden character')
    }
  }

  const decoded = escaped ? decode(raw) : raw
  if (decoded === undefined) return refusal('path is not UTF-8')
  if (mode === 'refuse' && beyondAscii && hasLookalikes(decoded)) {
    return refusal('path holds a character that some readers take for a delimiter, or that cannot be seen')
  }
  const path = unresolved ? clean(decoded) : withoutTrailingSlash(decoded)
  if (!unresolved && !unencoded) return { path, target: raw }
  return { path, target: encodePath(path) + (decoded.endsWith('/') && path !== '/' ? '/' : '') }
}

/** Percent-encodes a decoded path; slashes and all that RFC 3986 section 3.3 allows stay as they are. */
export function encodePath(path: string): string {
  let clear = true
  for (let i = 0; i < path.length && clear; i++) {
    const code = path.charCodeAt(i)
    clear = code <= 0xff && (classes[code] === plain || classes[code] === slash)
  }
  if (clear) return path
  let encoded = ''
  for (const byte of Buffer.from(path)) {
    const kind = classes[byte]
    encoded +=
      kind === plain || kind === slash || byte === 0x3b
        ? String.fromCharCode(byte)
        : `%${byte < 0x10 ? '0' : ''}${byte.toString(16).toUpperCase()}`
  }
  return encoded
}

const refusal = (reason: string): GatewayError => new GatewayError('request_invalid', { reason })

function isDots(raw: string, start: number, length: number): boolean {
  if (length === 1) return raw.charCodeAt(start) === 0x2e
  return length === 2 && raw.charCodeAt(start) === 0x2e && raw.charCodeAt(start + 1) === 0x2e
}

/** The byte that two hexadecimal digits name, or -1. */
function hexPair(text: string, at: number): number {
  const high = hexDigit(text.charCodeAt(at))
  const low = hexDigit(text.charCodeAt(at + 1))
  return high === -1 || low === -1 ? -1 : high * 16 + low
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

function decode(raw: string): string | undefined {
  try {
    return decodeURIComponent(raw)
  } catch {
    return undefined
  }
}

/** Go's path.Clean for a path that starts with a slash. */
function clean(path: string): string {
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment === '..') segments.pop()
    else segments.push(segment)
  }
  return `/${segments.join('/')}`
}

const withoutTrailingSlash = (path: string): string =>
  path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path

/**
 * Whether the text holds a character whose compatibility form (Unicode NFKC) holds a delimiter, such as the fullwidth
 * full stop, or a control or format character, such as the right-to-left override.
 */
function hasLookalikes(text: string): boolean {
  for (const char of text) {
    if (char.charCodeAt(0) < 0x80) continue
    if (/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(char)) return true
    if (/[#%./;?\\]/.test(char.normalize('NFKC'))) return true
  }
  return false
}
