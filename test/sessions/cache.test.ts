import { describe, expect, it } from 'vitest'
import type { SessionAnswer, SessionPolicy } from '../../src/pipeline/contract/session_store.ts'
import { createSessionStore, type SessionStoreOptions } from '../../src/sessions/store.ts'
import { startServer } from '../support/http_server.ts'
import { asker, policy, sessionOf, START, testClock } from './support.ts'

type Reply = { readonly status?: number; readonly headers?: Record<string, string | string[]>; readonly body?: unknown }

/** A store whose Kratos answers by a function of the cookie's value, which may be changed. */
async function arrange(first: (user: string) => Reply, options: SessionStoreOptions = {}) {
  const clock = testClock()
  const kratos = { answer: first }
  const server = await startServer((request, response) => {
    const user = (request.headers.cookie ?? '').replace('ory_kratos_session=', '')
    const { status = 200, headers = {}, body = sessionOf(user) } = kratos.answer(user)
    response.writeHead(status, headers).end(JSON.stringify(body))
  })
  const store = createSessionStore({ clock, ...options })
  const question = asker(server.url, clock)
  return {
    clock,
    kratos,
    calls: () => server.requests.length,
    ask: (user: string, settings: Partial<SessionPolicy> = {}) => store.ask(question(user), policy(settings)),
    async [Symbol.asyncDispose]() {
      await store.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

const subjectOf = (answer: SessionAnswer): string | undefined =>
  answer.outcome === 'session' ? answer.session.subject : undefined
const cacheFor = (seconds: number | string): Reply => ({ headers: { 'ory-session-cache-for': String(seconds) } })

describe('a session that is kept', () => {
  it('is answered at once, as the same object, until its time is over', async () => {
    await using test = await arrange(() => ({}))
    const first = await test.ask('alice', { ttl: 10_000 })
    test.clock.pass(8_999)
    const second = test.ask('alice', { ttl: 10_000 })
    expect(second).not.toBeInstanceOf(Promise)
    expect(subjectOf(first)).toBe('alice')
    expect(second).toMatchObject({ outcome: 'session', setCookie: [] })
    expect((second as { session?: object }).session).toBe((first as { session?: object }).session)
    test.clock.pass(1_001)
    expect(subjectOf(await test.ask('alice', { ttl: 10_000 }))).toBe('alice')
    expect(test.calls()).toBe(2)
  })

  it.each([
    ['nothing is set', {}, {}, 2],
    ['Kratos says for how long', cacheFor(60), {}, 1],
    ['Kratos says not at all', cacheFor(0), { ttl: 60_000 }, 2],
    ['Kratos says something else', cacheFor('a while'), {}, 2],
    ['Kratos says less than the config', cacheFor(5), { ttl: 60_000 }, 2],
    ['the config says for how long', {}, { ttl: 60_000 }, 1],
    ['nothing may be kept', cacheFor(60), { ttl: 60_000, maxEntries: 0, reuse: false }, 2],
    ['it has to be asked for again', cacheFor(60), { ttl: 60_000, reuse: false }, 2],
  ])('when %s', async (_name, reply: Reply, settings: Partial<SessionPolicy>, calls) => {
    await using test = await arrange(() => reply)
    await test.ask('alice', settings)
    test.clock.pass(6_000)
    await test.ask('alice', settings)
    expect(test.calls()).toBe(calls)
  })

  it('is as old as the one who asks takes it for', async () => {
    await using test = await arrange(() => ({}))
    await test.ask('alice', { ttl: 3_600_000 })
    test.clock.pass(1_000)
    expect(test.ask('alice', { ttl: 3_600_000 })).not.toBeInstanceOf(Promise)
    expect(await test.ask('alice', { ttl: 500 })).toMatchObject({ outcome: 'session' })
    expect(test.calls()).toBe(2)
  })

  it('never counts beyond its end, and does not care about the wall clock otherwise', async () => {
    await using test = await arrange(() => ({ body: sessionOf('alice', { expires_at: new Date(START + 5_000) }) }))
    await test.ask('alice', { ttl: 60_000 })
    test.clock.setWall(START - 3_600_000)
    expect(test.ask('alice', { ttl: 60_000 })).not.toBeInstanceOf(Promise)
    test.clock.setWall(START + 5_000)
    expect(await test.ask('alice', { ttl: 60_000 })).toMatchObject({ outcome: 'denied' })
    expect(test.calls()).toBe(2)
  })

  it('belongs to its whole question', async () => {
    await using test = await arrange((user) => ({ body: sessionOf(user) }))
    const users = ['a', 'b', '', 'a;b', 'a=b', '"a"']
    for (let round = 0; round < 2; round++)
      for (const user of users)
        expect(subjectOf(await test.ask(user, { ttl: 60_000 }))).toBe(user === '' ? undefined : user)
    expect(test.calls()).toBeGreaterThanOrEqual(users.length)
  })

  it('brings its Set-Cookie to the one whose call fetched it, and to nobody after', async () => {
    await using test = await arrange(() => ({ headers: { 'set-cookie': ['ory_kratos_session=new'] } }))
    expect(await test.ask('alice', { ttl: 60_000 })).toMatchObject({ setCookie: ['ory_kratos_session=new'] })
    expect(await test.ask('alice', { ttl: 60_000 })).toMatchObject({ setCookie: [] })
    expect(test.calls()).toBe(1)
  })

  it('makes room when there are too many', async () => {
    await using test = await arrange(() => ({}))
    for (const user of ['a', 'b', 'c', 'a']) await test.ask(user, { ttl: 60_000, maxEntries: 2 })
    expect(test.calls()).toBe(4)
    expect(test.ask('c', { ttl: 60_000, maxEntries: 2 })).not.toBeInstanceOf(Promise)
  })

  it('is not asked for again together with all others', async () => {
    await using test = await arrange(() => ({}))
    const users = Array.from({ length: 200 }, (_, index) => `user-${index}`)
    await Promise.all(users.map(async (user) => test.ask(user, { ttl: 10_000, maxEntries: 1000 })))
    test.clock.pass(9_500)
    const again = users.filter((user) => test.ask(user, { ttl: 10_000, maxEntries: 1000 }) instanceof Promise)
    // A tenth of the time, evenly: with 200 of them the odds of all on one side are nil.
    expect(again.length).toBeGreaterThan(0)
    expect(again.length).toBeLessThan(200)
  })
})

describe('a refusal', () => {
  it.each([
    ['401', { status: 401 }],
    ['403 for want of a second factor', { status: 403, body: { error: { id: 'session_aal2_required' } } }],
    ['a session that is not active', { body: sessionOf('alice', { active: false }) }],
  ])('%s is not kept, and ends what was', async (_name, reply: Reply) => {
    await using test = await arrange(() => ({}))
    await test.ask('alice', { ttl: 10_000 })
    test.clock.pass(10_000)
    test.kratos.answer = () => reply
    expect(await test.ask('alice', { ttl: 10_000 })).toMatchObject({ outcome: 'denied' })
    expect(await test.ask('alice', { ttl: 3_600_000 })).toMatchObject({ outcome: 'denied' })
    expect(test.calls()).toBe(3)
  })

  it('of one who keeps nothing ends what others keep', async () => {
    await using test = await arrange(() => ({}))
    await test.ask('alice', { ttl: 60_000 })
    test.kratos.answer = () => ({ status: 401 })
    await test.ask('alice', { maxEntries: 0, reuse: false })
    expect(await test.ask('alice', { ttl: 60_000 })).toMatchObject({ outcome: 'denied' })
  })

  it.each([
    [401, 1],
    [403, 2],
    [404, 2],
    [429, 2],
  ])('with %i is kept only if Kratos may and does say so', async (status, calls) => {
    await using test = await arrange(() => ({ status, ...cacheFor(60) }))
    await test.ask('nobody')
    await test.ask('nobody')
    expect(test.calls()).toBe(calls)
    test.clock.pass(60_000)
    test.kratos.answer = () => ({})
    expect(subjectOf(await test.ask('nobody'))).toBe('nobody')
  })

  it.each([
    ['is not active', { active: false }],
    ['has expired', { expires_at: new Date(START - 1) }],
    ['belongs to somebody who is blocked', { identity: { id: 'alice', state: 'inactive' } }],
  ])('with 200 and a session that %s is told of once', async (_name, parts) => {
    const told: string[] = []
    await using test = await arrange(() => ({}), { onRefused: (session) => told.push(session) })
    await test.ask('alice', { ttl: 10_000 })
    test.kratos.answer = () => ({ body: sessionOf('alice', parts) })
    expect(await test.ask('bob', { ttl: 10_000 })).toMatchObject({ outcome: 'denied' })
    expect(told).toEqual([])
    expect(await test.ask('alice', { reuse: false })).toMatchObject({ outcome: 'denied' })
    expect(await test.ask('alice', { reuse: false })).toMatchObject({ outcome: 'denied' })
    expect(told).toEqual(['session-of-alice'])
  })

  it('with 429 leaves the session alone', async () => {
    await using test = await arrange(() => ({}))
    await test.ask('alice', { ttl: 10_000, staleIfError: 60_000 })
    test.clock.pass(10_000)
    test.kratos.answer = () => ({ status: 429, headers: { 'retry-after': '7' } })
    const refused = await test.ask('alice', { ttl: 10_000, staleIfError: 60_000 })
    expect(refused).toMatchObject({
      outcome: 'denied',
      error: { code: 'rate_limited', headers: [['Retry-After', '7']] },
    })
    test.kratos.answer = () => ({ status: 503 })
    expect(subjectOf(await test.ask('alice', { ttl: 10_000, staleIfError: 60_000 }))).toBe('alice')
  })

  it('drives out no sessions, however many there are', async () => {
    await using test = await arrange((user) => (user === 'alice' ? {} : { status: 401, ...cacheFor(60) }))
    await test.ask('alice', { ttl: 60_000, maxEntries: 2 })
    await Promise.all(Array.from({ length: 500 }, async (_, index) => test.ask(`random-${index}`, { maxEntries: 2 })))
    expect(test.ask('alice', { ttl: 60_000, maxEntries: 2 })).not.toBeInstanceOf(Promise)
  })
})
