import { decodeJwt } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Exchange } from '../../src/pipeline/contract/exchange.ts'
import type { KeySet } from '../../src/pipeline/contract/keys.ts'
import type { Session } from '../../src/pipeline/contract/session.ts'
import type { JsonObject } from '../../src/pipeline/contract/values.ts'
import { compileClaims } from '../../src/tokens/claims/compile.ts'
import { createMint, type Mint, type MintOptions } from '../../src/tokens/mint.ts'
import { createTokenCache } from '../../src/tokens/token_cache.ts'
import { exchangeOf, keySetOf, privateKey, testClock, type TestClock } from './support.ts'

let one: KeySet
let other: KeySet
beforeAll(async () => {
  one = await keySetOf(await privateKey('ES256', 'k'))
  other = await keySetOf(await privateKey('ES256', 'k'))
})

interface Options extends Partial<Omit<MintOptions, 'claims' | 'clock'>> {
  readonly claims?: string | JsonObject
  readonly clock?: TestClock
}

const start = Date.parse('2026-01-01T00:00:00Z')

function mintOf({ claims, clock = testClock(start), ...options }: Options = {}): Mint {
  return createMint({
    issuer: 'https://gw/',
    ttl: 900_000,
    jwksUrl: 'file:///k.json',
    key: one.signingKey(),
    claims: compileClaims(claims, { missing_field: 'error' }),
    safeguards: { token_backdate: 0, token_lifetime: 'session' },
    clock,
    randomUUID: () => crypto.randomUUID(),
    tokens: createTokenCache({ clock }),
    ...options,
  })
}

const withSession = (session: Partial<Session>): Exchange => exchangeOf({ session: { id: 's1', ...session } })
const seconds = start / 1000

describe('the claims of a token', () => {
  it('are whole numbers for times, and ours for all that is registered', async () => {
    const claims = { exp: 1, iat: 1.5, nbf: 'x', jti: 'x', sub: 'evil', iss: 'evil', keep: 1, aud: 'a' }
    const token = decodeJwt(await mintOf({ claims, clock: testClock(start + 999) })(withSession({})))
    expect(token).toEqual({
      exp: seconds + 900,
      iat: seconds,
      nbf: seconds,
      iss: 'https://gw/',
      sub: 'alice',
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      keep: 1,
      aud: 'a',
    })
  })

  it('are the registered ones alone without a template, and sub also when it is empty', async () => {
    const token = decodeJwt(await mintOf()(withSession({ subject: '' })))
    expect(Object.keys(token).sort()).toEqual(['exp', 'iat', 'iss', 'jti', 'nbf', 'sub'])
    expect(token.sub).toBe('')
  })

  it('are back-dated, and exp with them: no token lives longer than its ttl', async () => {
    const safeguards = { token_backdate: 5, token_lifetime: 'ttl' } as const
    const token = decodeJwt(await mintOf({ safeguards })(withSession({})))
    expect(token).toMatchObject({ iat: seconds - 5, nbf: seconds - 5, exp: seconds + 895 })
  })

  it('end with the session', async () => {
    const token = decodeJwt(await mintOf()(withSession({ expiresAt: start + 60_999 })))
    expect(token.exp).toBe(seconds + 60)
  })

  it('may outlive the session where the safeguard says so', async () => {
    const safeguards = { token_backdate: 0, token_lifetime: 'ttl' } as const
    const token = decodeJwt(await mintOf({ safeguards })(withSession({ expiresAt: start + 60_000 })))
    expect(token.exp).toBe(seconds + 900)
  })

  it('are none for a session that has ended', async () => {
    await expect(async () => mintOf()(withSession({ expiresAt: start + 999 }))).rejects.toMatchObject({
      code: 'credentials_invalid',
      status: 401,
    })
    await expect(async () => mintOf()(withSession({ expiresAt: start - 1 }))).rejects.toMatchObject({
      code: 'credentials_invalid',
    })
  })
})

describe('a token is handed out again', () => {
  it('at once, for the same session', async () => {
    const mint = mintOf({ claims: { role: '{{json extra.role default="user"}}' } })
    const exchange = withSession({})
    const token = await mint(exchange)
    expect(mint(exchange)).toBe(token)
    expect(mint(withSession({}))).toBe(token)
  })

  it('though a value changed that the template does not read', async () => {
    const mint = mintOf({ claims: { role: '{{json extra.role default="user"}}' } })
    expect(await mint(withSession({ extra: { other: 1 } }))).toBe(await mint(withSession({ extra: { other: 2 } })))
  })

  it('until a tenth of its lifetime remains', async () => {
    const clock = testClock(start)
    const mint = mintOf({ clock })
    const exchange = withSession({})
    const token = await mint(exchange)
    clock.advance(809_000)
    expect(mint(exchange)).toBe(token)
    expect(mint(withSession({}))).toBe(token)
    clock.advance(2000)
    const next = await mint(exchange)
    expect(next).not.toBe(token)
    expect(mint(exchange)).toBe(next)
  })

  it('only while enough of a short life remains (cache-015)', async () => {
    const clock = testClock(start)
    const mint = mintOf({ clock, ttl: 60_000 })
    await mint(withSession({}))
    clock.advance(55_000)
    const { exp = 0 } = decodeJwt(await mint(withSession({})))
    expect(exp - clock.now() / 1000).toBeGreaterThanOrEqual(10)
  })

  it('until its very end where the session ends with it', async () => {
    const clock = testClock(start)
    const mint = mintOf({ clock })
    const exchange = withSession({ expiresAt: start + 60_000 })
    const token = await mint(exchange)
    clock.advance(59_000)
    expect(mint(exchange)).toBe(token)
    clock.advance(1000)
    await expect(async () => mint(exchange)).rejects.toMatchObject({ code: 'credentials_invalid' })
  })

  it('but not much longer once the session lives longer', async () => {
    const clock = testClock(start)
    const mint = mintOf({ clock })
    const token = await mint(withSession({ expiresAt: start + 60_000 }))
    expect(await mint(withSession({ expiresAt: start + 3_600_000 }))).not.toBe(token)
  })

  it('but not when the session ends before it', async () => {
    const mint = mintOf()
    await mint(withSession({ expiresAt: start + 3_600_000 }))
    const token = decodeJwt(await mint(withSession({ expiresAt: start + 60_000 })))
    expect(token.exp).toBe(seconds + 60)
  })

  it('to requests that come while it is being signed', async () => {
    const mint = mintOf()
    const tokens = await Promise.all(Array.from({ length: 20 }, async () => mint(withSession({}))))
    expect(new Set(tokens).size).toBe(1)
  })

  it('but not to one that joins with a session that ends earlier', async () => {
    const mint = mintOf()
    const [long, short] = await Promise.all([
      mint(withSession({ expiresAt: start + 3_600_000 })),
      mint(withSession({ expiresAt: start + 60_000 })),
    ])
    expect(decodeJwt(long).exp).toBe(seconds + 900)
    expect(decodeJwt(short).exp).toBe(seconds + 60)
  })

  it('to sessions without an ID, and the claims are not made anew to find it', async () => {
    let made = 0
    const randomUUID = (): string => `token ${++made}`
    const mint = mintOf({ claims: { role: 'anonymous', user: '{{subject}}' }, randomUUID })
    const nobody = (): Exchange => exchangeOf({ session: { subject: 'nobody' } })
    const first = await mint(nobody())
    expect(mint(nobody())).toBe(first)
    expect(decodeJwt(first)).toMatchObject({ jti: 'token 1', sub: 'nobody', user: 'nobody' })
    expect(made).toBe(1)
  })

  it('by another mint over the same cache with the same settings: a reload costs nothing', async () => {
    const clock = testClock(start)
    const tokens = createTokenCache({ clock })
    const token = await mintOf({ clock, tokens })(withSession({}))
    expect(mintOf({ clock, tokens })(withSession({}))).toBe(token)
  })
})

const stateless = (subject: string, role: string): Exchange => exchangeOf({ session: { subject, extra: { role } } })

describe('a token is never handed out', () => {
  const clock = testClock(start)
  const base = { claims: { role: '{{json extra.role default="user"}}' }, clock }

  it.each<readonly [string, Options, Partial<Session>]>([
    ['to another subject', {}, { subject: 'bob' }],
    ['to another session', {}, { id: 's2' }],
    ['to another session whose parts run together alike', {}, { id: 's', subject: '1alice' }],
    ['after a value changed that the template reads', {}, { extra: { role: 'admin' } }],
    ['for another issuer', { issuer: 'https://other/' }, {}],
    ['for another lifetime', { ttl: 600_000 }, {}],
    ['for another key set', { jwksUrl: 'file:///other.json' }, {}],
    ['for another template', { claims: { role: 'admin' } }, {}],
    ['for another back-date', { safeguards: { token_backdate: 5, token_lifetime: 'session' } }, {}],
  ])('%s', async (_name, options, session) => {
    const tokens = createTokenCache({ clock })
    const token = await mintOf({ ...base, tokens })(withSession({}))
    expect(await mintOf({ ...base, tokens, ...options })(withSession(session))).not.toBe(token)
    expect(mintOf({ ...base, tokens })(withSession({}))).toBe(token)
  })

  it('after the key changed, even under the same kid', async () => {
    const tokens = createTokenCache({ clock })
    const token = await mintOf({ ...base, tokens })(withSession({}))
    expect(await mintOf({ ...base, tokens, key: other.signingKey() })(withSession({}))).not.toBe(token)
  })

  it('to sessions without an ID, unless subject and claims are the same', async () => {
    const mint = mintOf({ claims: { role: '{{extra.role}}' } })
    const token = await mint(stateless('alice', 'user'))
    expect(await mint(stateless('alice', 'user'))).toBe(token)
    expect(await mint(stateless('alice', 'admin'))).not.toBe(token)
    expect(await mint(stateless('bob', 'user'))).not.toBe(token)
  })

  it('for another request, when the template reads the request', async () => {
    for (const claims of [{ q: '{{match_context.url.query.q}}' }, '{"q":"{{ .MatchContext.URL.Query.Get "q" }}"}']) {
      const mint = mintOf({ claims })
      const session: Session = { subject: 'alice', extra: {}, id: 's1' }
      const request = (q: string): Exchange => exchangeOf({ session, url: `http://gw.example/?q=${q}` })
      const token = await mint({ ...request('1'), session })
      expect(decodeJwt(token)['q']).toBe('1')
      expect(decodeJwt(await mint({ ...request('2'), session }))['q']).toBe('2')
      expect(await mint({ ...request('1'), session })).toBe(token)
    }
  })

  it('by one rule to another with other claims, however they alternate', async () => {
    const tokens = createTokenCache({ clock })
    const [user, admin] = ['user', 'admin'].map((role) =>
      mintOf({ clock, tokens, claims: { role, name: '{{subject}}' } }),
    ) as [Mint, Mint]
    const exchange = withSession({})
    const roles = await Promise.all(
      Array.from(
        { length: 100 },
        async (_, index) => decodeJwt(await (index % 2 === 0 ? user : admin)(exchange))['role'],
      ),
    )
    expect(roles.every((role, index) => role === (index % 2 === 0 ? 'user' : 'admin'))).toBe(true)
  })
})

describe('a failure', () => {
  it('of the template is no token, and does not stay', async () => {
    const mint = mintOf({ claims: { role: '{{extra.role}}' } })
    await expect(async () => mint(withSession({}))).rejects.toMatchObject({ code: 'template_failed' })
    expect(decodeJwt(await mint(withSession({ extra: { role: 'user' } })))['role']).toBe('user')
  })

  it('of the key reaches all that wait, and does not stay', async () => {
    let broken = true
    const key = one.signingKey()
    const mint = mintOf({
      randomUUID: () => {
        if (broken) throw new Error('no entropy')
        return crypto.randomUUID()
      },
      key,
    })
    const outcomes = await Promise.allSettled([mint(withSession({})), mint(withSession({}))])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    broken = false
    expect(decodeJwt(await mint(withSession({}))).sub).toBe('alice')
  })

  it('is what a session nested too deeply gives', async () => {
    let deep: JsonObject = {}
    for (let level = 0; level < 20_000; level++) deep = { deep }
    const mint = mintOf({ claims: { all: '{{extra}}' } })
    await expect(async () => mint(withSession({ extra: deep }))).rejects.toMatchObject({ code: 'template_failed' })
  })
})

const token = (jwt: string, endsAt = 1000) => ({ jwt, exp: 0, endsAt, signedBy: 'k' })

describe('the token cache', () => {
  it('is bounded in entries and in size, and keeps what is used', async () => {
    const cache = createTokenCache({ clock: testClock(), maxEntries: 2 })
    for (const name of ['a', 'b']) await cache.obtain(name, () => Promise.resolve(token(name)))
    cache.get('a')
    await cache.obtain('c', () => Promise.resolve(token('c')))
    expect(['a', 'b', 'c'].map((name) => cache.get(name)?.jwt)).toEqual(['a', undefined, 'c'])
    const small = createTokenCache({ clock: testClock(), maxCharacters: 100 })
    await small.obtain('a', () => Promise.resolve(token('x'.repeat(101))))
    expect(small.get('a')).toBeUndefined()
  })

  it.each([
    [{ session: 's1' }, ['b', 'c']],
    [{ identity: 'alice' }, ['c']],
    [{ everything: true } as const, []],
    [{ session: 'other' }, ['a', 'b', 'c']],
  ])('forgets what %j ends, and what nobody can tell', async (revocation, left) => {
    const cache = createTokenCache({ clock: testClock() })
    const owners = {
      a: { id: 's1', identity: 'alice' },
      b: { id: 's2', identity: 'alice' },
      c: { id: 's3', identity: 'bob' },
      d: {},
    }
    for (const [name, owner] of Object.entries(owners))
      await cache.obtain(name, () => Promise.resolve(token(name)), owner)
    cache.forget(revocation)
    expect(Object.keys(owners).filter((name) => cache.get(name) !== undefined)).toEqual(left)
  })

  it('forgets what has expired', async () => {
    const clock = testClock()
    const cache = createTokenCache({ clock })
    await cache.obtain('a', () => Promise.resolve(token('a')))
    clock.advance(1000)
    expect(cache.get('a')).toBeUndefined()
  })
})
