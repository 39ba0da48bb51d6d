import { generateKeyPairSync } from 'node:crypto'
import { createLocalJWKSet, jwtVerify, type JWK } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { algorithms } from '../../src/tokens/algorithms.ts'
import { publishedKeys, publishedKeysCacheControl, readKeySet } from '../../src/tokens/key_set.ts'
import { createMint } from '../../src/tokens/mint.ts'
import { createTokenCache } from '../../src/tokens/token_cache.ts'
import { casesOf, exchangeOf, keySetOf, privateKey, publicOf, testClock } from './support.ts'

const keys = new Map<string, JWK>()
const key = (alg: string): JWK => keys.get(alg) as JWK

beforeAll(async () => {
  for (const alg of algorithms.keys()) keys.set(alg, await privateKey(alg, alg.toLowerCase()))
})

const reasonOf = (set: Awaited<ReturnType<typeof keySetOf>>): string => {
  try {
    set.signingKey()
  } catch (error) {
    return (error as { reason: string }).reason
  }
  return ''
}

describe('signing', () => {
  it.each([...algorithms.keys()])('%s makes a token that jose verifies', async (alg) => {
    const jwk = key(alg)
    const set = await keySetOf(jwk)
    const clock = testClock(Date.now())
    const mint = createMint({
      issuer: 'https://gw/',
      ttl: 60_000,
      jwksUrl: 'x',
      key: set.signingKey(),
      claims: undefined,
      safeguards: { token_backdate: 0, token_lifetime: 'ttl' },
      clock,
      randomUUID: () => crypto.randomUUID(),
      tokens: createTokenCache({ clock }),
    })
    const token = await mint(exchangeOf())
    const verifier =
      jwk.kty === 'oct' ? Buffer.from(jwk.k as string, 'base64url') : createLocalJWKSet(publishedKeys([set]))
    const { payload, protectedHeader } = await jwtVerify(token, verifier as never, { issuer: 'https://gw/' })
    expect(payload.sub).toBe('alice')
    expect(Object.entries(protectedHeader)).toEqual([
      ['alg', alg],
      ['kid', alg.toLowerCase()],
      ['typ', 'JWT'],
    ])
  })

  it('takes a single JWK for a set', async () => {
    const set = await readKeySet(JSON.stringify(key('ES256')), 'x')
    expect(set.signingKey().kid).toBe('es256')
  })

  it('ignores use, key_ops and ext, as Oathkeeper does', async () => {
    const set = await keySetOf({ ...key('RS256'), use: 'enc', key_ops: ['decrypt', 'sign', 'verify'], ext: false })
    expect(set.signingKey().alg).toBe('RS256')
  })

  it('tells keys apart that share a kid', async () => {
    const one = await keySetOf({ ...key('ES256'), kid: 'k' })
    const other = await keySetOf({ ...(await privateKey('ES256', 'k')) })
    expect(one.signingKey().thumbprint).not.toBe(other.signingKey().thumbprint)
  })
})

interface SelectionCase {
  readonly id: string
  readonly given: { readonly jwks: readonly string[] }
  readonly expect: {
    signing_key?: string
    kid_header?: string
    alg?: string
    error_status?: number
    error_contains?: string
  }
}

/** A key from its description, such as "RSA private k1 (no alg)". */
async function described(text: string): Promise<JWK> {
  const alg = /(?:RS|ES|HS)\d+|EdDSA/.exec(text)?.[0] ?? 'RS256'
  const kid = /(?:private|public) (\w\d)/.exec(text)?.[1]
  const { kid: _kid, ...jwk } = await privateKey(alg, '')
  if (text.includes('no alg')) delete jwk.alg
  const named = kid === undefined ? (jwk as JWK) : { ...jwk, kid }
  return text.includes('public') ? publicOf(named, kid ?? '') : named
}

describe('the choice of the signing key', () => {
  const cases = casesOf('oathkeeper', 'id_token_key_selection') as readonly SelectionCase[]
  const choices = cases.filter(({ expect: expected }) => expected.error_contains === undefined)
  const failures = cases.filter(({ expect: expected }) => expected.error_contains !== undefined)

  it.each(choices)('$id', async ({ given, expect: { signing_key: name, kid_header: kid = name, alg = 'RS256' } }) => {
    const set = await keySetOf(...(await Promise.all(given.jwks.map(described))))
    expect(set.signingKey()).toMatchObject({ kid, alg })
  })

  it.each(failures)('$id', async ({ given, expect: { error_status: status, error_contains: reason = '' } }) => {
    const set = await keySetOf(...(await Promise.all(given.jwks.map(described))))
    expect(() => set.signingKey()).toThrowError(
      expect.objectContaining({ code: 'signing_key_unavailable', status, reason: expect.stringContaining(reason) }),
    )
  })

  it('stops at the first private key once a public key has given the kid', async () => {
    const [first, second] = [await privateKey('ES256', 'a'), await privateKey('ES256', 'b')]
    const set = await keySetOf(publicOf(first, 'p'), first, second)
    const alone = await keySetOf(first)
    expect(set.signingKey().kid).toBe('p')
    expect(set.signingKey().thumbprint).toBe(alone.signingKey().thumbprint)
  })

  it('takes kid and key of a symmetric key', async () => {
    const set = await keySetOf(key('HS256'), key('ES256'))
    expect(set.signingKey()).toMatchObject({ kid: 'hs256', alg: 'HS256' })
  })
})

const weak = (): JWK => ({
  ...(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ format: 'jwk' }) as JWK),
  alg: 'RS256',
  kid: 'weak',
})

describe('a key set that cannot sign', () => {
  const cases: readonly (readonly [name: string, keys: () => readonly unknown[], reason: string])[] = [
    ['without keys', () => [], 'the set is empty'],
    ['with an entry that is no object', () => ['text'], 'entry 1 is not a JSON object'],
    ['with an unknown key type', () => [{ kty: 'AKP', kid: 'k' }], 'key "k" has the unknown key type "AKP"'],
    ['with a curve that cannot sign', () => [{ ...key('EdDSA'), crv: 'X25519' }], 'is on the curve "X25519"'],
    ['with a weak RSA key', () => [weak()], 'key "weak" is an RSA key of 1024 bits; at least 2048 are needed'],
    ['with the exponent 1', () => [{ ...key('RS256'), e: 'AQ' }], 'unsafe RSA exponent'],
    ['without primes', () => [{ ...key('RS256'), p: undefined }], 'has no valid "p"'],
    ['with more than two primes', () => [{ ...key('RS256'), oth: [] }], 'more than two primes'],
    ['with a short HMAC key', () => [{ ...key('HS256'), alg: 'HS512' }], 'too short for HS512: 256 of 512 bits'],
    [
      'with alg and curve that do not fit',
      () => [{ ...key('ES256'), alg: 'ES384' }],
      'does not go with its type or curve',
    ],
    [
      'with alg and type that do not fit',
      () => [{ ...key('HS256'), alg: 'RS256' }],
      'does not go with its type or curve',
    ],
    ['with an unknown alg', () => [{ ...key('ES256'), alg: 'none' }], 'declares unsupported algorithm "none"'],
    ['whose halves do not belong together', () => [{ ...key('EdDSA'), x: 'A'.repeat(43) }], 'is damaged'],
    ['whose key has no kid', () => [{ ...key('ES256'), kid: '' }], 'no suitable key could be found'],
    ['of public keys', () => [publicOf(key('ES256'), 'p')], 'has no private or symmetric key'],
  ]
  it.each(cases)('%s says so', async (_name, entries, reason) => {
    expect(reasonOf(await keySetOf(...entries()))).toContain(reason)
  })

  it.each(['{"keys": [{"d": "SECRET', '[]', '"SECRET"', '{"keys": {}}', '{}', ''])(
    'made of %j says so without quoting it',
    async (text) => {
      const set = await readKeySet(text, 'file://k.json')
      expect(set.problem).toBeTruthy()
      expect(set.publicKeys).toEqual([])
      expect(reasonOf(set)).toMatch(/^file:\/\/k\.json: /)
      expect(reasonOf(set)).not.toContain('SECRET')
    },
  )

  it('still publishes its public keys', async () => {
    const set = await keySetOf(publicOf(key('ES256'), 'p'))
    expect(set.problem).toBeUndefined()
    expect(set.publicKeys).toEqual([expect.objectContaining({ kid: 'p' })])
  })
})

describe('the published keys', () => {
  const secret = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

  it('have nothing secret, and no symmetric keys', async () => {
    const set = await keySetOf(...keys.values())
    const published = publishedKeys([set]).keys
    expect(published.map(({ alg }) => alg)).toEqual([...algorithms.keys()].filter((alg) => !alg.startsWith('HS')))
    for (const jwk of published) expect(secret.filter((name) => name in jwk)).toEqual([])
    expect(published[0]).toEqual({ kty: 'RSA', kid: 'rs256', alg: 'RS256', use: 'sig', n: key('RS256').n, e: 'AQAB' })
  })

  it('say `use: sig` where the key does not say', async () => {
    const { use: _use, ...jwk } = key('ES256')
    expect((await keySetOf(jwk)).publicKeys[0]?.use).toBe('sig')
  })

  it('of a pair under two kids are published under both, others once (api-jwks-001)', async () => {
    const pair = await keySetOf(publicOf(key('RS256'), '3e0edde4'), { ...key('RS256'), kid: 'f4190122' })
    const single = await keySetOf({ ...key('RS384'), kid: '81be3441' })
    const kids = publishedKeys([pair, single, pair]).keys.map(({ kid }) => kid)
    expect(kids).toEqual(['3e0edde4', 'f4190122', '81be3441'])
  })

  it('of a symmetric set are none (api-jwks-002)', async () => {
    expect(publishedKeys([await keySetOf(key('HS256'))])).toEqual({ keys: [] })
  })

  it('may be kept for a while, but never for ever', () => {
    expect(publishedKeysCacheControl).toMatch(/^public, max-age=[1-9]\d*$/)
  })
})
