import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { KeySet } from '../../src/pipeline/contract/keys.ts'
import type { Token } from '../../src/pipeline/contract/tokens.ts'
import { createKeyUpkeep, type KeyUpkeep } from '../../src/tokens/key_upkeep.ts'
import { readKeySet } from '../../src/tokens/key_set.ts'
import { createTokenCache } from '../../src/tokens/token_cache.ts'
import { keySetOf, privateKey, testClock, testLog } from './support.ts'

const start = Date.parse('2026-01-01T00:00:00Z')
const HOUR = 3_600_000

describe('the moment at which a key begins or ends', () => {
  let due: number[]
  let upkeep: KeyUpkeep

  beforeEach(() => {
    vi.useFakeTimers({ now: start })
    due = []
    upkeep = createKeyUpkeep({
      clock: { now: () => Date.now() },
      tokens: { keepSignedBy: () => undefined },
      log: testLog(),
      onDue: () => due.push(Date.now() - start),
    })
  })
  afterEach(() => {
    upkeep.close()
    vi.useRealTimers()
  })

  const set = async (...changes: readonly object[]): Promise<KeySet> => {
    const keys = await Promise.all(changes.map(async (times, index) => ({ ...(await hs(`k${index}`)), ...times })))
    return readKeySet(JSON.stringify({ keys }), 'x', start)
  }
  const hs = (kid: string) => privateKey('HS256', kid)
  const seconds = (after: number): number => (start + after) / 1000

  it('is called out once, never early, however far off it is', async () => {
    const sets = [
      await set({ nbf: 1 }, { nbf: seconds(30 * 24 * HOUR) }),
      await set({ nbf: 1, exp: seconds(2 * HOUR) }),
    ]
    await upkeep.settle(sets, undefined)
    await vi.advanceTimersByTimeAsync(2 * HOUR - 1)
    expect(due).toEqual([])
    await vi.advanceTimersByTimeAsync(1000)
    expect(due).toHaveLength(1)
    expect(due[0]).toBeGreaterThanOrEqual(2 * HOUR)
  })

  it('is forgotten with the sets', async () => {
    await upkeep.settle([await set({ nbf: 1 }, { nbf: seconds(HOUR) })], undefined)
    await upkeep.settle([await set({})], undefined)
    await vi.advanceTimersByTimeAsync(2 * HOUR)
    expect(due).toEqual([])
  })

  it('is not waited for again when it has passed', async () => {
    const sets = [await set({ nbf: 1 }, { nbf: seconds(HOUR) })]
    await vi.advanceTimersByTimeAsync(2 * HOUR)
    await upkeep.settle(sets, undefined)
    await vi.advanceTimersByTimeAsync(HOUR)
    expect(due).toEqual([])
  })
})

describe('cached tokens', () => {
  it('of a key that no longer signs are dropped, those of the others stay', async () => {
    const clock = testClock()
    const tokens = createTokenCache({ clock })
    const upkeep = createKeyUpkeep({ clock, tokens, log: testLog(), onDue: () => undefined })
    const [old, other] = [
      await keySetOf(await privateKey('ES256', 'k')),
      await keySetOf(await privateKey('EdDSA', 'o')),
    ]
    const fresh = await keySetOf(await privateKey('ES256', 'k'))
    for (const [name, set] of Object.entries({ old, other })) {
      const token: Token = { jwt: name, exp: 0, endsAt: 1000, signedBy: set.signingKey().thumbprint }
      await tokens.obtain(name, () => Promise.resolve(token))
    }

    await upkeep.settle([old, other], undefined)
    expect([tokens.get('old')?.jwt, tokens.get('other')?.jwt]).toEqual(['old', 'other'])
    await upkeep.settle([fresh, other], undefined)
    expect([tokens.get('old')?.jwt, tokens.get('other')?.jwt]).toEqual([undefined, 'other'])
    upkeep.close()
  })
})

describe('a key that signs before verifiers can know it', () => {
  it('is told, once, and no other', async () => {
    const log = testLog()
    const upkeep = createKeyUpkeep({
      clock: testClock(),
      tokens: { keepSignedBy: () => undefined },
      log,
      onDue: () => undefined,
    })
    const [old, fresh] = [await privateKey('ES256', 'old'), await privateKey('ES256', 'fresh')]
    await upkeep.settle([await keySetOf(old)], undefined)
    // Published beside the key that signs, which is the last one.
    await upkeep.settle([await keySetOf(fresh, old)], undefined)
    await upkeep.settle([await keySetOf(old, fresh)], undefined)
    await upkeep.settle([await keySetOf(await privateKey('HS256', 'secret'))], undefined)
    expect(log.warnings).toEqual([])
    await upkeep.settle([await keySetOf(old)], undefined)
    await upkeep.settle([await keySetOf(old)], undefined)
    expect(log.warnings).toMatchObject([{ fields: { kids: ['old'], seconds: 300 } }])
    upkeep.close()
  })
})
