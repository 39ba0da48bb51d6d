/** The anti-CSRF token: a random value in a cookie, and the same value behind a fresh one-time pad in each form. */
import { createHash, randomBytes } from 'node:crypto'
import { cookie, type Call } from './http.ts'
import type { Settings } from './settings.ts'

const tokenBytes = 32

const csrfCookieName = (settings: Settings): string =>
  `csrf_token_${createHash('sha256').update(settings.baseUrl).digest('hex')}`

export const newCsrfToken = (): string => randomBytes(tokenBytes).toString('base64url')

/** The browser's own token, or a new one. */
export const csrfTokenOf = (call: Call, settings: Settings): string => {
  const known = cookie(call, csrfCookieName(settings))
  return known !== undefined && Buffer.from(known, 'base64url').length === tokenBytes ? known : newCsrfToken()
}

export const csrfCookie = (token: string, settings: Settings): string => {
  const secure = settings.baseUrl.startsWith('https:') ? '; Secure' : ''
  return `${csrfCookieName(settings)}=${token}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax${secure}`
}

const xor = (left: Buffer, right: Buffer): Buffer => Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)))

/** The form's value: differs each time, so that compression cannot betray the token. */
export const maskCsrfToken = (token: string): string => {
  const pad = randomBytes(tokenBytes)
  return Buffer.concat([pad, xor(pad, Buffer.from(token, 'base64url'))]).toString('base64')
}

export const csrfMatches = (call: Call, masked: string | undefined, settings: Settings): boolean => {
  const token = cookie(call, csrfCookieName(settings))
  const bytes = Buffer.from(masked ?? '', 'base64')
  if (token === undefined || bytes.length !== 2 * tokenBytes) return false
  return xor(bytes.subarray(0, tokenBytes), bytes.subarray(tokenBytes)).toString('base64url') === token
}
