/** Sessions that ended without anybody telling, found by asking Kratos' admin API in the background. */
import { describe, expect, it } from 'vitest'
import { startServer } from '../support/http_server.ts'
import { arrange, timeUntil, type Arranged } from './support.ts'

describe('re-validation in the background', () => {
  const revalidating = () =>
    arrange({ config: { revocation: { revalidation: { interval: '100ms', max_per_second: 100 } } } })

  it.each<[string, (test: Arranged) => void, readonly boolean[]]>([
    ['was ended', ({ users: [alice] }) => void (alice.row.active = false), [false, true, true]],
    ['was deleted', ({ standIn, users: [alice] }) => standIn.store.sessions.delete(alice.row.id), [false, true, true]],
    ['has a user who was blocked', ({ standIn }) => void (standIn.alice.state = 'inactive'), [false, false, true]],
  ])('finds a session that %s', async (_name, end, left) => {
    await using test = await revalidating()
    end(test)
    await timeUntil(async () => (await test.letIn())[0] === false)
    await timeUntil(async () => JSON.stringify(await test.letIn()) === JSON.stringify(left))
    expect(await test.letIn()).toEqual(left)
  })

  /** A gateway whose questions to the admin API are counted on their way. */
  const counted = async () => {
    let target = ''
    const counter = await startServer((request, response) => {
      fetch(`${target}${request.url ?? ''}`)
        .then(async (answer) => response.writeHead(answer.status).end(await answer.text()))
        .catch(() => response.destroy())
    })
    const test = await arrange({
      config: { revocation: { revalidation: { interval: '50ms', max_per_second: 1000 } } },
      kratos: ({ adminUrl }) => {
        target = adminUrl
        return { admin_url: counter.url }
      },
    })
    return {
      test,
      /** Every remembered session has been asked for twice more. */
      twoRounds() {
        const { length } = counter.requests
        return timeUntil(() => counter.requests.length >= length + 7)
      },
      async [Symbol.asyncDispose]() {
        await test[Symbol.asyncDispose]()
        await counter[Symbol.asyncDispose]()
      },
    }
  }

  it('has a session asked for anew whose user has changed, once', async () => {
    await using arranged = await counted()
    const { test } = arranged
    test.standIn.bob.updated_at = new Date().toISOString()
    await timeUntil(async () => (await test.remembered())[2] === false)
    // A question that was under way meanwhile compares with the session of before; after it nothing is asked any more.
    const calls = (): number | undefined => test.standIn.calls.get(test.users[2].token)
    await expect
      .poll(async () => {
        const asked = calls()
        await arranged.twoRounds()
        return { remembered: await test.remembered(), isAskedAgain: calls() !== asked }
      })
      .toEqual({ remembered: [true, true, true], isAskedAgain: false })
  })

  it('ends nothing when Kratos does not answer, and tells once that it does not', async () => {
    await using arranged = await counted()
    const { test } = arranged
    test.standIn.settings.databaseDown = true
    const missing = (): number => test.gateway.log.filter((line) => line.includes('admin API does not answer')).length
    await timeUntil(() => missing() > 0)
    await arranged.twoRounds()
    expect(missing()).toBe(1)
    expect(await test.remembered()).toEqual([true, true, true])
    test.standIn.settings.databaseDown = false
    await timeUntil(() => test.gateway.log.some((line) => line.includes('validated again')))
    expect(await test.remembered()).toEqual([true, true, true])
  })
})
