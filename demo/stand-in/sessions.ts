/** What users can do with their own sessions on the public API. */
import { requireSession, type Kratos } from './credentials.ts'
import { badRequest } from './errors.ts'
import { empty, json, uuid, type Route } from './http.ts'
import { isActive, sessionJson } from './session.ts'
import type { SessionRow } from './store.ts'

export const createSessions = (kratos: Kratos) => {
  const { settings, store } = kratos

  const others = (own: SessionRow): SessionRow[] =>
    store
      .sessionsOf(own.identityId)
      .filter((row) => row.id !== own.id && isActive(row, undefined, settings.now()))
      .toSorted((left, right) => right.issuedAt - left.issuedAt)

  const list: Route = (call) => {
    const { row, identity } = requireSession(kratos, call)
    const view = { baseUrl: settings.baseUrl, now: settings.now(), identity, devices: true }
    const shown = others(row).map((other) => sessionJson(other, view))
    return json(200, shown, { 'X-Total-Count': String(shown.length) })
  }

  const revokeOthers: Route = (call) => {
    const revoked = others(requireSession(kratos, call).row)
    for (const row of revoked) row.active = false
    return json(200, { count: revoked.length })
  }

  const revokeOne: Route = (call, [id]) => {
    const own = requireSession(kratos, call).row
    const wanted = uuid(id)
    if (wanted === own.id) throw badRequest('cannot revoke current session')
    const row = store.sessions.get(wanted)
    if (row?.identityId === own.identityId) row.active = false
    return empty(204)
  }

  return { list, revokeOthers, revokeOne }
}
