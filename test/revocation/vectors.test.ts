/** The recorded ways in which sessions of Kratos end, each through the gateway: nobody gets in whom Kratos would not let in. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { extraVectors, type ExtraVector } from '../demo/vectors.ts'
import { arrange, timeUntil, type Arranged } from './support.ts'

const isRequest = ({ given }: ExtraVector): boolean => typeof given['request'] === 'string'

function filled({ standIn, users: [alice, , bob] }: Arranged, text: string): string {
  return text
    .replace('"<501 uuids>"', JSON.stringify(Array.from({ length: 501 }, () => randomUUID())))
    .replace(/<random[^>]*>/, randomUUID())
    .replace('$logout_token_B', bob.row.logoutToken)
    .replace('$logout_token', alice.row.logoutToken)
    .replace(/\$(?:session_A|current|A)\b/, alice.row.id)
    .replace('$identity_A', standIn.alice.id)
}

function send(test: Arranged, { id, given }: ExtraVector): Promise<Response> {
  const [method = '', target = ''] = filled(test, String(given['request'])).split(' ')
  const owner = id.endsWith('-sessions') ? test.users[0].row.id : test.standIn.alice.id
  const body =
    given['body'] === undefined ? undefined : filled(test, JSON.stringify(given['body'])).replace('$id', owner)
  return fetch(`${target.startsWith('/admin') ? test.adminUrl : test.publicUrl}${target}`, {
    method,
    redirect: 'manual',
    headers: {
      Cookie: test.users[0].cookie,
      ...(typeof given['accept'] === 'string' && { Accept: given['accept'] }),
      ...(given['headers'] as Record<string, string> | undefined),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
    },
    ...(body !== undefined && { body }),
  })
}

/** Whom Kratos itself knows. */
const truth = ({ standIn, users }: Arranged): Promise<readonly boolean[]> =>
  Promise.all(
    users.map(async ({ cookie }) => {
      const response = await fetch(`${standIn.publicUrl}/sessions/whoami`, { headers: { Cookie: cookie } })
      await response.text()
      return response.status === 200
    }),
  )

describe('a recorded call, through the gateway', () => {
  it.each(extraVectors('revocation').filter(isRequest))('$id', async (vector) => {
    await using test = await arrange()
    const { given, expect: expected } = vector
    const [alice] = test.users
    if (given['identity_state'] === 'inactive') test.standIn.alice.state = 'inactive'
    if (typeof given['expires_in_s'] === 'number') alice.row.expiresAt = Date.now() + given['expires_in_s'] * 1000
    const answer = await send(test, vector)
    await answer.text()
    expect(answer.status).toBe(expected['status'] ?? answer.status)
    // What had ended before the call has to be found out by other ways.
    const endedBefore = given['identity_state'] !== undefined || given['expires_in_s'] !== undefined
    expect(endedBefore ? await truth(test) : await test.letIn()).toEqual(await truth(test))
  })

  it.each(extraVectors('revocation').filter((vector) => !isRequest(vector)))(
    '$id ends what it ends',
    async ({ given }) => {
      await using test = await arrange()
      const [alice, other] = test.users
      const [method = '', path = ''] = String(given['path']).split(' ')
      const id = path.includes('identities') ? test.standIn.alice.id : alice.row.id
      const query = path === '/self-service/logout' ? `?token=${alice.row.logoutToken}` : ''
      const bodies: Readonly<Record<string, object>> = {
        '/self-service/logout/api': { session_token: alice.token },
        '/admin/sessions': { action: 'disable', identities: [test.standIn.alice.id] },
      }
      const body = bodies[path] === undefined ? {} : { body: JSON.stringify(bodies[path]) }
      const target = `${path.startsWith('/admin') ? test.adminUrl : test.publicUrl}${path.replace('{id}', id)}${query}`
      const cookie = path.startsWith('/sessions') ? other.cookie : alice.cookie
      const answer = await fetch(target, { method, redirect: 'manual', headers: { Cookie: cookie }, ...body })
      await answer.text()
      expect(answer.status).toBeLessThan(400)
      expect((await test.letIn())[0]).toBe(false)
      expect(await test.letIn()).toEqual(await truth(test))
    },
  )
})

describe('a recorded extension, by the gateway', () => {
  const HOUR = 3_600_000
  const extending = () =>
    arrange({
      cache: { ttl: '1m', enabled: false },
      kratos: () => ({ extend_sessions: { remaining: '1430m', interval: '1h' } }),
    })
  /** What came of the attempt that the next request is the cause of. */
  async function outcomeOf({ gateway, users: [alice] }: Arranged): Promise<string> {
    await (await fetch(`${gateway.proxy}/`, { headers: { Cookie: alice.cookie } })).text()
    let outcome: string | undefined
    await timeUntil(async () => {
      const text = await (await fetch(`${gateway.metrics}/metrics`)).text()
      outcome = /session_extensions_total\{outcome="(\w+)"\} 1$/m.exec(text)?.[1]
      return outcome !== undefined
    })
    return outcome ?? ''
  }
  const cases: Readonly<Record<string, { readonly left: number; readonly outcome: string; readonly flag?: boolean }>> =
    {
      'extend/200': { left: 1, outcome: 'extended' },
      'extend/204-flag': { left: 1, outcome: 'extended', flag: true },
      'extend/fresh-not-refreshable': { left: 23.5, outcome: 'unchanged' },
      'extend/after-12h': { left: 11.99, outcome: 'extended' },
    }

  it.each(extraVectors('session_extend').filter(({ id }) => id in cases))('$id', async ({ id, given }) => {
    const { left = 0, outcome, flag = false } = cases[id] ?? {}
    // The first request of the arrangement is that of a session with a whole day left.
    await using test = await extending()
    const { settings } = test.standIn
    settings.fasterSessionExtend = flag
    settings.earliestPossibleExtend = given['earliest_possible_extend'] === '12h' ? 12 * 3600 : undefined
    const [alice] = test.users
    const end = Date.now() + left * HOUR
    alice.row.expiresAt = end
    expect(await outcomeOf(test)).toBe(outcome)
    expect(alice.row.expiresAt > end).toBe(outcome === 'extended')
  })

  it('extend/unknown and extend/bad-uuid never come about: an id is one that Kratos has just told', () => {
    const others = extraVectors('session_extend').filter(({ id }) => !(id in cases))
    expect(others.map(({ id }) => id).toSorted()).toEqual(['extend/bad-uuid', 'extend/privileged', 'extend/unknown'])
  })
})

describe('extend/privileged', () => {
  it.each([
    ['59m', 59, 200],
    ['61m', 61, 403],
  ])('is a rule that requires an authentication of the last hour: %s', async (_name, minutes, status) => {
    await using test = await arrange()
    const alice = test.standIn.signIn(test.standIn.alice)
    alice.row.authenticatedAt = Date.now() - minutes * 60_000
    const answer = await fetch(`${test.gateway.proxy}/privileged`, { headers: { Cookie: alice.cookie } })
    await answer.text()
    expect(answer.status).toBe(status)
  })
})

describe('the other recorded cases', () => {
  it('are those of other tests', () => {
    const file = new URL('../vectors/kratos-extra.json', import.meta.url)
    const groups = (JSON.parse(readFileSync(file, 'utf8')) as ExtraVector[]).map(({ group }) => group)
    // The stand-in's tests have aal and client_ip, the quickstart's its own; for Hydra there are the authenticators of OAuth 2.0.
    expect([...new Set(groups)].toSorted()).toEqual([
      'aal',
      'client_ip',
      'hydra',
      'oathkeeper_quickstart',
      'revocation',
      'session_extend',
    ])
  })
})
