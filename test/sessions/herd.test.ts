/** Many requests at once: how often the session store is asked, and how many times at the same time. */
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../src/pipeline/contract.ts'
import { claimsOf, loadStd, rule, sessionOf } from '../security/setup.ts'
import { startServer } from '../support/http_server.ts'
import { inboundOf } from '../support/inbound.ts'

const MANY = 1000
/** Calls to the session store at the same time. */
const MOST = 128

/** A Kratos for which every cookie is that of a user of its own, and which counts. */
async function arrange(cache: object = {}) {
  const seen = { active: 0, most: 0 }
  const store = await startServer((request, response) => {
    seen.most = Math.max(seen.most, ++seen.active)
    setImmediate(() => {
      seen.active--
      response.end(JSON.stringify(sessionOf((request.headers.cookie ?? '').replace('ory_kratos_session=', ''))))
    })
  })
  const test = await loadStd({
    store: store.url,
    rules: [rule('/', { authenticators: [{ handler: 'cookie_session', config: { cache } }] })],
  })
  return {
    seen,
    calls: () => store.requests.length,
    ask: async (user: string): Promise<Decision> =>
      test.gateway.decide(inboundOf('http://gw.example/', { headers: { Cookie: `ory_kratos_session=${user}` } })),
    decide: (user: string) =>
      test.gateway.decide(inboundOf('http://gw.example/', { headers: { Cookie: `ory_kratos_session=${user}` } })),
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

const users = Array.from({ length: MANY }, (_, index) => `user-${index}`)
const subjects = async (decisions: readonly Promise<Decision>[]) =>
  (await Promise.all(decisions)).map((decision) => claimsOf(decision).sub)

describe('a thousand requests at once', () => {
  it('with one cookie and nothing kept are one call', async () => {
    await using test = await arrange({ ttl: '1m' })
    const found = await subjects(users.map(() => test.ask('alice')))
    expect(new Set(found)).toEqual(new Set(['alice']))
    expect(test.calls()).toBe(1)
  })

  it('with a thousand cookies are a thousand calls, never more than allowed at a time', async () => {
    await using test = await arrange({ ttl: '1m' })
    expect(await subjects(users.map((user) => test.ask(user)))).toEqual(users)
    expect(test.calls()).toBe(MANY)
    expect(test.seen.most).toBeLessThanOrEqual(MOST)
  })

  it('that come again are answered at once: by no call, and without a promise', async () => {
    await using test = await arrange({ ttl: '1m' })
    await Promise.all(users.map((user) => test.ask(user)))
    const decisions = users.map((user) => test.decide(user))
    expect(decisions.filter((decision) => decision instanceof Promise)).toEqual([])
    expect(decisions.map((decision) => claimsOf(decision as Decision).sub)).toEqual(users)
    expect(test.calls()).toBe(MANY)
  })
})
