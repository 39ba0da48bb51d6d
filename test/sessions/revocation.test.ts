/** What the memory of sessions does when it hears that one has ended. */
import { describe, expect, it } from 'vitest'
import type { Revocation } from '../../src/pipeline/contract/revocations.ts'
import type { SessionAnswer, SessionPolicy } from '../../src/pipeline/contract/session_store.ts'
import { createRevocationLog } from '../../src/sessions/revocation_log.ts'
import { createRevocations } from '../../src/sessions/revocations.ts'
import { createSessionStore } from '../../src/sessions/store.ts'
import { startServer } from '../support/http_server.ts'
import { asker, policy, sessionOf, testClock } from './support.ts'

/** A store that has asked for the sessions of alice (two of them) and bob; `hold` keeps the next answers back. */
async function arrange() {
  const clock = testClock()
  const kratos = { ended: new Set<string>(), down: false, gate: undefined as Promise<void> | undefined, calls: 0 }
  const server = await startServer((request, response) => {
    const credential = (request.headers.cookie ?? '').replace('ory_kratos_session=', '')
    const user = credential.replace(/\d/, '')
    kratos.calls++
    // What Kratos says is settled when the question arrives, not when its answer leaves.
    const body = {
      ...sessionOf(user, { id: credential }),
      ...(user === 'nobody' && { id: undefined, identity: { id: user } }),
    }
    const status = kratos.down ? 503 : kratos.ended.has(credential) ? 401 : 200
    const answer = (): void => void response.writeHead(status).end(JSON.stringify(body))
    if (kratos.gate === undefined) answer()
    else void kratos.gate.then(answer)
  })
  const store = createSessionStore({ clock })
  const question = asker(server.url, clock)
  const ask = (credential: string, settings: Partial<SessionPolicy> = {}): SessionAnswer | Promise<SessionAnswer> =>
    store.ask(question(credential), policy({ ttl: 60_000, ...settings }))
  for (const credential of ['alice1', 'alice2', 'bob1', 'nobody1']) await ask(credential)
  return {
    clock,
    kratos,
    store,
    ask,
    /** Credentials that are answered without Kratos. */
    remembered: () => ['alice1', 'alice2', 'bob1', 'nobody1'].filter((name) => !(ask(name) instanceof Promise)),
    async [Symbol.asyncDispose]() {
      await store.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

describe('a revocation', () => {
  it.each<[string, Revocation, string[]]>([
    ['of a session', { session: 'alice1' }, ['alice2', 'bob1']],
    ['of a user', { identity: 'alice' }, ['bob1', 'nobody1']],
    ['of everything', { everything: true }, []],
    ['of somebody unknown', { identity: 'carol' }, ['alice1', 'alice2', 'bob1', 'nobody1']],
  ])('%s leaves in memory what it does not end', async (_name, revocation, left) => {
    await using test = await arrange()
    test.store.revoke(revocation)
    expect(test.remembered()).toEqual(left)
  })

  it('ends what has no id of its own, because nobody can tell whose it is', async () => {
    await using test = await arrange()
    test.store.revoke({ session: 'somebody' })
    expect(test.remembered()).toEqual(['alice1', 'alice2', 'bob1'])
  })

  it('is asked about, and what Kratos then says is kept', async () => {
    await using test = await arrange()
    test.kratos.ended.add('alice1')
    test.store.revoke({ identity: 'alice' })
    expect(await test.ask('alice1')).toMatchObject({ outcome: 'denied', error: { code: 'credentials_invalid' } })
    expect(await test.ask('alice2')).toMatchObject({ outcome: 'session' })
    expect(test.ask('alice2')).toMatchObject({ outcome: 'session' })
  })

  it('is not undone by an outage', async () => {
    await using test = await arrange()
    const settings = { staleIfError: 60_000, reuse: false }
    test.kratos.down = true
    expect(await test.ask('alice1', settings)).toMatchObject({ outcome: 'session', session: { stale: true } })
    test.store.revoke({ session: 'alice1' })
    expect(await test.ask('alice1', settings)).toMatchObject({ outcome: 'unavailable' })
  })

  it('is not undone by an answer to a question from before', async () => {
    await using test = await arrange()
    const { promise, resolve } = Promise.withResolvers<void>()
    test.kratos.gate = promise
    test.clock.pass(60_000)
    const asked = [test.ask('alice1'), test.ask('bob1')]
    while (test.kratos.calls < 6) await new Promise(setImmediate)
    test.kratos.ended.add('alice1')
    test.store.revoke({ session: 'alice1' })
    const joined = test.ask('alice1')
    test.kratos.gate = undefined
    resolve()
    expect(await asked[0]).toMatchObject({ outcome: 'denied' })
    expect(await joined).toMatchObject({ outcome: 'denied' })
    expect(await asked[1]).toMatchObject({ outcome: 'session' })
    expect(test.remembered()).toContain('bob1')
    expect(test.remembered()).not.toContain('alice1')
  })
})

describe('a session store that is outrun', () => {
  it.each([
    ['alice1', { outcome: 'unavailable' }],
    ['nobody1', { outcome: 'session' }],
  ])('by revocations: %s', async (credential, expected) => {
    await using test = await arrange()
    test.clock.pass(60_000)
    const before = test.kratos.calls
    let { promise, resolve } = Promise.withResolvers<void>()
    test.kratos.gate = promise
    const asked = test.ask(credential)
    // Each question is answered only after the next revocation.
    for (let calls = before + 1; calls <= before + 3; calls++) {
      while (test.kratos.calls < calls) await new Promise(setImmediate)
      test.store.revoke({ session: credential })
      const answer = resolve
      ;({ promise, resolve } = Promise.withResolvers<void>())
      test.kratos.gate = promise
      answer()
    }
    expect(await asked).toMatchObject(expected)
    expect(test.kratos.calls).toBe(before + 3)
    test.kratos.gate = undefined
    expect(test.ask(credential)).toBeInstanceOf(Promise)
  })
})

describe('a memory that is not to be trusted', () => {
  it('answers nothing but in an outage, until it is trusted again', async () => {
    await using test = await arrange()
    const trust = test.store.distrustMemory()
    expect(test.remembered()).toEqual([])
    await Promise.all([test.ask('alice1'), test.ask('alice2'), test.ask('bob1'), test.ask('nobody1')])
    test.kratos.down = true
    expect(await test.ask('alice1', { staleIfError: 60_000 })).toMatchObject({ session: { stale: true } })
    trust()
    trust()
    expect(test.remembered()).toHaveLength(4)
  })

  it('knows each session once', async () => {
    await using test = await arrange()
    await test.ask('alice1', { maxEntries: 7 })
    test.store.revoke({ session: 'bob1' })
    expect(test.store.remembered().map(({ id }) => id)).toEqual(['alice1', 'alice2'])
  })

  it('asks again for a session that may live longer', async () => {
    await using test = await arrange()
    test.store.doubt('alice1')
    expect(test.remembered()).toEqual(['alice2', 'bob1'])
  })
})

describe('the log of revocations', () => {
  it('answers for the safe side when it has forgotten', () => {
    const log = createRevocationLog()
    const alice = { id: 'a', identity: 'alice' }
    const { moment } = log
    expect(log.revokedSince(moment, alice)).toBe(false)
    log.add({ session: 'other' })
    expect(log.revokedSince(moment, alice)).toBe(false)
    expect(log.revokedSince(moment, {})).toBe(true)
    for (let index = 0; index < 10_000; index++) log.add({ session: String(index) })
    expect(log.revokedSince(moment, alice)).toBe(true)
    expect(log.revokedSince(log.moment, alice)).toBe(false)
  })
})

describe('the bus', () => {
  it('tells everybody, whoever fails', () => {
    const failures: object[] = []
    const revocations = createRevocations({ error: (fields) => void failures.push(fields) })
    const heard: unknown[] = []
    revocations.subscribe(() => {
      throw new Error('out of order')
    })
    const end = revocations.subscribe((revocation, layer) => heard.push([revocation, layer]))
    revocations.publish({ session: 'a' }, 'webhook')
    end()
    revocations.publish({ session: 'b' }, 'webhook')
    expect(heard).toEqual([[{ session: 'a' }, 'webhook']])
    expect(failures).toHaveLength(2)
  })
})
