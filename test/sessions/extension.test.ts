/** Sessions that live on while they are used. */
import { describe, expect, it } from 'vitest'
import type { HttpClient, HttpResponse } from '../../src/pipeline/contract/http_client.ts'
import type { Session } from '../../src/pipeline/contract/session.ts'
import { createExtenders, type ExtensionOutcome } from '../../src/sessions/extender.ts'
import { arrange, timeUntil, type Arranged } from '../revocation/support.ts'
import { START, testClock } from './support.ts'

const HOUR = 3_600_000

describe('a session with little left', () => {
  const extending = (interval = '1h') =>
    arrange({
      cache: { ttl: '1m' },
      kratos: () => ({ extend_sessions: { remaining: '12h', interval } }),
    })
  const metric = async ({ gateway }: Arranged, outcome: string): Promise<string | undefined> =>
    (await (await fetch(`${gateway.metrics}/metrics`)).text())
      .split('\n')
      .find((line) => line.includes(`session_extensions_total{outcome="${outcome}"}`))

  it('is extended once; the next request brings the browser the new cookie', async () => {
    await using test = await extending()
    const [, , bob] = test.users
    const fresh = bob.row.expiresAt
    const { standIn, gateway } = test
    // A new session, of which nothing is remembered.
    const late = standIn.signIn(standIn.alice)
    late.row.expiresAt = Date.now() + HOUR
    const cookie = { Cookie: late.cookie }
    const first = await fetch(`${gateway.proxy}/`, { headers: cookie })
    expect([first.status, first.headers.getSetCookie()]).toEqual([200, []])
    await timeUntil(() => late.row.expiresAt > Date.now() + 2 * HOUR)
    await timeUntil(async () => (await metric(test, 'extended')) !== undefined)
    const second = await fetch(`${gateway.proxy}/`, { headers: cookie })
    expect(second.status).toBe(200)
    expect(standIn.calls.get(late.token)).toBe(2)
    await fetch(`${gateway.proxy}/`, { headers: cookie })
    expect(standIn.calls.get(late.token)).toBe(2)
    expect(await metric(test, 'extended')).toMatch(/ 1$/)
    // The others have a day left.
    expect(bob.row.expiresAt).toBe(fresh)
  })

  it('is left alone when Kratos says that it is too early', async () => {
    await using test = await extending()
    test.standIn.settings.earliestPossibleExtend = 60
    const late = test.standIn.signIn(test.standIn.alice)
    late.row.expiresAt = Date.now() + HOUR
    const before = late.row.expiresAt
    const ask = (): Promise<Response> => fetch(`${test.gateway.proxy}/`, { headers: { Cookie: late.cookie } })
    await ask()
    await timeUntil(async () => (await metric(test, 'unchanged')) !== undefined)
    await ask()
    expect(late.row.expiresAt).toBe(before)
    expect(test.standIn.calls.get(late.token)).toBe(1)
    expect(await metric(test, 'unchanged')).toMatch(/ 1$/)
  })
})

describe('the extender', () => {
  function extender(answer: () => HttpResponse | Promise<HttpResponse>) {
    const clock = testClock()
    const calls: string[] = []
    const outcomes: ExtensionOutcome[] = []
    const extended: string[] = []
    const http: HttpClient = {
      send({ method, url }) {
        calls.push(`${method} ${url}`)
        return Promise.resolve(answer())
      },
    }
    const extenders = createExtenders({
      http,
      clock,
      log: { warn: () => undefined },
      onExtended: (id) => extended.push(id),
      observe: (outcome) => outcomes.push(outcome),
    })
    const one = extenders({
      adminUrl: 'http://kratos:4434',
      publicUrl: 'http://kratos:4433/',
      remaining: HOUR,
      interval: 60_000,
    })
    const session = (left: number, changes: Partial<Session> = {}): Session => ({
      subject: 'alice',
      extra: null,
      id: 'a b',
      expiresAt: clock.now() + left,
      ...changes,
    })
    const use = (used: Session): void => one.use(used)
    return { clock, calls, outcomes, extended, one, use, session }
  }
  const answer = (status: number, body: unknown = {}): HttpResponse => ({
    status,
    headers: {},
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const later = { expires_at: new Date(START + 24 * HOUR).toISOString() }
  const settled = (): Promise<void> => new Promise(setImmediate)

  it.each<[string, () => HttpResponse | Promise<HttpResponse>, ExtensionOutcome]>([
    ['with the session', () => answer(200, later), 'extended'],
    ['with nothing', () => answer(204, ''), 'extended'],
    ['with the session as it was', () => answer(200, { expires_at: new Date(START).toISOString() }), 'unchanged'],
    ['with something else', () => answer(200, '<html>'), 'failed'],
    ['that there is none', () => answer(404), 'failed'],
    ['that it cannot', () => answer(500), 'failed'],
    ['not at all', () => Promise.reject(new Error('refused')), 'failed'],
  ])('asks once per interval when Kratos answers %s', async (_name, told, outcome) => {
    const { clock, calls, outcomes, extended, use, session } = extender(told)
    const late = session(HOUR - 1)
    use(late)
    use(late)
    await settled()
    use(late)
    expect(calls).toEqual(['PATCH http://kratos:4434/admin/sessions/a%20b/extend'])
    expect(outcomes).toEqual([outcome])
    expect(extended).toEqual(outcome === 'extended' ? ['a b'] : [])
    clock.pass(60_000)
    use(late)
    expect(calls).toHaveLength(2)
  })

  it('asks for no session that is over, has enough left, is stale or is not known by an id', () => {
    const { calls, use, session } = extender(() => answer(204))
    const { id: _id, ...nameless } = session(1)
    const { expiresAt: _end, ...endless } = session(1)
    for (const each of [session(0), session(-1), session(HOUR), session(1, { stale: true }), nameless, endless])
      use(each)
    expect(calls).toEqual([])
  })

  it('keeps few attempts under way', async () => {
    const { promise, resolve } = Promise.withResolvers<HttpResponse>()
    const { calls, use, session } = extender(() => promise)
    for (let index = 0; index < 100; index++) use(session(1, { id: String(index) }))
    expect(calls).toHaveLength(32)
    resolve(answer(204))
    await settled()
    use(session(1, { id: '99' }))
    expect(calls).toHaveLength(33)
  })

  it('is for sessions of Kratos', () => {
    const { one } = extender(() => answer(204))
    expect(one.appliesTo('http://kratos:4433/sessions/whoami')).toBe(true)
    expect(one.appliesTo('http://elsewhere:4433/sessions/whoami')).toBe(false)
  })
})
