/**
 * Keeps secrets out of whatever is written down: by the name of a field, and by the shape of a text.
 * Both are needed. A token in a field called `error` has only its shape; a password has no shape, only its name.
 */
import { hash } from 'node:crypto'

export const REDACTED = '[redacted]'

/** Deeper structures are cut: nothing that is logged or listed is nested further. */
const MAX_DEPTH = 24

const SENSITIVE_KEYS = new Set([
  'authorization',
  'proxyauthorization',
  'cookie',
  'setcookie',
  'credential',
  'credentials',
  'passwd',
  'passphrase',
])
const SENSITIVE_ENDINGS = ['token', 'secret', 'password', 'apikey', 'privatekey', 'accesskey', 'sessionid', 'jwt']

/** The private members of a JWK (RFC 7518 section 6). */
const PRIVATE_JWK_MEMBERS = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])

// Every expression below starts at a character that cannot occur inside its own repetition, or has no repetition that
// can fail late, so that each costs time linear in the text: part of the text comes from clients.
const TOKEN_RUN = /[\w.~-]{16,}/g
const ORY_TOKEN = /ory_[a-z]{2,8}_[\w-]{16,}/
const AUTH_SCHEME = /\b(bearer|basic|digest|token)[ \t]+([\w+/=.~-]{8,})/gi
const URL_USER = /(:\/\/)[^\s/@?#]*@/g
const DATA_URL = /\b(base64|inline):\/\/[\w+/=.~%-]+/g
const NAMED_VALUE = /(^|[?&;,\s"'])([\w-]*(?:token|secret|password|session|api_?key)["']?=)([^&;,\s"']+)/gi
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g

/**
 * Replaces what looks like a secret: JWTs, Ory tokens, credentials after an authentication scheme, user names and
 * passwords in URLs, `base64://` and `inline://` contents, PEM private keys, `…token=value` pairs.
 */
export function redactText(text: string, replacement: string = REDACTED): string {
  if (text.length < 8) return text
  let clean = text
  if (clean.includes('PRIVATE KEY')) clean = clean.replace(PRIVATE_KEY, replacement)
  if (clean.includes('://')) {
    clean = clean.replace(DATA_URL, `$1://${replacement}`).replace(URL_USER, `$1${replacement}@`)
  }
  if (clean.includes('=')) clean = clean.replace(NAMED_VALUE, `$1$2${replacement}`)
  if (clean.includes(' ') || clean.includes('\t')) {
    clean = clean.replace(AUTH_SCHEME, (whole, scheme: string, value: string) =>
      // A word of prose after the scheme's name is no credential.
      /[\dA-Z=]/.test(value) ? `${scheme} ${replacement}` : whole,
    )
  }
  if (clean.includes('eyJ') || clean.includes('ory_')) {
    clean = clean.replace(TOKEN_RUN, (run) => redactRun(run, replacement))
  }
  return clean
}

function redactRun(run: string, replacement: string): string {
  const jwt = run.indexOf('eyJ')
  if (jwt !== -1 && run.length - jwt >= 16) return run.slice(0, jwt) + replacement
  const ory = ORY_TOKEN.exec(run)
  return ory === null ? run : run.slice(0, ory.index) + replacement
}

// Log calls and rules use a few hundred names.
const known = new Map<string, boolean>()
const KNOWN_LIMIT = 2048

/** Whether a field of this name holds a secret, whatever its value looks like. Case, `-` and `_` do not matter. */
export function isSensitiveKey(name: string, additional?: ReadonlySet<string>): boolean {
  let sensitive = known.get(name)
  if (sensitive === undefined) {
    const plain = normalizeKey(name)
    sensitive = SENSITIVE_KEYS.has(plain) || SENSITIVE_ENDINGS.some((ending) => plain.endsWith(ending))
    if (known.size >= KNOWN_LIMIT) known.clear()
    known.set(name, sensitive)
  }
  return sensitive || additional?.has(normalizeKey(name)) === true
}

/** The form in which names are compared; `additional` names are to be given in it. */
export const normalizeKey = (name: string): string => name.toLowerCase().replaceAll(/[-_]/g, '')

export interface RedactOptions {
  /** What stands in the place of a secret; `[redacted]` by default. */
  readonly replacement?: string
  /** Further names to redact, normalised. */
  readonly additional?: ReadonlySet<string>
}

/**
 * A copy of a JSON-like value without secrets, of the same shape: a secret string or number becomes the replacement,
 * lists and objects stay lists and objects. Errors become their name, message, code, stack and causes.
 */
export function redact(value: unknown, options: RedactOptions = {}): unknown {
  return redactValue(value, options, 0)
}

function redactValue(value: unknown, options: RedactOptions, depth: number): unknown {
  if (typeof value === 'string') return redactText(value, options.replacement)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) return options.replacement ?? REDACTED
  if (value instanceof Error) return redactValue(describeError(value), options, depth + 1)
  if (Array.isArray(value)) return value.map((item) => redactValue(item, options, depth + 1))
  const isJwk = typeof (value as { kty?: unknown }).kty === 'string'
  const copy: Record<string, unknown> = {}
  for (const [name, item] of Object.entries(value)) {
    const secret = (isJwk && PRIVATE_JWK_MEMBERS.has(name)) || isSensitiveKey(name, options.additional)
    copy[name] = secret ? redactWhole(item, options, depth + 1) : redactValue(item, options, depth + 1)
  }
  return copy
}

/** Everything below a secret name is secret; booleans and null tell nothing and stay. */
function redactWhole(value: unknown, options: RedactOptions, depth: number): unknown {
  if (typeof value === 'boolean' || value === null || value === undefined) return value
  if (Array.isArray(value)) return value.map((item) => redactWhole(item, options, depth + 1))
  if (typeof value === 'object' && depth < MAX_DEPTH) {
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, redactWhole(item, options, depth + 1)]),
    )
  }
  return options.replacement ?? REDACTED
}

function describeError(error: Error): Record<string, unknown> {
  const { name, message, stack, cause } = error
  const code = (error as { code?: unknown }).code
  return {
    type: name,
    message,
    ...(typeof code === 'string' && { code }),
    ...(stack !== undefined && { stack }),
    ...(cause instanceof Error && { cause: describeError(cause) }),
  }
}

/** The first eight hex digits of a secret's SHA-256: enough to find the log lines of one session, useless to act as it. */
export const fingerprint = (secret: string): string => hash('sha256', secret).slice(0, 8)
