import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStandIn, type SignedIn, type StandIn } from '../../demo/stand-in/server.ts'
import type { AuthenticationMethod } from '../../demo/stand-in/store.ts'
import { extraVectors, type ExtraVector } from './vectors.ts'

let standIn: StandIn
let session: SignedIn
beforeEach(async () => {
  standIn = await createStandIn()
  session = standIn.signIn(standIn.alice)
})
afterEach(() => standIn.close())

/** A session as the admin API shows it; undefined when it is gone. */
const shown = async (id: string, expand = 'identity'): Promise<Record<string, unknown> | undefined> => {
  const response = await fetch(`${standIn.adminUrl}/admin/sessions/${id}?expand=${expand}`)
  return response.status === 200 ? ((await response.json()) as Record<string, unknown>) : undefined
}

const fill = (text: string): string =>
  text
    .replace(/<[^>]*>/, randomUUID())
    .replace(/\$(?:session_A|current|A)\b/, session.row.id)
    .replace(/\$identity_A/, standIn.alice.id)
    .replace('$logout_token', session.row.logoutToken)
    .replace('{id}', session.row.id)

const send = (request: string, headers: Record<string, string>, body?: unknown): Promise<Response> => {
  const [method = '', target = ''] = fill(request).split(' ')
  const base = target.startsWith('/admin') ? standIn.adminUrl : standIn.publicUrl
  const json = { 'Content-Type': 'application/json' }
  return fetch(`${base}${target}`, {
    method,
    redirect: 'manual',
    headers: { ...headers, ...(body !== undefined && json) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}

const bearerLogout = 'logout/bearer-breaks-browser-logout'

const tryJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const field = (of: unknown, name: string): unknown => (of as Record<string, unknown> | undefined)?.[name]

const isSignal = ({ id }: ExtraVector): boolean => id.startsWith('signal/')

describe('sessions die as in Kratos', () => {
  it.each(extraVectors('revocation').filter((vector) => !isSignal(vector) && vector.id !== bearerLogout))(
    '$id',
    async ({ id: title, given, expect: expected }) => {
      if (typeof given['expires_in_s'] === 'number') session.row.expiresAt = Date.now() + given['expires_in_s'] * 1000
      if (given['identity_state'] === 'inactive') standIn.alice.state = 'inactive'
      if (given['others'] === 1 || given['sessions_in_db'] === 2) standIn.signIn(standIn.alice)
      const other = standIn.signIn(standIn.bob)
      if (given['sessions_in_db'] === 2) standIn.store.sessions.delete(other.row.id)

      const headers: Record<string, string> = { Cookie: session.cookie }
      if (typeof given['accept'] === 'string') headers['Accept'] = given['accept']
      const request = String(given['request']).replace('$logout_token_B', other.row.logoutToken)
      const id = title.endsWith('-sessions') ? session.row.id : standIn.alice.id
      const body: unknown =
        given['body'] === undefined
          ? undefined
          : JSON.parse(
              JSON.stringify(given['body'])
                .replace('$id', id)
                .replace('"<501 uuids>"', JSON.stringify(Array.from({ length: 501 }, () => randomUUID()))),
            )
      const response = await send(request, headers, body)
      const text = await response.text()

      const cookies = response.headers.getSetCookie()
      const others = standIn.store.sessionsOf(standIn.alice.id).filter((row) => row.id !== session.row.id)
      const row = await shown(session.row.id)
      const seen: Record<string, unknown> = {
        status: response.status,
        body: tryJson(text),
        active: field(tryJson(text), 'active'),
        row: row === undefined ? 'deleted' : 'there',
        effect: row === undefined ? 'row deleted' : `active=${String(row['active'])}`,
        current_active: row?.['active'],
        others_active: others.some((one) => one.active),
        reason: field(field(tryJson(text), 'error'), 'reason'),
        message: field(field(tryJson(text), 'error'), 'reason'),
        session_cookie_cleared: cookies.some((cookie) => cookie.startsWith('ory_kratos_session=; Max-Age=0')),
        csrf_token_changed: cookies.some((cookie) => cookie.startsWith('csrf_token_')),
        span_event: standIn.events[0],
      }
      const named = Object.keys(expected).filter((name) => name in seen)
      expect(Object.fromEntries(named.map((name) => [name, seen[name]]))).toEqual(
        Object.fromEntries(named.map((name) => [name, expected[name]])),
      )
    },
  )

  it(`${bearerLogout}: ends nothing and leaves the cookie when a gateway adds its token to a logout`, async () => {
    const headers = { Cookie: session.cookie, Authorization: 'Bearer token.of.gateway' }
    const response = await send('GET /self-service/logout?token=$logout_token', headers)
    expect(response.headers.getSetCookie().filter((cookie) => cookie.startsWith('ory_kratos_session'))).toEqual([])
    expect(await shown(session.row.id)).toMatchObject({ active: true })
  })

  it('leaves the session of an inactive identity active where the identity is not looked at', async () => {
    standIn.alice.state = 'inactive'
    expect(await shown(session.row.id, 'devices')).toMatchObject({ active: true, identity: null })
  })

  const requests: Record<string, readonly [request: string, body?: () => object]> = {
    'signal/1-logout-browser': ['GET /self-service/logout?token=$logout_token'],
    'signal/2-logout-api': ['DELETE /self-service/logout/api', () => ({ session_token: session.token })],
    'signal/3-delete-mine': ['DELETE /sessions'],
    'signal/4-delete-one': ['DELETE /sessions/{id}'],
    'signal/5-admin': ['DELETE /admin/sessions/{id}'],
    'signal/6-admin-identity': ['DELETE /admin/identities/$identity_A/sessions'],
    'signal/7-bulk': ['POST /admin/sessions', () => ({ action: 'disable', identities: ['*'] })],
  }
  it.each(extraVectors('revocation').filter(isSignal))('$id', async ({ id, expect: expected }) => {
    const [request = '', body] = requests[id] ?? []
    const own = id === 'signal/4-delete-one' ? standIn.signIn(standIn.alice) : session
    await send(request, { Cookie: own.cookie }, body?.())
    expect(standIn.store.sessions.get(session.row.id)?.active).not.toBe(id !== 'signal/3-delete-mine')
    expect(standIn.events.includes('SessionRevoked')).toBe(expected['otel_SessionRevoked'])
  })
})

const extend = (): Promise<Response> => send('PATCH /admin/sessions/$A/extend', {})

describe('sessions are extended as in Kratos', () => {
  it('extend/200', async () => {
    session.row.expiresAt -= 1_000_000
    const before = session.row.expiresAt
    const response = await extend()
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ id: session.row.id })
    expect(session.row.expiresAt).toBeGreaterThan(before)
  })

  it('extend/204-flag', async () => {
    standIn.settings.fasterSessionExtend = true
    expect((await extend()).status).toBe(204)
  })

  it.each([
    ['extend/bad-uuid', 'BADUUID', 400],
    ['extend/unknown', randomUUID(), 404],
  ])('%s', async (_id, target, status) => {
    expect((await send(`PATCH /admin/sessions/${target}/extend`, {})).status).toBe(status)
  })

  it.each([
    ['extend/fresh-not-refreshable', 24, false],
    ['extend/after-12h', 12, true],
  ])('%s', async (_id, hoursLeft, extended) => {
    const now = Date.now()
    standIn.settings.now = () => now
    standIn.settings.earliestPossibleExtend = 12 * 3600
    const end = now + hoursLeft * 3600_000
    session.row.expiresAt = end
    expect((await extend()).status).toBe(200)
    expect(session.row.expiresAt).toBe(extended ? now + 24 * 3600_000 : end)
  })
})

describe('the assurance level follows from the methods', () => {
  it.each(extraVectors('aal'))('$id', async ({ given, expect: expected }) => {
    const { row } = standIn.signIn(standIn.alice, given['authentication_methods'] as AuthenticationMethod[])
    expect(await shown(row.id)).toMatchObject(expected)
  })
})

describe('the device of a login', () => {
  it.each(extraVectors('client_ip'))('$id', async ({ given, expect: expected }) => {
    const device = Object.fromEntries(
      Object.entries(expected).map(([name, value]) => [name.replace('devices[0].', ''), value]),
    )
    const start = await fetch(`${standIn.publicUrl}/self-service/login/api`)
    const flow = (await start.json()) as { ui: { action: string } }
    const response = await fetch(flow.ui.action, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(given['headers'] as Record<string, string>) },
      body: JSON.stringify({ method: 'password', identifier: 'alice@example.com', password: standIn.alice.password }),
    })
    expect(await response.json()).toMatchObject({ session: { devices: [device] } })
  })
})
