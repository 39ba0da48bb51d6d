/** Self-service logout of browsers (with a token against CSRF) and of API clients. */
import { clearedSessionCookie } from './cookies.ts'
import { bearerToken, sessionOf, type Kratos } from './credentials.ts'
import { csrfCookie, newCsrfToken } from './csrf.ts'
import { badRequest, forbidden, noActiveSession } from './errors.ts'
import { returnTo } from './flows.ts'
import { empty, json, jsonObject, seeOther, wantsJson, type Route } from './http.ts'
import type { SessionRow } from './store.ts'

export const createLogout = (kratos: Kratos) => {
  const { settings, store, events } = kratos

  const revoke = (row: SessionRow | undefined): void => {
    if (row === undefined) return
    row.active = false
    events.push('SessionRevoked')
  }

  const start: Route = (call) => {
    const target = returnTo(call.url.searchParams, settings)
    const session = sessionOf(kratos, call)
    if (session === undefined) throw noActiveSession()
    const token = session.row.logoutToken
    const query = new URLSearchParams({ token, ...(target !== undefined && { return_to: target }) })
    return json(200, { logout_url: `${settings.baseUrl}self-service/logout?${query.toString()}`, logout_token: token })
  }

  const submit: Route = (call) => {
    const query = call.url.searchParams
    const token = query.get('token') ?? ''
    if (token === '') throw badRequest('Please include a token in the URL query.')
    const target = returnTo(query, settings) ?? settings.defaultReturnUrl
    const session = sessionOf(kratos, call)
    if (session === undefined) throw noActiveSession()
    if (session.row.logoutToken !== token) {
      throw forbidden('Unable to log out because the logout token in the URL query does not match the session cookie.')
    }
    // Kratos purges by the bearer token first, whatever it is, and then leaves the cookie alone.
    const bearer = bearerToken(call)
    const cookies = bearer === undefined ? [clearedSessionCookie(settings)] : []
    revoke(bearer === undefined ? session.row : store.byToken(bearer))
    cookies.push(csrfCookie(newCsrfToken(), settings))
    return wantsJson(call) ? empty(204, { 'Set-Cookie': cookies }) : seeOther(target, cookies)
  }

  const submitApi: Route = (call) => {
    const { session_token: token } = jsonObject(call.body.toString('utf8'))
    const row = typeof token === 'string' && !settings.databaseDown ? store.byToken(token) : undefined
    if (row === undefined) throw forbidden('The provided Session Token could not be found, is invalid, or is expired.')
    if (row.active) revoke(row)
    return empty(204)
  }

  return { start, submit, submitApi }
}
