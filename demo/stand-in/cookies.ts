/**
 * The session cookie: signed, dated, and different at each issue, as gorilla/securecookie makes it. What is inside is
 * this stand-in's own; clients see an opaque value.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Settings } from './settings.ts'
import type { SessionRow } from './store.ts'

export interface CookieContent {
  readonly token: string
  /** Epoch milliseconds: the end of the session when the cookie was issued. */
  readonly expiresAt: number
}

export type DecodedCookie = { readonly content: CookieContent } | { readonly fault: string }

const signature = (payload: string, secret: string): Buffer => createHmac('sha256', secret).update(payload).digest()

/** `issuedAt` in epoch milliseconds dates the cookie; it is judged by that date, not by the session's. */
export const encodeCookie = (content: CookieContent, issuedAt: number, secret: string): string => {
  const nonce = randomBytes(6).toString('base64url')
  const payload = Buffer.from(JSON.stringify([issuedAt, content.token, content.expiresAt, nonce])).toString('base64url')
  return Buffer.from(`${payload}|${signature(payload, secret).toString('base64url')}`).toString('base64url')
}

const decodeWith = (value: string, secret: string, settings: Settings): DecodedCookie => {
  const illegal = value.search(/[^A-Za-z0-9_-]/)
  if (illegal >= 0) {
    return { fault: `securecookie: base64 decode failed - caused by: illegal base64 data at input byte ${illegal}` }
  }
  const [payload = '', mac = ''] = Buffer.from(value, 'base64url').toString('utf8').split('|')
  const expected = signature(payload, secret)
  const given = Buffer.from(mac, 'base64url')
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    return { fault: 'securecookie: the value is not valid' }
  }
  const [issuedAt, token, expiresAt] = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as [
    number,
    string,
    number,
  ]
  if (issuedAt + settings.lifespan * 1000 < settings.now()) return { fault: 'securecookie: expired timestamp' }
  return { content: { token, expiresAt } }
}

/** Tries every secret; the fault names the first failure and how many others there were. */
export const decodeCookie = (value: string, settings: Settings): DecodedCookie => {
  const faults: string[] = []
  for (const secret of settings.cookieSecrets) {
    const decoded = decodeWith(value, secret, settings)
    if ('content' in decoded) return decoded
    faults.push(decoded.fault)
  }
  const others = faults.length - 1
  const suffix = others === 0 ? '' : ` (and ${others} other error${others === 1 ? '' : 's'})`
  return { fault: `${faults[0] ?? 'securecookie: no codecs provided'}${suffix}` }
}

const attributes = (settings: Settings): string =>
  `Path=/; HttpOnly; SameSite=Lax${settings.baseUrl.startsWith('https:') ? '; Secure' : ''}`

/** A Set-Cookie value that gives the browser this session. */
export const sessionCookie = (row: SessionRow, settings: Settings): string => {
  const now = settings.now()
  const value = encodeCookie({ token: row.token, expiresAt: row.expiresAt }, now, settings.cookieSecrets[0] ?? '')
  const age = Math.max(0, Math.floor((row.expiresAt - now) / 1000))
  return `${settings.cookieName}=${value}; Max-Age=${age}; ${attributes(settings)}`
}

/** A Set-Cookie value that takes the session away from the browser. */
export const clearedSessionCookie = (settings: Settings): string =>
  `${settings.cookieName}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; ${attributes(settings)}`
