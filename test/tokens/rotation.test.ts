import * as fc from 'fast-check'
import type { JWK } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import type { KeyEntry } from '../../src/tokens/key.ts'
import { chooseSigningKey, parseKeys, readKeySet } from '../../src/tokens/key_set.ts'
import { rotate, type Rotation, type RotationOptions } from '../../src/tokens/rotation.ts'
import { notEnded } from '../../src/tokens/schedule.ts'
import { adviceOnSchedule } from '../../src/tokens/schedule_advice.ts'
import { privateKey, publicOf } from './support.ts'

const MINUTE = 60_000
const start = Date.parse('2026-01-01T00:00:00Z')
const settings = { lead: 10 * MINUTE, lifetime: 15 * MINUTE, skew: MINUTE }

let old: JWK
let spare: JWK
beforeAll(async () => {
  old = await privateKey('ES256', 'old')
  spare = await privateKey('ES256', 'spare')
})

const entriesOf = (keys: readonly unknown[]): readonly KeyEntry[] => parseKeys(JSON.stringify({ keys }))
const rotated = (keys: readonly unknown[], options: Partial<RotationOptions> = {}): Promise<Rotation> =>
  rotate(entriesOf(keys), { now: start, ...settings, ...options })
const statesAt = async (keys: readonly unknown[], now: number): Promise<Record<string, string>> => {
  const set = await readKeySet(JSON.stringify({ keys }), 'x', now)
  return Object.fromEntries(set.keys.map(({ kid, state }) => [kid, state]))
}
const publishedAt = async (keys: readonly unknown[], now: number): Promise<readonly (string | undefined)[]> =>
  (await readKeySet(JSON.stringify({ keys }), 'x', now)).publicKeys.map(({ kid }) => kid)

describe('a rotation', () => {
  it('publishes the new key at once, changes to it after the lead, and ends the old one after its last token', async () => {
    const { keys, started } = await rotated([old], { kid: 'new' })
    expect(started).toEqual({
      kid: 'new',
      alg: 'ES256',
      signsFrom: start + 10 * MINUTE,
      retires: 'old',
      publishedUntil: start + 26 * MINUTE,
    })
    expect(await statesAt(keys, start)).toEqual({ new: 'next', old: 'signing' })
    expect(await statesAt(keys, start + 10 * MINUTE - 1)).toEqual({ new: 'next', old: 'signing' })
    expect(await statesAt(keys, start + 10 * MINUTE)).toEqual({ new: 'signing', old: 'retired' })
    expect(await publishedAt(keys, start + 26 * MINUTE - 1)).toEqual(['new', 'old'])
    expect(await statesAt(keys, start + 26 * MINUTE)).toEqual({ new: 'signing', old: 'ended' })
    expect(await publishedAt(keys, start + 26 * MINUTE)).toEqual(['new'])
  })

  it('tells when the set has to be looked at again', async () => {
    const { keys } = await rotated([old])
    const changesAt = async (now: number) => (await readKeySet(JSON.stringify({ keys }), 'x', now)).changesAt
    expect(await changesAt(start)).toBe(start + 10 * MINUTE)
    expect(await changesAt(start + 10 * MINUTE)).toBe(start + 26 * MINUTE)
    expect(await changesAt(start + 26 * MINUTE)).toBeUndefined()
  })

  it('waits for the one that is under way, and takes away what has ended', async () => {
    const { keys } = await rotated([old], { kid: 'new' })
    expect(await rotated(keys, { now: start + MINUTE })).toEqual({ keys, removed: [], waits: 'next_key' })
    const after = await rotated(keys, { now: start + 26 * MINUTE, every: 60 * MINUTE })
    expect(after).toMatchObject({ removed: ['old'], waits: 'age', keys: [{ kid: 'new' }] })
  })

  it('may begin before the last one has ended', async () => {
    const { keys } = await rotated([old], { kid: 'second' })
    const again = await rotated(keys, { now: start + 11 * MINUTE, kid: 'third' })
    expect(again.started).toMatchObject({ kid: 'third', retires: 'second' })
    expect(await statesAt(again.keys, start + 11 * MINUTE)).toEqual({
      third: 'next',
      second: 'signing',
      old: 'retired',
    })
  })

  it('leaves a key alone until it is old enough', async () => {
    const young = { ...old, iat: start / 1000 - 60 }
    expect(await rotated([young], { every: 2 * MINUTE })).toMatchObject({ waits: 'age' })
    expect(await rotated([young], { every: MINUTE })).toMatchObject({ started: { retires: 'old' } })
    // Nobody knows how old it is.
    expect(await rotated([old], { every: MINUTE })).toMatchObject({ started: { retires: 'old' } })
  })

  it('goes on from the key that signs by order, and ends the others with it', async () => {
    const { keys, started } = await rotated([spare, old], { kid: 'new' })
    expect(started?.retires).toBe('old')
    expect(await statesAt(keys, start)).toEqual({ new: 'next', spare: 'retired', old: 'signing' })
    expect(await statesAt(keys, start + 26 * MINUTE)).toEqual({ new: 'signing', spare: 'ended', old: 'ended' })
  })

  it('leaves public keys as they are, and what goes by order in agreement', async () => {
    const other = publicOf(spare, 'of-somebody-else')
    const { keys } = await rotated([old, other], { kid: 'new' })
    expect(keys.map(({ kid }) => kid)).toEqual(['new', 'of-somebody-else', 'old'])
    expect(await publishedAt(keys, start + 26 * MINUTE)).toEqual(['new', 'of-somebody-else'])
  })

  it.each(['RS256', 'PS384', 'ES512', 'EdDSA', 'HS512'])('makes another %s key of the same size', async (alg) => {
    const before = await privateKey(alg, 'before')
    const { keys } = await rotated([before])
    const [made] = keys as readonly [JWK, ...JWK[]]
    const size = (jwk: JWK): number => (jwk.n ?? jwk.k ?? jwk.x ?? '').length
    expect(made).toMatchObject({ alg, kty: before.kty, kid: expect.stringMatching(/^[\w-]{43}$/) })
    expect(size(made)).toBe(size(before))
  })

  it('can change the algorithm', async () => {
    const { keys } = await rotated([old], { alg: 'EdDSA' })
    expect(keys[0]).toMatchObject({ alg: 'EdDSA', kty: 'OKP' })
  })

  it.each<readonly [string, readonly unknown[], string]>([
    ['a set without a private key', [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'p' }], 'has no private'],
    ['times that are none', [{ kty: 'oct', k: 'AA', kid: 'k', alg: 'HS256', nbf: 'soon' }], 'no valid "nbf"'],
    ['keys that have all ended', [{ kty: 'oct', k: 'AA', kid: 'k', alg: 'HS256', exp: 1 }], 'has no private'],
  ])('refuses %s', async (_name, keys, reason) => {
    await expect(rotated(keys)).rejects.toThrowError(reason)
  })
})

describe('rotations at any time, one after another', () => {
  const step = fc.record({
    /** Minutes since the step before. */
    after: fc.integer({ min: 0, max: 60 }),
    lead: fc.integer({ min: 1, max: 20 }),
    lifetime: fc.integer({ min: 1, max: 30 }),
  })

  it('never leave a token without its key, nor a moment without a key that has been published for the lead', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        // What tokens are valid for does not change while a rotation is under way.
        const lifetime = Math.max(...steps.map((each) => each.lifetime)) * MINUTE
        const lead = Math.max(...steps.map((each) => each.lead)) * MINUTE
        let keys: readonly JWK[] = [old]
        let now = start
        const firstSeen = new Map<string, number>([['old', -Infinity]])
        const lastToken = new Map<string, number>()
        for (const { after } of steps) {
          const until = now + after * MINUTE
          for (; now < until; now += MINUTE) look(keys, now)
          ;({ keys } = await rotated(keys, { now, lead, lifetime, skew: 0 }))
          look(keys, now)
        }

        function look(current: readonly JWK[], moment: number): void {
          const live = notEnded(entriesOf(current), moment)
          for (const { kid } of live) if (!firstSeen.has(kid)) firstSeen.set(kid, moment)
          const { kid } = chooseSigningKey(live, moment)
          expect(moment - (firstSeen.get(kid) ?? Infinity)).toBeGreaterThanOrEqual(lead)
          lastToken.set(kid, moment + lifetime)
          const needed = [...lastToken].filter(([, end]) => end > moment).map(([signer]) => signer)
          expect(live.map((entry) => entry.kid)).toEqual(expect.arrayContaining(needed))
        }
      }),
      { numRuns: 40 },
    )
  })
})

describe('advice on the times of a set', () => {
  const adviceAt = async (keys: readonly unknown[], lifetime: number): Promise<readonly string[]> => {
    const set = await readKeySet(JSON.stringify({ keys }), 'x', start)
    return adviceOnSchedule(set, lifetime).map(({ message }) => message)
  }
  const seconds = (minutes: number): number => start / 1000 + minutes * 60

  it('has nothing to say of what rotate has written', async () => {
    const { keys } = await rotated([spare, old])
    expect(await adviceAt(keys, settings.lifetime)).toEqual([])
    const again = await rotated(keys, { now: start + 11 * MINUTE })
    expect(await adviceAt(again.keys, settings.lifetime)).toEqual([])
  })

  it('names a key that ends before its last token', async () => {
    const { keys } = await rotated([old])
    expect(await adviceAt(keys, 60 * MINUTE)).toEqual([
      'The key "old" is published until 2026-01-01T00:26:00.000Z, and its last token is valid until ' +
        '2026-01-01T01:10:00.000Z: verifiers would refuse it',
    ])
  })

  it('names a key that nothing follows', async () => {
    const message =
      'The key "old" ends at 2026-01-01T00:05:00.000Z, and none has begun by then: no token can be signed from then on'
    expect(await adviceAt([{ ...old, exp: seconds(5) }], MINUTE)).toEqual([message])
    const late = { ...spare, nbf: seconds(6) }
    expect(await adviceAt([{ ...old, exp: seconds(5) }, late], MINUTE)).toEqual([message])
  })
})

it('signs under the key’s own name, whatever public key is beside it', async () => {
  const { keys } = await rotated([old, publicOf(spare, 'p')])
  const set = await readKeySet(JSON.stringify({ keys }), 'x', start)
  expect(set.signingKey().kid).toBe('old')
})
