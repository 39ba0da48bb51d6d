/** Gateways that tell each other of revocations by a real Redis. */
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { spawnCli, type Spawned } from '../cli/run.ts'
import type { ListeningGateway } from '../support/gateway.ts'
import { hasRedis, startRedis, type RedisServer } from '../support/redis.ts'
import { arrange, timeUntil } from './support.ts'

const TOKEN = 'a token for the tests'

describe.skipIf(!hasRedis())('Redis (Debian: redis-server)', () => {
  let redis: RedisServer

  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis[Symbol.asyncDispose]())

  const arranged = (mode = 'ask') =>
    arrange({
      config: {
        serve: { api: { admin: { token: TOKEN } } },
        revocation: { redis: { url: redis.url, while_disconnected: mode } },
      },
    })
  const revoke = async (gateway: Pick<ListeningGateway, 'api'>, target: string): Promise<number> => {
    const headers = { Authorization: `Bearer ${TOKEN}` }
    return (await fetch(`${gateway.api}/admin/${target}`, { method: 'DELETE', headers })).status
  }
  const connected = (gateway: ListeningGateway, times = 1): Promise<unknown> =>
    timeUntil(() => gateway.log.filter((line) => line.includes('Revocations are heard of')).length >= times)
  const metric = async ({ metrics }: ListeningGateway, name: string): Promise<string | undefined> =>
    (await (await fetch(`${metrics}/metrics`)).text()).split('\n').find((line) => line.includes(name))

  it('carries a revocation to the other gateway, and not back', async () => {
    await using test = await arranged()
    const other = await test.another()
    await Promise.all([connected(test.gateway), connected(other)])
    await Promise.all([test.letIn(), test.letIn(other)])
    expect(await test.remembered(other)).toEqual([true, true, true])
    const [alice] = test.users
    alice.row.active = false
    expect(await revoke(test.gateway, `sessions/${alice.row.id}`)).toBe(204)
    await timeUntil(async () => (await test.letIn(other))[0] === false)
    expect(await test.letIn()).toEqual([false, true, true])
    expect(await test.remembered(other)).toEqual([false, true, true])
    // The second message makes sure that the first had the time to come back.
    expect(await revoke(other, `identities/${test.standIn.bob.id}/sessions`)).toBe(204)
    await timeUntil(async () => (await test.remembered())[2] === false)
    expect(await metric(test.gateway, '{layer="redis",scope="session"}')).toBeUndefined()
    expect(await metric(other, '{layer="redis",scope="session"}')).toMatch(/ 1$/)
  })

  it('carries a revocation to another process', async () => {
    await using test = await arranged()
    await connected(test.gateway)
    const other: Spawned = spawnCli(['serve', '-c', path.join(test.gateway.directory, 'config.json')])
    try {
      const [, proxy] = await other.errMatching(/proxy {4}(http:\S+)/)
      const child = { proxy: proxy ?? '' }
      await timeUntil(async () => {
        await test.letIn(child)
        return (await test.remembered(child)).every(Boolean)
      })
      const [alice] = test.users
      alice.row.active = false
      expect(await revoke(test.gateway, `sessions/${alice.row.id}`)).toBe(204)
      await timeUntil(async () => (await test.letIn(child))[0] === false)
      expect(await test.letIn(child)).toEqual([false, true, true])
    } finally {
      other.child.kill('SIGKILL')
      await other.ended
    }
  })

  it.each([
    ['ask', [false, false, false]],
    ['keep', [true, true, true]],
  ])(
    'while it is down gateways go on as `%s` says; what they had to tell is told when it is back',
    async (mode, known) => {
      await using test = await arranged(mode)
      const other = await test.another()
      await Promise.all([connected(test.gateway), connected(other)])
      await Promise.all([test.letIn(), test.letIn(other)])
      await redis.stop()
      await timeUntil(() => other.log.some((line) => line.includes('the connection was lost')))
      expect(await test.remembered(other)).toEqual(known)
      const [alice] = test.users
      alice.row.active = false
      expect(await revoke(test.gateway, `sessions/${alice.row.id}`)).toBe(204)
      expect(await test.letIn()).toEqual([false, true, true])
      await redis.start()
      await Promise.all([connected(test.gateway, 2), connected(other, 2)])
      await timeUntil(async () => (await test.letIn(other))[0] === false)
      await timeUntil(async () => (await test.remembered(other))[2] === true)
      expect(test.gateway.log.join('')).not.toContain('a-password')
    },
  )

  it('says in the metrics that it is connected', async () => {
    await using test = await arranged()
    await connected(test.gateway)
    expect(await metric(test.gateway, 'revocation_source_connected{layer="redis"}')).toMatch(/ 1$/)
  })
})
