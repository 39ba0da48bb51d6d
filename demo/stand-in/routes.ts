/** Which method and path leads to which part of the stand-in, on its public and on its admin port. */
import { createAdminIdentities } from './admin_identities.ts'
import { createAdminSessions } from './admin_sessions.ts'
import type { Kratos } from './credentials.ts'
import { ApiError } from './errors.ts'
import { json, type Call, type Route } from './http.ts'
import { createLogin } from './login.ts'
import { createLogout } from './logout.ts'
import { createPages } from './pages.ts'
import { createSessions } from './sessions.ts'
import { whoami } from './whoami.ts'

interface Match {
  readonly route: Route
  readonly parameters: readonly string[]
}

export type Router = (call: Call) => Match | undefined

type Entry = readonly [methods: string, pattern: RegExp, route: Route]

const router =
  (entries: readonly Entry[], path: (call: Call) => string): Router =>
  (call) => {
    for (const [methods, pattern, route] of entries) {
      const found = methods === '*' || methods.split(' ').includes(call.method) ? pattern.exec(path(call)) : null
      if (found !== null) return { route, parameters: found.slice(1) }
    }
    return undefined
  }

const alive: Route = () => json(200, { status: 'ok' })

const ready =
  ({ settings }: Kratos): Route =>
  () => {
    if (!settings.databaseDown) return json(200, { status: 'ok' })
    throw new ApiError(503, { message: 'The service is not ready yet, or has lost its database' })
  }

export const publicRoutes = (kratos: Kratos): Router => {
  const login = createLogin(kratos)
  const logout = createLogout(kratos)
  const sessions = createSessions(kratos)
  const pages = createPages(kratos, login.flows)
  return router(
    [
      ['*', /^\/sessions\/whoami$/, whoami(kratos)],
      ['GET HEAD', /^\/sessions$/, sessions.list],
      ['DELETE', /^\/sessions$/, sessions.revokeOthers],
      ['DELETE', /^\/sessions\/([^/]+)$/, sessions.revokeOne],
      ['GET', /^\/self-service\/login\/api$/, login.startApi],
      ['GET', /^\/self-service\/login\/browser$/, login.startBrowser],
      ['GET', /^\/self-service\/login\/flows$/, login.show],
      ['POST', /^\/self-service\/login$/, login.submit],
      ['GET', /^\/self-service\/logout\/browser$/, logout.start],
      ['GET', /^\/self-service\/logout$/, logout.submit],
      ['DELETE', /^\/self-service\/logout\/api$/, logout.submitApi],
      ['GET HEAD', /^\/health\/alive$/, alive],
      ['GET HEAD', /^\/health\/ready$/, ready(kratos)],
      ['GET HEAD', /^\/login$/, pages.login],
      ['GET HEAD', /^\/$/, pages.index],
    ],
    (call) => call.url.pathname,
  )
}

export const adminRoutes = (kratos: Kratos): Router => {
  const sessions = createAdminSessions(kratos)
  const identities = createAdminIdentities(kratos)
  const toPublic: Route = () => ({
    status: 307,
    headers: { Location: `${kratos.settings.baseUrl}sessions/whoami` },
  })
  return router(
    [
      ['GET HEAD', /^\/admin\/health\/alive$/, alive],
      ['GET HEAD', /^\/admin\/health\/ready$/, ready(kratos)],
      ['GET', /^\/admin\/version$/, () => json(200, { version: 'stand-in' })],
      ['*', /^\/admin\/sessions\/whoami$/, toPublic],
      ['GET', /^\/admin\/sessions$/, sessions.list],
      ['POST', /^\/admin\/sessions$/, sessions.manage],
      ['GET', /^\/admin\/sessions\/([^/]+)$/, sessions.get],
      ['DELETE', /^\/admin\/sessions\/([^/]+)$/, sessions.disable],
      ['PATCH', /^\/admin\/sessions\/([^/]+)\/extend$/, sessions.extend],
      ['GET', /^\/admin\/identities\/by\/external\/([^/]+)$/, identities.getByExternalId],
      ['GET', /^\/admin\/identities\/([^/]+)$/, identities.get],
      ['PATCH', /^\/admin\/identities\/([^/]+)$/, identities.patch],
      ['DELETE', /^\/admin\/identities\/([^/]+)$/, identities.remove],
      ['GET', /^\/admin\/identities\/([^/]+)\/sessions$/, sessions.listOfIdentity],
      ['DELETE', /^\/admin\/identities\/([^/]+)\/sessions$/, sessions.deleteOfIdentity],
    ],
    // Kratos adds the prefix where a client leaves it out.
    ({ url: { pathname } }) => (pathname.startsWith('/admin/') ? pathname : `/admin${pathname}`),
  )
}
