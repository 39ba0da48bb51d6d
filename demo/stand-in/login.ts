/** Self-service login with a password, for API clients, single-page apps and plain HTML forms. */
import { deviceOf } from './client_address.ts'
import { sessionCookie } from './cookies.ts'
import { sessionOf, type Kratos } from './credentials.ts'
import { csrfCookie, csrfMatches, csrfTokenOf, maskCsrfToken } from './csrf.ts'
import { ApiError, badRequest, databaseUnavailable, notFound } from './errors.ts'
import { createFlow, flowJson, invalidCredentials, returnTo, type LoginFlow } from './flows.ts'
import { fields, json, seeOther, wantsJson, type Call, type Reply, type Route } from './http.ts'
import type { Identity } from './identities.ts'
import { sessionJson } from './session.ts'
import type { SessionRow } from './store.ts'

const alreadySignedIn = () =>
  badRequest(
    'A valid session was detected and thus login is not possible. Did you forget to set `?refresh=true`?',
    'session_already_available',
  )

const csrfViolation = () =>
  new ApiError(403, {
    id: 'security_csrf_violation',
    reason: 'Please retry the flow and optionally clear your cookies.',
    message: 'the request was rejected to protect you from Cross-Site-Request-Forgery',
  })

/** API flows are for clients that are no browsers: those would lack the protection against CSRF. */
const refuseBrowsers = (call: Call): void => {
  const cookies = (call.header('cookie') ?? '').split(';').map((pair) => pair.trim())
  const hasCookie = cookies.some((pair) => pair !== '' && !/^(?:__cf|_cf|cf_)/.test(pair))
  const header = call.header('origin') === undefined ? (hasCookie ? 'Cookie' : undefined) : 'Origin'
  if (header !== undefined) {
    throw badRequest(
      `The HTTP Request Header included the "${header}" key, indicating that this request was made by a Browser. ` +
        'The flow however was initiated as an API request.',
    )
  }
}

export const createLogin = (kratos: Kratos) => {
  const { settings, store } = kratos
  const flows = new Map<string, LoginFlow>()

  const start = (type: LoginFlow['type'], call: Call): LoginFlow => {
    if (settings.databaseDown) throw databaseUnavailable()
    const flow = createFlow(type, call.url.searchParams, call.url.href, settings)
    flows.set(flow.id, flow)
    return flow
  }

  const known = (call: Call, parameter: string): LoginFlow => {
    if (settings.databaseDown) throw databaseUnavailable()
    const flow = flows.get(call.url.searchParams.get(parameter) ?? '')
    if (flow === undefined) throw notFound()
    return flow
  }

  /** Signed in already, and not asked to prove it again or to add a factor. */
  const isDone = (call: Call): boolean =>
    sessionOf(kratos, call) !== undefined &&
    call.url.searchParams.get('refresh') !== 'true' &&
    call.url.searchParams.get('aal') !== 'aal2'

  const startApi: Route = (call) => {
    refuseBrowsers(call)
    if (isDone(call)) throw alreadySignedIn()
    return json(200, flowJson(start('api', call), '', settings))
  }

  const startBrowser: Route = (call) => {
    if (isDone(call)) {
      if (wantsJson(call)) throw alreadySignedIn()
      return seeOther(returnTo(call.url.searchParams, settings) ?? settings.defaultReturnUrl)
    }
    const flow = start('browser', call)
    const token = csrfTokenOf(call, settings)
    const setCookie = [csrfCookie(token, settings)]
    if (!wantsJson(call)) return seeOther(`${settings.loginUiUrl}?flow=${flow.id}`, setCookie)
    return json(200, flowJson(flow, maskCsrfToken(token), settings), { 'Set-Cookie': setCookie })
  }

  const show: Route = (call) => {
    const flow = known(call, 'id')
    const csrf = flow.type === 'browser' ? maskCsrfToken(csrfTokenOf(call, settings)) : ''
    return json(200, flowJson(flow, csrf, settings))
  }

  const expired = (flow: LoginFlow, call: Call): Reply => {
    const fresh = start(flow.type, call)
    if (flow.type === 'browser' && !wantsJson(call)) return seeOther(`${settings.loginUiUrl}?flow=${fresh.id}`)
    const since = settings.now() - flow.expiresAt
    throw new ApiError(410, {
      id: 'self_service_flow_expired',
      reason: `The self-service flow expired ${(since / 60_000).toFixed(2)} minutes ago, initialize a new one.`,
      message: 'self-service flow expired',
      beside: { expired_at: new Date(flow.expiresAt).toISOString(), since: since * 1_000_000, use_flow_id: fresh.id },
    })
  }

  const refused = (flow: LoginFlow, identifier: string, call: Call): Reply => {
    flow.messages = [invalidCredentials]
    flow.identifier = identifier
    if (flow.type === 'browser' && !wantsJson(call)) return seeOther(`${settings.loginUiUrl}?flow=${flow.id}`)
    const csrf = flow.type === 'browser' ? maskCsrfToken(csrfTokenOf(call, settings)) : ''
    return json(400, flowJson(flow, csrf, settings))
  }

  const accepted = (flow: LoginFlow, row: SessionRow, identity: Identity, call: Call): Reply => {
    const now = settings.now()
    const session = sessionJson(row, { baseUrl: settings.baseUrl, now, identity, devices: true })
    if (flow.type === 'api') return json(200, { session_token: row.token, session, continue_with: null })

    const setCookie = [sessionCookie(row, settings)]
    const needsSecondFactor = settings.requiredAal === 'highest_available' && identity.available_aal >= 'aal2'
    const target = needsSecondFactor
      ? `${settings.baseUrl}self-service/login/browser?aal=aal2`
      : (flow.returnTo ?? settings.defaultReturnUrl)
    if (!wantsJson(call)) return seeOther(target, setCookie)
    if (needsSecondFactor) {
      const error = new ApiError(422, {
        id: 'browser_location_change_required',
        reason: 'In order to complete this flow please redirect the browser to: ' + target,
        message: 'browser location change required',
        beside: { redirect_browser_to: target },
      })
      error.headers['Set-Cookie'] = setCookie[0] ?? ''
      throw error
    }
    const next = [{ action: 'redirect_browser_to', redirect_browser_to: target }]
    return json(200, { session, continue_with: next }, { 'Set-Cookie': setCookie })
  }

  const submit: Route = (call) => {
    const flow = known(call, 'flow')
    if (flow.expiresAt <= settings.now()) return expired(flow, call)
    const { identifier = '', password = '', csrf_token: csrf, method } = fields(call)
    if (flow.type === 'api') refuseBrowsers(call)
    else if (!csrfMatches(call, csrf, settings)) throw csrfViolation()
    if (method !== 'password') throw badRequest('Could not find a strategy to log you in with.')

    const identity = store.byPassword(identifier, password)
    if (identity === undefined || identity.state !== 'active') return refused(flow, identifier, call)
    flows.delete(flow.id)
    const { lifespan } = settings
    const row = store.createSession(identity, { now: settings.now(), lifespan, devices: [deviceOf(call)] })
    return accepted(flow, row, identity, call)
  }

  return { flows, startApi, startBrowser, show, submit }
}
