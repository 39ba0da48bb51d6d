import { decodeJwt, type JWK } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/pipeline/contract/config_error.ts'
import type { Exchange } from '../../../src/pipeline/contract/exchange.ts'
import type { Mutation } from '../../../src/pipeline/contract/outcomes.ts'
import type { Setup } from '../../../src/pipeline/contract/setup.ts'
import type { JsonObject } from '../../../src/pipeline/contract/values.ts'
import { idToken } from '../../../src/pipeline/mutators/id_token.ts'
import { createKeySets } from '../../../src/tokens/key_sets.ts'
import { asBase64, casesOf, exchangeOf, privateKey, setupOf, testClock } from '../../tokens/support.ts'

let keyA: JWK
let keyB: JWK
beforeAll(async () => {
  keyA = await privateKey('ES256', 'a')
  keyB = await privateKey('ES256', 'b')
})

const start = Date.parse('2026-01-01T00:00:00Z')

/** The mutator as a rule gets it; `config` over a complete one. */
async function load(
  config: JsonObject = {},
  setup: Setup = setupOf(),
): Promise<(exchange: Exchange) => Promise<Mutation>> {
  const parsed = idToken.config.parse({
    issuer_url: 'https://my-oathkeeper/',
    jwks_url: asBase64({ keys: [keyA] }),
    ...config,
  })
  const step = await idToken.create(parsed, setup)
  expect(step.owns).toEqual(['authorization'])
  return async (exchange) => step.mutate(exchange)
}

const tokenOf = ({ edits = [] }: Mutation): string => {
  expect(edits).toEqual([['authorization', expect.stringMatching(/^Bearer [\w-]+\.[\w-]+\.[\w-]+$/)]])
  return edits[0]?.[1]?.slice('Bearer '.length) ?? ''
}

describe('the defaults (id-token-defaults-001, -003, -004)', () => {
  it('are a quarter of an hour, and no claims but the registered ones', async () => {
    const mutate = await load({}, setupOf({ clock: testClock(start) }))
    const seconds = start / 1000
    expect(decodeJwt(tokenOf(await mutate(exchangeOf({ session: { subject: 'foo' } }))))).toEqual({
      iss: 'https://my-oathkeeper/',
      sub: 'foo',
      iat: seconds,
      nbf: seconds,
      exp: seconds + 900,
      jti: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    })
    expect(decodeJwt(tokenOf(await mutate(exchangeOf({ session: { subject: '' } })))).sub).toBe('')
  })

  it('of the profile secure back-date the token and end it with the session', async () => {
    const mutate = await load({}, setupOf({ profile: 'secure', clock: testClock(start) }))
    const session = { id: 's', expiresAt: start + 60_000 }
    expect(decodeJwt(tokenOf(await mutate(exchangeOf({ session }))))).toMatchObject({
      iat: start / 1000 - 5,
      nbf: start / 1000 - 5,
      exp: start / 1000 + 60,
    })
  })
})

interface ConfigCase {
  readonly id: string
  readonly given: { readonly validate?: JsonObject }
  readonly expect: { readonly valid?: boolean }
}

describe('the config', () => {
  const cases = (casesOf('oathkeeper', 'id_token_defaults') as readonly ConfigCase[]).filter(
    ({ given }) => given.validate !== undefined,
  )
  it.each(cases)('$id', ({ given, expect: expected }) => {
    const { enabled: _enabled, ...config } = given.validate ?? {}
    expect(idToken.config.safeParse(config).success).toBe(expected.valid)
  })

  it.each<readonly [JsonObject, boolean]>([
    [{}, true],
    [{ bad: 'key' }, false],
    [{ issuer_url: '' }, false],
    [{ ttl: '30s' }, true],
    [{ ttl: 30 }, false],
    [{ claims: 'text' }, true],
    [{ claims: { a: 1 } }, true],
    [{ claims: ['a'] }, false],
  ])('%j is valid: %j (claims-template-013)', (config, valid) => {
    const whole = { issuer_url: '/foo/bar', jwks_url: 'file://k.json', ...config }
    expect(idToken.config.safeParse(whole).success).toBe(valid)
  })

  it.each<readonly [JsonObject, readonly (string | number)[]]>([
    [{ claims: '{{ .Subject' }, ['claims']],
    [{ claims: { a: { b: ['{{#if}}'] } } }, ['claims', 'a', 'b', 0]],
    [{ ttl: '5s' }, ['ttl']],
    [{ jwks_url: 'file:///does/not/exist.json' }, ['jwks_url']],
  ])('%j is refused at load, at its place', async (config, path) => {
    const setup = setupOf({ profile: 'secure' })
    await expect(load(config, setup)).rejects.toThrowError(ConfigError)
    await expect(load(config, setup)).rejects.toMatchObject({ path })
  })

  it('takes an empty template for none', async () => {
    const mutate = await load({ claims: '' })
    expect(Object.keys(decodeJwt(tokenOf(await mutate(exchangeOf()))))).toHaveLength(6)
  })
})

describe('a key set that cannot sign', () => {
  it('fails each request, and no rule, where that is the safeguard', async () => {
    const mutate = await load({ jwks_url: 'file:///does/not/exist.json' })
    await expect(mutate(exchangeOf())).rejects.toMatchObject({
      code: 'signing_key_unavailable',
      status: 500,
      reason: 'file:///does/not/exist.json: the file does not exist',
    })
  })
})

/** id_token_cache, each case as what may differ between two calls. */
describe('the cache of tokens', () => {
  interface Call {
    readonly config?: JsonObject
    readonly session?: JsonObject
    readonly after?: number
  }
  const claims = '{"who":"{{ .Extra.who }}"}'
  const cases: readonly (readonly [id: string, first: Call, second: Call, same: boolean])[] = [
    ['id-token-cache-001', { config: { ttl: '1ms' } }, { config: { ttl: '1ms' }, after: 1 }, false],
    ['id-token-cache-003', { config: { ttl: '100ms' } }, { config: { ttl: '100ms' }, after: 150 }, false],
    ['id-token-cache-004', {}, { session: { subject: 'other' } }, false],
    [
      'id-token-cache-005',
      { config: { claims }, session: { extra: { who: 'a' } } },
      { config: { claims }, session: { extra: { who: 'b' } } },
      false,
    ],
    ['id-token-cache-006', { config: { claims } }, { config: { claims: '{"x":1}', ttl: '1h' } }, false],
    ['id-token-cache-009', {}, { after: 809_000 }, true],
    ['id-token-cache-010', {}, { after: 811_000 }, false],
    ['id-token-cache-013', { config: { claims } }, { config: { claims }, session: { extra: { other: 1 } } }, true],
  ]
  it.each(cases)('%s', async (_id, first, second, same) => {
    const clock = testClock(start)
    const setup = setupOf({ clock })
    const call = async ({ config, session }: Call): Promise<string> =>
      tokenOf(await (await load(config, setup))(exchangeOf({ session: { id: 's1', extra: {}, ...session } })))
    const token = await call(first)
    clock.advance(second.after ?? 0)
    expect((await call(second)) === token).toBe(same)
  })

  it('has every case of the vectors', () => {
    const rotated = 'id-token-cache-011'
    const known = new Set([...cases.map(([id]) => id), rotated])
    expect(
      (casesOf('oathkeeper', 'id_token_cache') as readonly { id: string }[])
        .map(({ id }) => id)
        .filter((id) => !known.has(id)),
    ).toEqual([])
  })

  // Oathkeeper goes on with the old key's tokens; here the key is a part of what a token is kept under.
  it('does not outlast the key (the difference of id-token-cache-011)', async () => {
    const setup = setupOf()
    let jwks = JSON.stringify({ keys: [keyA] })
    const snapshot = (): Setup => ({
      ...setup,
      keys: createKeySets({ readFile: () => Promise.resolve(jwks) }),
    })
    const call = async (): Promise<string> =>
      tokenOf(await (await load({ jwks_url: 'k.json' }, snapshot()))(exchangeOf({ session: { id: 's1' } })))
    const token = await call()
    expect(await call()).toBe(token)
    jwks = JSON.stringify({ keys: [keyB] })
    expect(await call()).not.toBe(token)
  })
})
