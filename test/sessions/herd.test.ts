/** Many requests at once: how often the session store is asked, and how many times at the same time. */
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../src/pipeline/contract/decision.ts'
import { createSessionStore } from '../../src/sessions/store.ts'
import { claimsOf, loadStd, rule, sessionOf } from '../security/setup.ts'
import { startServer } from '../support/http_server.ts'
import { inboundOf } from '../support/inbound.ts'
import { asker } from './support.ts'

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
    url: store.url,
    calls: () => store.requests.length,
    decide: (user: string) =>
      test.gateway.decide(inboundOf('http://gw.example/', { headers: { Cookie: `ory_kratos_session=${user}` } })),
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `user-${index}`)

describe('many requests at once', () => {
  it('a thousand with one cookie and nothing kept are one call', async () => {
    await using test = await arrange({ ttl: '1m' })
    const decisions = await Promise.all(names(MANY).map(async () => test.decide('alice')))
    expect(new Set(decisions.map((decision) => claimsOf(decision).sub))).toEqual(new Set(['alice']))
    expect(test.calls()).toBe(1)
  })

  it('a thousand with a cookie each are a thousand calls, never more than allowed at a time', async () => {
    await using test = await arrange()
    // Time enough for a busy machine: how long it takes is not what is shown.
    const store = createSessionStore({ timeout: 60_000 })
    const question = asker(test.url, { now: () => Date.now() })
    const answers = await Promise.all(names(MANY).map(async (user) => store.ask(question(user))))
    await store.close()
    expect(answers.map((answer) => answer.outcome === 'session' && answer.session.subject)).toEqual(names(MANY))
    expect(test.calls()).toBe(MANY)
    expect(test.seen.most).toBeLessThanOrEqual(MOST)
  })

  it('that come again are answered at once: by no call, and without a promise', async () => {
    await using test = await arrange({ ttl: '1m' })
    await Promise.all(names(MOST).map(async (user) => test.decide(user)))
    const decisions = names(MOST).map((user) => test.decide(user))
    const atOnce = decisions.filter((decision): decision is Decision => !(decision instanceof Promise))
    expect(atOnce.map((decision) => claimsOf(decision).sub)).toEqual(names(MOST))
    expect(test.calls()).toBe(MOST)
  })
})
