/** `/sessions/whoami`: fetch, assurance level, tokenize, identity header, cache header, cookie refresh, in this order. */
import { decodeCookie, sessionCookie } from './cookies.ts'
import { activeSession, credential, type ActiveSession, type Kratos } from './credentials.ts'
import { ApiError, badRequest, unauthorized } from './errors.ts'
import { cookie, json, type Call, type Reply, type Route } from './http.ts'
import { assuranceLevel, sessionJson } from './session.ts'
import type { Settings } from './settings.ts'

const cacheHeader = 'Ory-Session-Cache-For'

/** Throws Kratos' 403 when the session has not reached the level that the configuration asks for. */
const checkAssuranceLevel = ({ row, identity }: ActiveSession, settings: Settings): void => {
  const required = settings.requiredAal === 'aal1' ? 'aal1' : identity.available_aal
  const reached = assuranceLevel(row.methods)
  if (reached >= 'aal2' || reached >= required) return
  const redirect = `${settings.baseUrl}self-service/login/browser?aal=aal2`
  throw new ApiError(403, {
    id: 'session_aal2_required',
    reason:
      'An active session was found but it does not fulfill the requested Authenticator Assurance Level. ' +
      'Please verify yourself with a second factor to resolve this issue.',
    details: { redirect_browser_to: redirect },
    message: 'Session does not fulfill the requested Authenticator Assurance Level',
    beside: { redirect_browser_to: redirect },
  })
}

const tokenize = async (name: string, session: object, settings: Settings): Promise<object> => {
  const template = settings.tokenizers[name]
  if (template === undefined) throw badRequest(`Unable to find tokenizer template "${name}".`)
  return { ...session, tokenized: await template(session) }
}

const secondsToCache = (expiresAt: number, settings: Settings): number => {
  const left = Math.floor((expiresAt - settings.now()) / 1000)
  return settings.cacheableSessionsMaxAge > 0 ? Math.min(left, settings.cacheableSessionsMaxAge) : left
}

/** A Set-Cookie value when the request's cookie knows an earlier end than the session has; an undecodable one is a 500. */
const refreshedCookie = (
  call: Call,
  { row }: ActiveSession,
  settings: Settings,
  headers: Record<string, string>,
): string | undefined => {
  const value = cookie(call, settings.cookieName)
  if (value === undefined) return undefined
  const decoded = decodeCookie(value, settings)
  if ('fault' in decoded) {
    const error = new ApiError(500, { message: decoded.fault })
    Object.assign(error.headers, headers)
    throw error
  }
  return decoded.content.expiresAt < row.expiresAt ? sessionCookie(row, settings) : undefined
}

const faultReply = (fault: NonNullable<Settings['fault']>): Reply => ({
  status: fault.status,
  headers: { 'Content-Type': 'application/json', ...fault.headers },
  body: typeof fault.body === 'string' ? fault.body : JSON.stringify(fault.body ?? {}),
})

export const whoami =
  (kratos: Kratos): Route =>
  async (call) => {
    const { settings } = kratos
    const token = credential(call, settings)
    kratos.calls.set(token ?? '', (kratos.calls.get(token ?? '') ?? 0) + 1)
    if (settings.fault !== undefined) return faultReply(settings.fault)

    const session = activeSession(kratos, token)
    if (session === undefined) {
      const error = unauthorized('No valid session credentials found in the request.')
      if (settings.cacheableSessions && token === undefined) error.headers[cacheHeader] = '60'
      throw error
    }
    checkAssuranceLevel(session, settings)

    const view = { baseUrl: settings.baseUrl, now: settings.now(), identity: session.identity, devices: true }
    const template = call.url.searchParams.get('tokenize_as') ?? ''
    const shown = sessionJson(session.row, view)
    const body = template === '' ? shown : await tokenize(template, shown, settings)

    const headers: Record<string, string> = { 'X-Kratos-Authenticated-Identity-Id': session.identity.id }
    if (settings.cacheableSessions && template === '') {
      headers[cacheHeader] = String(secondsToCache(session.row.expiresAt, settings))
    }
    const refreshed = refreshedCookie(call, session, settings, headers)
    return json(200, body, { ...headers, ...(refreshed !== undefined && { 'Set-Cookie': refreshed }) })
  }
