/** The admin API's sessions: look, extend, disable, delete, one by one and in bulk. */
import type { Kratos } from './credentials.ts'
import { badRequest, notFound } from './errors.ts'
import { empty, json, jsonObject, uuid, type Call, type Reply, type Route } from './http.ts'
import { isActive, sessionJson } from './session.ts'
import type { SessionRow } from './store.ts'

const maximumPage = 1000
const defaultPage = 250
const maximumBulk = 500

const expansion = (call: Call): Set<string> => {
  const wanted = new Set(call.url.searchParams.getAll('expand').map((name) => name.toLowerCase()))
  for (const name of wanted) {
    if (name !== 'identity' && name !== 'devices') {
      throw badRequest('Could not parse expand option: expected one of identity, devices.')
    }
  }
  return wanted
}

export const createAdminSessions = (kratos: Kratos) => {
  const { settings, store } = kratos

  const row = (id: string | undefined): SessionRow => {
    const found = store.sessions.get(uuid(id))
    if (found === undefined) throw notFound()
    return found
  }

  const shown = (of: SessionRow, expand: Set<string>): object =>
    sessionJson(of, {
      baseUrl: settings.baseUrl,
      now: settings.now(),
      identity: expand.has('identity') ? store.identities.get(of.identityId) : undefined,
      devices: expand.has('devices'),
      admin: true,
    })

  const get: Route = (call, [id]) => json(200, shown(row(id), expansion(call)))

  const page = (call: Call, rows: readonly SessionRow[]): Reply => {
    const expand = expansion(call)
    const { searchParams } = call.url
    const size = Number(searchParams.get('page_size') ?? defaultPage)
    if (!Number.isInteger(size) || size < 1 || size > maximumPage) throw badRequest('The page size is out of range.')
    const active = searchParams.get('active')
    const wanted = rows.filter((of) => active === null || String(isActive(of, undefined, settings.now())) === active)
    const token = searchParams.get('page_token') ?? ''
    const start = token === '' ? 0 : wanted.findIndex((of) => of.id === token) + 1
    const part = wanted.slice(start, start + size)
    const link = (pageToken: string, rel: string): string => {
      const query = new URLSearchParams(searchParams)
      query.set('page_size', String(size))
      query.set('page_token', pageToken)
      return `<${call.url.pathname}?${query.toString()}>; rel="${rel}"`
    }
    const links = [link('', 'first')]
    if (start + size < wanted.length) links.push(link(part.at(-1)?.id ?? '', 'next'))
    return json(
      200,
      part.map((of) => shown(of, expand)),
      { Link: links.join(',') },
    )
  }

  const list: Route = (call) => page(call, [...store.sessions.values()])

  const listOfIdentity: Route = (call, [id]) => {
    const owner = uuid(id)
    if (!store.identities.has(owner)) throw notFound()
    return page(call, store.sessionsOf(owner))
  }

  const disable: Route = (_call, [id]) => {
    row(id).active = false
    return empty(204)
  }

  /** Too early to extend is a success that changes nothing. */
  const extend: Route = (_call, [id]) => {
    const of = row(id)
    const earliest = settings.earliestPossibleExtend
    const now = settings.now()
    if (earliest === undefined || of.expiresAt - earliest * 1000 <= now) of.expiresAt = now + settings.lifespan * 1000
    return settings.fasterSessionExtend ? empty(204) : json(200, shown(of, new Set(['identity', 'devices'])))
  }

  const deleteOfIdentity: Route = (_call, [id]) => {
    const rows = store.sessionsOf(uuid(id))
    if (rows.length === 0) throw notFound()
    for (const of of rows) store.sessions.delete(of.id)
    return empty(204)
  }

  const manage: Route = (call) => {
    const body = jsonObject(call.body.toString('utf8'))
    const rows = selection(body)
    if (body['action'] === 'delete') for (const of of rows) store.sessions.delete(of.id)
    else if (body['action'] === 'disable') for (const of of rows) of.active = false
    else throw badRequest('The action must be either "disable" or "delete".')
    return json(200, { processed: rows.length, more: false })
  }

  /** Exactly one list, of 1 to 500 UUIDs; `["*"]` only for identities. */
  const selection = ({ identities, sessions }: Record<string, unknown>): SessionRow[] => {
    if ((identities === undefined) === (sessions === undefined)) {
      throw badRequest('Exactly one of "identities" and "sessions" must be given.')
    }
    const chosen = identities ?? sessions
    if (!Array.isArray(chosen) || chosen.length === 0 || chosen.length > maximumBulk) {
      throw badRequest(`The list must have between 1 and ${maximumBulk} items.`)
    }
    if (identities !== undefined && chosen.length === 1 && chosen[0] === '*') return [...store.sessions.values()]
    const ids = new Set(chosen.map((id: unknown) => uuid(String(id))))
    return [...store.sessions.values()].filter((of) => ids.has(identities === undefined ? of.id : of.identityId))
  }

  return { get, list, listOfIdentity, disable, extend, deleteOfIdentity, manage }
}
