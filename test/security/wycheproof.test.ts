/** jwt-031: the tokens of Project Wycheproof, as the authenticator `jwt` reads and verifies them. Its payloads are no claims. */
import { readFileSync } from 'node:fs'
import type { JWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import { algorithms } from '../../src/tokens/algorithms.ts'
import { readCompactJws } from '../../src/tokens/verification/compact_jws.ts'
import { readVerificationKeys, type VerificationKey } from '../../src/tokens/verification/key_set.ts'
import { signatureCheck } from '../../src/tokens/verification/verifier.ts'

interface Group {
  readonly comment: string
  readonly public?: JWK | { readonly keys: readonly JWK[] }
  readonly private: JWK | { readonly keys: readonly JWK[] }
  readonly tests: readonly {
    readonly tcId: number
    readonly comment: string
    readonly jws?: unknown
    readonly result: 'valid' | 'invalid'
    readonly flags: readonly string[]
  }[]
}

const groupsOf = (name: string): readonly Group[] => {
  const file = new URL(`../vectors/wycheproof_json_web_${name}_test.json`, import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly testGroups: readonly Group[] }).testGroups
}

const tried = ['signature', 'crypto', 'key'].flatMap((name) =>
  groupsOf(name).flatMap((group) =>
    group.tests.flatMap((test) =>
      typeof test.jws === 'string' ? [{ ...test, jws: test.jws, group, label: `${name} ${test.tcId}` }] : [],
    ),
  ),
)

/** As an issuer publishes it. A key that does not say what it is for is not taken, so that one is made to. */
function published({ public: half, private: whole }: Group): readonly VerificationKey[] {
  const set = half ?? whole
  const keys = 'keys' in set ? set.keys : [set]
  return readVerificationKeys(
    JSON.stringify({
      keys: keys.map((key) => (key.use === undefined && key.key_ops === undefined ? { ...key, use: 'sig' } : key)),
    }),
  )
}

async function isTaken(jws: string, keys: readonly VerificationKey[]): Promise<boolean> {
  const read = readCompactJws(jws)
  if (typeof read === 'string') return false
  const check = signatureCheck({
    keys: {
      find: (_urls, kid) => {
        const key = keys.find((candidate) => candidate.kid === kid)
        return key === undefined ? { outcome: 'unknown' } : { outcome: 'found', key }
      },
      checkLocal: () => Promise.resolve(undefined),
    },
    urls: [],
    lookup: { ttl: 0, maxWait: 0 },
    algorithms: [...algorithms.keys()],
    pinned: true,
  })
  return !((await check(jws, read)) instanceof GatewayError)
}

/** Where the gateway comes to another result, and why. */
const differences: Readonly<Record<string, readonly [result: 'taken' | 'refused', reason: string]>> = {
  'signature 346': ['refused', 'its key names another algorithm'],
  'signature 347': ['refused', 'its key names another algorithm'],
  'signature 349': ['refused', 'a key without `use: sig` is not taken, as in Oathkeeper'],
  'signature 350': ['refused', 'a key without `use: sig` is not taken, as in Oathkeeper'],
  'signature 351': ['refused', 'a key without `use: sig` is not taken, as in Oathkeeper'],
  'signature 367': ['taken', 'its bytes hold no padding: they are those of a good token'],
  'signature 370': ['taken', 'its bytes hold no padding: they are those of a good token'],
  'signature 372': ['refused', 'it holds a character that base64url does not have'],
  'signature 373': ['refused', 'it holds a character that base64url does not have'],
  'crypto 47': ['taken', 'each key of a mixed set counts for algorithms of its own type alone'],
  'key 1': ['taken', 'each key of a mixed set counts for algorithms of its own type alone'],
  'key 4': ['taken', 'the first key with a kid counts, as in Oathkeeper'],
}

describe('jwt-031: Project Wycheproof', { timeout: 60_000 }, () => {
  it('holds as many tokens as are said to be in it', () => {
    expect(tried).toHaveLength(475)
    expect(tried.filter(({ result }) => result === 'valid')).toHaveLength(55)
  })

  it('no bad token is taken and no good one refused, but for the differences named', async () => {
    const found: Record<string, string> = {}
    for (const { label, group, jws, result } of tried) {
      const taken = await isTaken(jws, published(group))
      if (taken !== (result === 'valid')) found[label] = taken ? 'taken' : 'refused'
    }
    expect(found).toEqual(Object.fromEntries(Object.entries(differences).map(([label, [result]]) => [label, result])))
  })

  it.each(['crypto', 'key'])('%s: a key that can be computed from its public half verifies nothing', (name) => {
    const weak = groupsOf(name).filter(({ comment }) => /roca|exponentOne/.test(comment))
    expect(weak.length).toBeGreaterThan(0)
    expect(weak.flatMap(published)).toEqual([])
  })
})
