/** An outage of the session store is not a refusal: what known sessions may do meanwhile, and for how long. */
import { describe, expect, it } from 'vitest'
import { createStandIn } from '../../demo/stand-in/server.ts'
import type { SessionAnswer, SessionPolicy } from '../../src/pipeline/contract/session_store.ts'
import { healthUrl } from '../../src/sessions/health.ts'
import { createSessionStore } from '../../src/sessions/store.ts'
import { startServer } from '../support/http_server.ts'
import { asker, policy, testClock } from './support.ts'

async function arrange() {
  const clock = testClock()
  const standIn = await createStandIn({ settings: { now: () => clock.now() } })
  const memory: string[] = []
  const calls: string[] = []
  const store = createSessionStore({
    clock,
    observe: (outcome) => calls.push(outcome),
    observeMemory: (kind) => memory.push(kind),
  })
  const question = asker(standIn.publicUrl, clock)
  const { cookie, row } = standIn.signIn(standIn.alice)
  return {
    clock,
    standIn,
    row,
    memory,
    calls,
    ask: (settings: Partial<SessionPolicy>, sent = cookie) =>
      store.ask(question([['cookie', sent]]), policy({ healthUrl: healthUrl(standIn.publicUrl), ...settings })),
    async [Symbol.asyncDispose]() {
      await Promise.all([store.close(), standIn.close()])
    },
  }
}

const staleness = (answer: SessionAnswer): boolean | string =>
  answer.outcome === 'session' ? answer.session.stale === true : answer.outcome
const outage = { outcome: 'unavailable', error: { code: 'session_store_unavailable', status: 503 } }

describe('stale_if_error', () => {
  const settings = { ttl: 10_000, staleIfError: 30_000 }

  it('lets a known session go on, marked, for that time and no longer', async () => {
    await using test = await arrange()
    expect(staleness(await test.ask(settings))).toBe(false)
    test.standIn.settings.fault = { status: 500 }
    test.clock.pass(10_000)
    const first = await test.ask(settings)
    expect(staleness(first)).toBe(true)
    expect(await test.ask(settings)).toBe(first)
    expect(test.memory).toEqual(['stale', 'stale'])
    test.clock.pass(30_000)
    expect(await test.ask(settings)).toMatchObject(outage)
  })

  it('is off unless set, and for those whom nobody knows', async () => {
    await using test = await arrange()
    await test.ask(settings)
    test.standIn.settings.fault = { status: 502, body: '<html>' }
    test.clock.pass(10_000)
    expect(await test.ask({ ttl: 10_000 })).toMatchObject(outage)
    expect(await test.ask(settings, 'ory_kratos_session=unknown')).toMatchObject(outage)
  })

  it('also serves those whose sessions are asked for each time', async () => {
    await using test = await arrange()
    expect(staleness(await test.ask({ staleIfError: 30_000 }))).toBe(false)
    expect(staleness(await test.ask({ staleIfError: 30_000 }))).toBe(false)
    expect(test.calls).toHaveLength(2)
    test.standIn.settings.fault = { status: 503 }
    expect(staleness(await test.ask({ staleIfError: 30_000 }))).toBe(true)
  })

  it('ends with the session', async () => {
    await using test = await arrange()
    test.row.expiresAt = test.clock.now() + 15_000
    await test.ask(settings)
    test.standIn.settings.fault = { status: 500 }
    test.clock.pass(15_000)
    expect(await test.ask(settings)).toMatchObject(outage)
  })

  it('ends with the outage', async () => {
    await using test = await arrange()
    await test.ask(settings)
    test.standIn.settings.fault = { status: 500 }
    test.clock.pass(10_000)
    await test.ask(settings)
    test.standIn.settings.fault = undefined
    expect(staleness(await test.ask(settings))).toBe(false)
    test.row.active = false
    test.clock.pass(10_000)
    expect(staleness(await test.ask(settings))).toBe('denied')
  })
})

describe('a 401 for a known session', () => {
  const settings = { ttl: 10_000 }

  it('is an outage while Kratos is not ready, and a refusal again afterwards', async () => {
    await using test = await arrange()
    await test.ask(settings)
    test.clock.pass(10_000)
    test.standIn.settings.databaseDown = true
    expect(await test.ask(settings)).toMatchObject(outage)
    expect(staleness(await test.ask({ ...settings, staleIfError: 60_000 }))).toBe(true)
    test.standIn.settings.databaseDown = false
    expect(staleness(await test.ask(settings))).toBe(false)
    test.row.active = false
    test.clock.pass(10_000)
    expect(staleness(await test.ask({ ...settings, staleIfError: 60_000 }))).toBe('denied')
  })

  it('counts at once where nobody says whether Kratos is ready, and for sessions that nobody knows', async () => {
    await using test = await arrange()
    test.standIn.settings.databaseDown = true
    expect(staleness(await test.ask(settings))).toBe('denied')
    test.standIn.settings.databaseDown = false
    await test.ask(settings)
    test.clock.pass(10_000)
    test.standIn.settings.databaseDown = true
    expect(staleness(await test.ask({ ...settings, healthUrl: undefined }))).toBe('denied')
  })

  it('is confirmed once for all who wait, and an answer that never comes is no confirmation', async () => {
    const clock = testClock()
    let checks = 0
    let refuses = false
    await using kratos = await startServer((request, response) => {
      if (request.url === '/base/health/ready') checks++
      else if (refuses) response.writeHead(401).end()
      else {
        const user = request.headers.cookie ?? ''
        const end = new Date(clock.now() + 3_600_000)
        response.end(JSON.stringify({ active: true, expires_at: end, identity: { id: user } }))
      }
    })
    const store = createSessionStore({ clock })
    const question = asker(kratos.url, clock)
    const all = () =>
      Promise.all(
        Array.from({ length: 50 }, async (_, user) =>
          store.ask(question(`user-${user}`), policy({ ttl: 1, healthUrl: healthUrl(`${kratos.url}/base`) })),
        ),
      )
    expect((await all()).map(staleness)).not.toContain('denied')
    clock.pass(1)
    refuses = true
    expect(new Set((await all()).map(staleness))).toEqual(new Set(['unavailable']))
    expect(checks).toBeLessThanOrEqual(5)
    await store.close()
  })
})

describe('a session store that does not answer', () => {
  it('is asked once a second, and everybody else knows at once; the first answer ends it', async () => {
    const clock = testClock()
    let down = true
    await using kratos = await startServer((_request, response) => {
      if (down) response.destroy()
      else response.writeHead(401).end()
    })
    const log: string[] = []
    const note = (_fields: object, message: string): unknown => log.push(message)
    const store = createSessionStore({ clock, log: { info: note, warn: note } })
    const question = asker(kratos.url, clock)
    const ask = async (user: string) => staleness(await store.ask(question(user)))

    for (const user of ['a', 'b', 'c', 'd', 'e', 'f']) expect(await ask(user)).toBe('unavailable')
    expect(kratos.requests).toHaveLength(3)
    clock.pass(1000)
    for (const user of ['a', 'b']) expect(await ask(user)).toBe('unavailable')
    expect(kratos.requests).toHaveLength(4)
    down = false
    expect(await ask('a')).toBe('unavailable')
    clock.pass(1000)
    expect([await ask('a'), await ask('b')]).toEqual(['denied', 'denied'])
    expect(log).toEqual([
      'The session store does not answer; it is asked once a second until it does',
      'The session store answers again',
    ])
    await store.close()
  })

  it('is another matter than one that answers with 5xx: a client who provokes them stops nobody', async () => {
    const clock = testClock()
    await using kratos = await startServer((_request, response) => response.writeHead(500).end())
    const store = createSessionStore({ clock })
    for (let index = 0; index < 10; index++) await store.ask(asker(kratos.url, clock)(`user-${index}`))
    expect(kratos.requests).toHaveLength(10)
    await store.close()
  })
})
