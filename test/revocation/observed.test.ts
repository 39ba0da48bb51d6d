/** Calls that end sessions, on their way through the gateway to Kratos. */
import { describe, expect, it } from 'vitest'
import { endedBy } from '../../src/revocation/kratos_calls.ts'
import { arrange, timeUntil, type Arranged } from './support.ts'

interface Call {
  readonly method: string
  readonly path: string
  readonly admin?: boolean
  readonly headers?: Record<string, string>
  readonly body?: object
}

async function send({ publicUrl, adminUrl }: Arranged, { method, path, admin, headers, body }: Call): Promise<number> {
  const response = await fetch(`${admin === true ? adminUrl : publicUrl}${path}`, {
    method,
    redirect: 'manual',
    headers: { ...headers, ...(body !== undefined && { 'Content-Type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  await response.text()
  return response.status
}

describe('a session that ends through the gateway', () => {
  it.each<[string, (test: Arranged) => Call, readonly boolean[]]>([
    [
      'by logout',
      ({ users: [alice] }) => ({
        method: 'GET',
        path: `/self-service/logout?token=${alice.row.logoutToken}`,
        headers: { Cookie: alice.cookie },
      }),
      [false, true, true],
    ],
    [
      'by logout of an API client',
      ({ users: [alice] }) => ({
        method: 'DELETE',
        path: '/self-service/logout/api',
        body: { session_token: alice.token },
      }),
      [false, true, true],
    ],
    [
      'as one of the others of its user',
      ({ users: [, alice] }) => ({ method: 'DELETE', path: '/sessions', headers: { Cookie: alice.cookie } }),
      [false, true, true],
    ],
    [
      'by its id',
      ({ users: [alice, other] }) => ({
        method: 'DELETE',
        path: `/sessions/${alice.row.id}`,
        headers: { 'X-Session-Token': other.token },
      }),
      [false, true, true],
    ],
    [
      'by the admin API',
      ({ users: [alice] }) => ({ method: 'DELETE', path: `/admin/sessions/${alice.row.id}`, admin: true }),
      [false, true, true],
    ],
    [
      'by the admin API without its prefix',
      ({ users: [alice] }) => ({ method: 'DELETE', path: `/sessions/${alice.row.id}`, admin: true }),
      [false, true, true],
    ],
    [
      'with all of its user',
      ({ standIn }) => ({ method: 'DELETE', path: `/admin/identities/${standIn.alice.id}/sessions`, admin: true }),
      [false, false, true],
    ],
    [
      'with its user',
      ({ standIn }) => ({ method: 'DELETE', path: `/admin/identities/${standIn.alice.id}`, admin: true }),
      [false, false, true],
    ],
    [
      'because its user is blocked',
      ({ standIn }) => ({
        method: 'PATCH',
        path: `/admin/identities/${standIn.alice.id}`,
        admin: true,
        body: [{ op: 'replace', path: '/state', value: 'inactive' }],
      }),
      [false, false, true],
    ],
    [
      'in a list',
      ({ users: [alice, , bob] }) => ({
        method: 'POST',
        path: '/admin/sessions',
        admin: true,
        body: { action: 'disable', sessions: [alice.row.id, bob.row.id] },
      }),
      [false, true, false],
    ],
    [
      'in a list of users',
      ({ standIn }) => ({
        method: 'POST',
        path: '/admin/sessions',
        admin: true,
        body: { action: 'delete', identities: [standIn.alice.id] },
      }),
      [false, false, true],
    ],
    [
      'with all there are',
      () => ({
        method: 'POST',
        path: '/admin/sessions',
        admin: true,
        body: { action: 'disable', identities: ['*'] },
      }),
      [false, false, false],
    ],
  ])('%s is refused with the next request', async (_name, call, left) => {
    await using test = await arrange()
    expect(await test.remembered()).toEqual([true, true, true])
    expect(await send(test, call(test))).toBeLessThan(400)
    expect(await test.letIn()).toEqual(left)
  })

  it('is asked for again when Kratos did not answer, and not when it said no', async () => {
    await using test = await arrange()
    const [alice, , bob] = test.users
    expect(await send(test, { method: 'DELETE', path: '/admin/sessions/no-uuid', admin: true })).toBe(400)
    const cookie = { Cookie: bob.cookie }
    expect(await send(test, { method: 'GET', path: '/self-service/logout?token=wrong', headers: cookie })).toBe(403)
    expect(await test.remembered()).toEqual([true, true, true])
    test.standIn.settings.databaseDown = true
    expect(await send(test, { method: 'DELETE', path: `/admin/sessions/${alice.row.id}`, admin: true })).toBe(500)
    test.standIn.settings.databaseDown = false
    expect(await test.remembered()).toEqual([false, true, true])
  })

  it('is asked for again when the client did not wait', async () => {
    await using test = await arrange()
    const [alice] = test.users
    test.standIn.settings.latency = 200
    const aborted = fetch(`${test.publicUrl}/self-service/logout?token=${alice.row.logoutToken}`, {
      headers: { Cookie: alice.cookie },
      redirect: 'manual',
      signal: AbortSignal.timeout(350),
    })
    await expect(aborted).rejects.toMatchObject({ name: 'TimeoutError' })
    test.standIn.settings.latency = 0
    await timeUntil(async () => (await test.letIn())[0] === false)
    expect(await test.letIn()).toEqual([false, true, true])
  })

  it('stays remembered when nobody is to watch', async () => {
    await using test = await arrange({ config: { revocation: { observe: false } } })
    const [alice] = test.users
    expect(await send(test, { method: 'DELETE', path: `/admin/sessions/${alice.row.id}`, admin: true })).toBe(204)
    expect(await test.letIn()).toEqual([true, true, true])
  })

  it('passes the body of the call on', async () => {
    await using test = await arrange()
    const [alice] = test.users
    const body = { session_token: alice.token }
    expect(await send(test, { method: 'DELETE', path: '/self-service/logout/api', body })).toBe(204)
    expect(test.standIn.store.sessions.get(alice.row.id)?.active).toBe(false)
  })
})

describe('the calls of Kratos', () => {
  it.each([
    ['public', 'POST', '/self-service/settings', { whose: 'caller', scope: 'identity' }],
    ['public', 'POST', '/self-service/verification', { whose: 'caller', scope: 'identity' }],
    ['public', 'POST', '/self-service/recovery', { whose: 'caller', scope: 'identity' }],
    ['public', 'GET', '/self-service/methods/oidc/callback/google', { whose: 'caller', scope: 'identity' }],
    ['public', 'POST', '/self-service/login', { whose: 'caller', scope: 'identity' }],
    ['admin', 'PUT', '/identities/a', { whose: 'named', revocation: { identity: 'a' } }],
    ['admin', 'DELETE', '/admin/identities/a/credentials/totp', { whose: 'named', revocation: { identity: 'a' } }],
    ['admin', 'PATCH', '/admin/identities', { whose: 'named', revocation: { everything: true } }],
    ['public', 'GET', '/sessions/whoami', undefined],
    ['public', 'DELETE', '/sessions/whoami', undefined],
    ['public', 'GET', '/self-service/logout/browser', undefined],
    ['public', 'GET', '/self-service/settings', undefined],
    ['public', 'DELETE', '/admin/sessions/a', undefined],
    ['admin', 'GET', '/admin/sessions/a', undefined],
    ['admin', 'PATCH', '/admin/sessions/a/extend', undefined],
    ['admin', 'POST', '/admin/identities', undefined],
    ['admin', 'GET', '/admin/identities/a/sessions', undefined],
    ['admin', 'DELETE', '/admin/identities/a/sessions/b', undefined],
    ['admin', 'POST', '/admin/recovery/code', undefined],
  ] as const)('%s %s %s', (api, method, path, expected) => {
    expect(endedBy(api, method, path)).toEqual(expected)
  })
})
