import { hash } from 'node:crypto'
import { GatewayError } from '../../errors.ts'
import type { Session } from '../../pipeline/contract/session.ts'
import { lookUp, type ReadPath, type Value } from './template.ts'

/** Deeper data is refused: it would overflow the stack of whatever walks it. */
const maxDepth = 200

/**
 * SHA-256 (base64url) over parts of any content. Each part is preceded by its length and hashed as UTF-16, in which lone
 * surrogates stay apart, so that no two lists of parts give the same bytes.
 */
export function digest(parts: Iterable<string>): string {
  let text = ''
  for (const part of parts) text += `${part.length}:${part}`
  return hash('sha256', Buffer.from(text, 'utf16le'), 'base64url')
}

/** A longer text is hashed: it would take more memory than it saves time. */
const longestKey = 512

/** As `digest`, for keys of a cache: what is short stays as it is. A digest holds no colon, and so is no such text. */
export function cacheKey(parts: Iterable<string>): string {
  let text = ''
  for (const part of parts) text += `${part.length}:${part}`
  return text.length <= longestKey ? text : digest([text])
}

/** JSON with the members of every object in one order; `undefined` is told from null. */
export function canonicalJson(value: Value, depth = 0): string {
  if (value === undefined) return 'undefined'
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (depth > maxDepth) throw new GatewayError('template_failed', { reason: 'The session is nested too deeply' })
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join(',')}]`
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name], depth + 1)}`)
  return `{${members.join(',')}}`
}

/**
 * Fingerprints of sessions for a template that reads `reads`.
 * @param reads paths that start with `subject` or `extra`
 */
export function sessionFingerprint(reads: readonly ReadPath[]): (session: Session) => string {
  return (session) => (reads.length === 0 ? '' : cacheKey(reads.map((path) => canonicalJson(pick(session, path)))))
}

function pick(session: Session, [root, ...path]: ReadPath): Value {
  let value: Value = root === 'subject' ? session.subject : session.extra
  for (const name of path) value = lookUp(value, name)
  return value
}
