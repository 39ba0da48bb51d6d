/** However questions, answers and revocations cross: who asks after the end of a session is never told that it goes on. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { SessionAnswer } from '../../src/pipeline/contract/session_store.ts'
import { createSessionStore } from '../../src/sessions/store.ts'
import { startServer } from '../support/http_server.ts'
import { asker, policy, sessionOf, testClock } from './support.ts'

const users = ['alice', 'bob'] as const
type User = (typeof users)[number]
type Step =
  | { readonly kind: 'ask' | 'end' | 'restart'; readonly user: User }
  | { readonly kind: 'answer' }
  | { readonly kind: 'pass' }

const user = fc.constantFrom(...users)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('ask' as const), user }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('end' as const), user }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), user }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'answer' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'pass' as const }) },
)

it('holds for any order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), async (steps) => {
      const clock = testClock()
      const ended = new Set<User>()
      const held: (() => void)[] = []
      await using server = await startServer((request, response) => {
        const asked = (request.headers.cookie ?? '').replace('ory_kratos_session=', '') as User
        // Settled when the question arrives.
        const status = ended.has(asked) ? 401 : 200
        held.push(() => void response.writeHead(status).end(JSON.stringify(sessionOf(asked))))
      })
      const store = createSessionStore({ clock, timeout: 60_000 })
      const question = asker(server.url, clock)
      /** Until whatever is on its way over the loopback interface has arrived. */
      const settle = async (): Promise<void> => {
        for (let turn = 0; turn < 12; turn++) await new Promise(setImmediate)
      }
      const wrong: string[] = []
      const open: Promise<void>[] = []
      /** How often a session has ended: an answer counts against a question only when none began anew in between. */
      const ends = new Map<User, number>()

      for (const [index, each] of steps.entries()) {
        if (each.kind === 'ask') {
          const wasEnded = ended.has(each.user)
          const before = ends.get(each.user) ?? 0
          const check = (answer: SessionAnswer): void => {
            const goesOn = answer.outcome === 'session'
            if (goesOn && wasEnded && (ends.get(each.user) ?? 0) === before) wrong.push(`${each.user} at step ${index}`)
          }
          open.push(Promise.resolve(store.ask(question(each.user), policy({ ttl: 60_000 }))).then(check))
        } else if (each.kind === 'end') {
          ended.add(each.user)
          ends.set(each.user, (ends.get(each.user) ?? 0) + 1)
          store.revoke({ session: `session-of-${each.user}` })
        } else if (each.kind === 'restart') {
          // As if the same credential were good again: what is asked from now on may say so.
          if (ended.delete(each.user)) ends.set(each.user, (ends.get(each.user) ?? 0) + 1)
        } else if (each.kind === 'answer') held.shift()?.()
        else clock.pass(60_000)
        await settle()
      }
      let waiting = true
      const all = Promise.all(open).finally(() => (waiting = false))
      const isWaiting = (): boolean => waiting
      while (isWaiting()) {
        held.shift()?.()
        await settle()
      }
      await all
      await store.close()
      expect(wrong).toEqual([])
    }),
    { numRuns: 60 },
  )
}, 60_000)
