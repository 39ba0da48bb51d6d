/** A credential that Kratos refuses although its session is remembered: what else is remembered of the session is asked for again. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeCookie } from '../../demo/stand-in/cookies.ts'
import type { ListeningGateway } from '../support/gateway.ts'
import { hasRedis, startRedis, type RedisServer } from '../support/redis.ts'
import { arrange, timeUntil, type Arranged } from './support.ts'

const HOUR = 3_600_000

/** A session of Alice with two cookies, both of them remembered; the rule `privileged` asks Kratos for it each time. */
async function signIn({ standIn, gateway }: Arranged) {
  const { row, token, cookie } = standIn.signIn(standIn.alice)
  row.authenticatedAt = Date.now() - 2 * HOUR
  const [secret = ''] = standIn.settings.cookieSecrets
  const reissued = (key = secret): string =>
    `${standIn.settings.cookieName}=${encodeCookie({ token, expiresAt: row.expiresAt }, Date.now() - 1000, key)}`
  const get = async (path: string, sent = cookie, by: Pick<ListeningGateway, 'proxy'> = gateway): Promise<number> => {
    const response = await fetch(`${by.proxy}/${path}`, { headers: { Cookie: sent } })
    await response.text()
    return response.status
  }
  return { row, token, cookie, reissued, get }
}

const metric = async ({ metrics }: ListeningGateway): Promise<string | undefined> =>
  (await (await fetch(`${metrics}/metrics`)).text())
    .split('\n')
    .find((line) => line.includes('session_revocations_total{layer="refused"'))

describe('a credential of a remembered session that Kratos refuses', () => {
  it('ends what is remembered by the other credentials of the session, and nothing else', async () => {
    await using test = await arrange()
    const alice = await signIn(test)
    const second = alice.reissued()
    expect([await alice.get(''), await alice.get('', second)]).toEqual([200, 200])
    alice.row.active = false
    expect(await alice.get('', second)).toBe(200)
    expect(await alice.get('privileged')).toBe(401)
    expect(await alice.get('', second)).toBe(401)
    expect(await test.remembered()).toEqual([true, true, true])
    // What was told once is not told again by the refusals that follow from it.
    expect(await metric(test.gateway)).toMatch(/scope="session"\} 1$/)
    const told = test.gateway.log.filter((line) => line.includes('"layer":"refused"'))
    expect(told.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      'A credential of a session was refused: the session is asked for again',
    ])
  })

  it('leaves in a session that lives on with another credential', async () => {
    await using test = await arrange()
    const alice = await signIn(test)
    const second = alice.reissued('the next secret of Kratos')
    test.standIn.settings.cookieSecrets = ['the next secret of Kratos', ...test.standIn.settings.cookieSecrets]
    expect([await alice.get(''), await alice.get('', second)]).toEqual([200, 200])
    test.standIn.settings.cookieSecrets = ['the next secret of Kratos']
    expect(await alice.get('privileged')).toBe(401)
    const before = test.standIn.calls.get(alice.token) ?? 0
    expect([await alice.get('', second), await alice.get('', second)]).toEqual([200, 200])
    expect(test.standIn.calls.get(alice.token)).toBe(before + 1)
    // Whoever has the dead cookie can make nobody ask again with it.
    expect(await alice.get('privileged')).toBe(401)
    expect(await alice.get('', second)).toBe(200)
    expect(test.standIn.calls.get(alice.token)).toBe(before + 1)
  })

  it('ends nothing when Kratos is not ready', async () => {
    await using test = await arrange()
    const alice = await signIn(test)
    const second = alice.reissued()
    expect([await alice.get(''), await alice.get('', second)]).toEqual([200, 200])
    test.standIn.settings.databaseDown = true
    expect(await alice.get('privileged')).toBe(503)
    expect(await alice.get('', second)).toBe(200)
    expect(await metric(test.gateway)).toBeUndefined()
  })

  it('is told to nobody when `refusals` is off', async () => {
    await using test = await arrange({ config: { revocation: { refusals: false } } })
    const alice = await signIn(test)
    const second = alice.reissued()
    expect([await alice.get(''), await alice.get('', second)]).toEqual([200, 200])
    alice.row.active = false
    expect(await alice.get('privileged')).toBe(401)
    expect(await alice.get('', second)).toBe(200)
    expect(await metric(test.gateway)).toBeUndefined()
  })
})

describe('`observe: false`', () => {
  it('leaves what Kratos refuses to its own switch', async () => {
    await using test = await arrange({ config: { revocation: { observe: false } } })
    const alice = await signIn(test)
    const second = alice.reissued()
    expect([await alice.get(''), await alice.get('', second)]).toEqual([200, 200])
    alice.row.active = false
    expect(await alice.get('privileged')).toBe(401)
    expect(await alice.get('', second)).toBe(401)
  })
})

describe.skipIf(!hasRedis())('with Redis (Debian: redis-server)', () => {
  let redis: RedisServer

  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis[Symbol.asyncDispose]())

  it('the other gateways ask again, too', async () => {
    await using test = await arrange({ config: { revocation: { redis: { url: redis.url } } } })
    const other = await test.another()
    const isConnected = ({ log }: ListeningGateway): boolean =>
      log.some((line) => line.includes('Revocations are heard of'))
    await timeUntil(() => isConnected(test.gateway) && isConnected(other))
    const alice = await signIn(test)
    await timeUntil(async () => {
      await alice.get('', alice.cookie, other)
      await alice.get('')
      const before = test.standIn.calls.get(alice.token)
      await alice.get('', alice.cookie, other)
      return test.standIn.calls.get(alice.token) === before
    })
    alice.row.active = false
    expect(await alice.get('', alice.cookie, other)).toBe(200)
    expect(await alice.get('privileged')).toBe(401)
    await timeUntil(async () => (await alice.get('', alice.cookie, other)) === 401)
    expect(await metric(other)).toBeUndefined()
  })
})
