/** Which credential of a request counts, and the session that it stands for. */
import { decodeCookie, type CookieContent } from './cookies.ts'
import { unauthorized } from './errors.ts'
import { cookie, type Call } from './http.ts'
import type { Identity } from './identities.ts'
import { isActive } from './session.ts'
import type { Settings } from './settings.ts'
import type { SessionRow, Store } from './store.ts'

export interface Kratos {
  readonly settings: Settings
  readonly store: Store
  /** How often each credential was checked by /sessions/whoami; '' counts the calls without a credential. */
  readonly calls: Map<string, number>
  /** Names of the OpenTelemetry span events that Kratos would have sent. */
  readonly events: string[]
}

export interface ActiveSession {
  readonly row: SessionRow
  readonly identity: Identity
}

/** The token of an Authorization header of exactly two words; the scheme in any case. */
export const bearerToken = (call: Call): string | undefined => {
  const words = (call.header('authorization') ?? '').split(' ')
  return words.length === 2 && words[0]?.toLowerCase() === 'bearer' && words[1] !== '' ? words[1] : undefined
}

/** The content of the session cookie, undefined when there is none or it cannot be decoded. */
const cookieContent = (call: Call, settings: Settings): CookieContent | undefined => {
  const value = cookie(call, settings.cookieName)
  if (value === undefined) return undefined
  const decoded = decodeCookie(value, settings)
  return 'content' in decoded ? decoded.content : undefined
}

/** X-Session-Token first and without fall-back, then the cookie, then the bearer token. */
export const credential = (call: Call, settings: Settings): string | undefined =>
  call.header('x-session-token') ?? cookieContent(call, settings)?.token ?? bearerToken(call)

export const activeSession = ({ settings, store }: Kratos, token: string | undefined): ActiveSession | undefined => {
  const row = token === undefined || settings.databaseDown ? undefined : store.byToken(token)
  const identity = row && store.identities.get(row.identityId)
  return row && identity && isActive(row, identity, settings.now()) ? { row, identity } : undefined
}

export const sessionOf = (kratos: Kratos, call: Call): ActiveSession | undefined =>
  activeSession(kratos, credential(call, kratos.settings))

export const requireSession = (kratos: Kratos, call: Call): ActiveSession => {
  const session = sessionOf(kratos, call)
  if (session === undefined) throw unauthorized('No valid session cookie found.')
  return session
}
