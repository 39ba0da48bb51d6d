/** What is remembered of answers that are the same, word for word: never more than the session store has just said. */
import { describe, expect, it } from 'vitest'
import { resolveSafeguards } from '../../src/config/profile.ts'
import type { Revocation } from '../../src/pipeline/contract/revocations.ts'
import type { Session } from '../../src/pipeline/contract/session.ts'
import type { SessionQuestion } from '../../src/pipeline/contract/session_store.ts'
import { createSessionReader } from '../../src/sessions/reader.ts'
import { createSessionStore } from '../../src/sessions/store.ts'
import { startServer } from '../support/http_server.ts'
import { asker, sessionOf, testClock } from './support.ts'

/** A session store that says for each cookie what `said` has, and is asked each time. */
async function arrange() {
  const clock = testClock()
  const said = new Map<string, unknown>()
  const server = await startServer((request, response) => {
    const cookie = (request.headers.cookie ?? '').replace('ory_kratos_session=', '')
    response.writeHead(200).end(JSON.stringify(said.get(cookie)))
  })
  const store = createSessionStore({ clock })
  const answerTo = async (question: SessionQuestion): Promise<Session> => {
    const answer = await store.ask(question)
    if (answer.outcome !== 'session') throw answer.error
    return answer.session
  }
  const question = asker(server.url, clock)
  return {
    clock,
    said,
    store,
    question,
    answerTo,
    ask: (cookie: string) => answerTo(question(cookie)),
    async [Symbol.asyncDispose]() {
      await store.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

describe('answers that are the same word for word', () => {
  it('are one session, whatever credential led to it, so that what is remembered beside it is found', async () => {
    await using test = await arrange()
    test.said.set('a', sessionOf('alice')).set('b', sessionOf('alice')).set('c', sessionOf('bob'))
    const [first, again, other, bob] = [
      await test.ask('a'),
      await test.ask('a'),
      await test.ask('b'),
      await test.ask('c'),
    ]
    expect(again).toBe(first)
    expect(other).toBe(first)
    expect(bob).toMatchObject({ subject: 'bob' })
  })

  it('are another session as soon as one character differs, at the end too', async () => {
    await using test = await arrange()
    const padded = (last: string): object => sessionOf('alice', { note: `${'x'.repeat(5000)}${last}` })
    test.said.set('a', padded('1'))
    const first = await test.ask('a')
    test.said.set('a', padded('2'))
    const second = await test.ask('a')
    expect(second).not.toBe(first)
    expect(second.extra).toEqual(padded('2'))
  })

  it('are told apart by how they are read', async () => {
    await using test = await arrange()
    test.said.set('a', sessionOf('alice'))
    const question = test.question('a')
    const settings = { subject_from: 'id', extra_from: 'identity' }
    const reader = createSessionReader(settings, resolveSafeguards('secure', {}), test.clock)
    expect(await test.answerTo(question)).toMatchObject({ subject: 'alice' })
    expect(await test.answerTo({ ...question, reader })).toMatchObject({ subject: 'session-of-alice' })
    expect(await test.answerTo(question)).toMatchObject({ subject: 'alice' })
  })

  it('do not make a session last beyond its end', async () => {
    await using test = await arrange()
    test.said.set('a', sessionOf('alice'))
    await test.ask('a')
    test.clock.pass(3_600_000)
    await expect(test.ask('a')).rejects.toThrow(expect.objectContaining({ code: 'credentials_invalid' }))
  })

  it.each<[string, Revocation, string[]]>([
    ['a session', { session: 'session-of-alice' }, ['bob']],
    ['a user', { identity: 'alice' }, ['bob']],
    ['everything', { everything: true }, []],
    ['somebody else', { identity: 'carol' }, ['alice', 'bob']],
  ])(
    'are read anew after a revocation of %s, so that no token from before it is used',
    async (_name, revocation, same) => {
      await using test = await arrange()
      for (const user of ['alice', 'bob']) test.said.set(user, sessionOf(user))
      const before = { alice: await test.ask('alice'), bob: await test.ask('bob') }
      test.store.revoke(revocation)
      const after = { alice: await test.ask('alice'), bob: await test.ask('bob') }
      expect(after).toEqual(before)
      expect((['alice', 'bob'] as const).filter((user) => after[user] === before[user])).toEqual(same)
    },
  )
})
