/** Oathkeeper's cases of `jwt`, and the attacks on token verification, through a gateway. */
import { generateKeyPairSync } from 'node:crypto'
import * as fc from 'fast-check'
import type { JWK } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Decision } from '../../../src/index.ts'
import { algorithms } from '../../../src/tokens/algorithms.ts'
import { inboundOf } from '../../support/inbound.ts'
import { startServer } from '../../support/http_server.ts'
import { startService } from '../../support/service.ts'
import { atTime, base64url, inlineSet, newKey, published, signedToken } from '../../support/tokens.ts'
import { casesOf } from '../../tokens/support.ts'
import { vectors } from '../../rules/vectors.ts'
import { allowed, loadRule, refused, resultOf, statusOf } from '../scenario.ts'

const now = Math.floor(Date.now() / 1000)
const keys = new Map<string, JWK>()
const key = (alg: string): JWK => keys.get(alg) as JWK

beforeAll(async () => {
  for (const alg of algorithms.keys()) keys.set(alg, await newKey(alg, `kid-${alg}`))
})

const all = (): string => inlineSet(published(...keys.values()))

interface Request {
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: string
}

/** A gateway with one rule that takes tokens by these settings; what it decides about requests. */
async function withRule<Result>(
  config: object,
  use: (decide: (request: Request) => Promise<Decision>) => Promise<Result>,
  profile = 'oathkeeper',
): Promise<Result> {
  const enabled = { jwt: { enabled: true, config: { jwks_urls: [] } } }
  await using test = await loadRule(
    { authenticators: [{ handler: 'jwt', config: { jwks_urls: [all()], ...config } }] },
    { profile, authenticators: enabled },
  )
  return await use(async ({ headers = {}, query = '' }) =>
    test.gateway.decide(inboundOf(`http://h/x?${query}`, { headers })),
  )
}

const bearer = (token: string): Request => ({ headers: { Authorization: `Bearer ${token}` } })

const decideAbout = (token: string, config: object = {}, profile = 'oathkeeper'): Promise<Decision> =>
  withRule(config, (decide) => decide(bearer(token)), profile)

describe('jwt_authenticator', () => {
  interface Case {
    readonly token:
      | string
      | { readonly alg: string; readonly claims: object; readonly header_without?: string; readonly jwk_use?: null }
    readonly location: 'authorization_bearer' | Readonly<Record<string, string>>
  }

  function tokenOf(token: Case['token']): string {
    if (typeof token === 'string') return token
    const without = token.header_without === undefined ? {} : { [token.header_without]: undefined }
    return signedToken(key(token.alg === 'PS256' ? 'RS256' : token.alg), {
      alg: token.alg,
      header: without,
      claims: token.claims,
    })
  }

  function requestOf(location: Case['location'], token: string): Request {
    if (location === 'authorization_bearer') return bearer(token)
    const { header, value_prefix = '', query_parameter, cookie } = location
    if (query_parameter !== undefined) return { query: `${query_parameter}=${token}` }
    if (cookie !== undefined) return { headers: { Cookie: `${cookie}=${token}` } }
    return { headers: { [header ?? '']: value_prefix + token } }
  }

  /** Cases in which the gateway differs from Oathkeeper on purpose. */
  const differences: Readonly<Record<string, object>> = {
    // EdDSA verifies when it is allowed: who lists it wants it.
    'jwt-authenticator-024': { session: { subject: 'sub' } },
  }

  it.each(vectors('jwt_authenticator'))('$id', async ({ id, given, when, expect: wanted }) => {
    const { token, location } = atTime(when, now) as unknown as Case
    const { config } = given as { readonly config: object }
    const withoutUse = typeof token === 'object' && 'jwk_use' in token
    const set = withoutUse ? { keys: published(key('RS256')).keys.map(({ use: _use, ...rest }) => rest) } : undefined
    const settings = { ...config, ...(set !== undefined && { jwks_urls: [inlineSet(set)] }) }
    const decision = await withRule(settings, (decide) => decide(requestOf(location, tokenOf(token))))
    expect(resultOf(decision)).toMatchObject(differences[id] ?? atTime(wanted, now))
  })
})

describe('jwt_verifier', () => {
  interface Validation {
    readonly algorithms: readonly string[]
    readonly audiences: readonly string[]
    readonly issuers: readonly string[]
    readonly scope: readonly string[]
    readonly scope_strategy: string
    readonly jwks: string
  }

  it.each(vectors('jwt_verifier'))('$id', async ({ given, when, expect: wanted }) => {
    const {
      algorithms: allowedAlgorithms,
      audiences,
      issuers,
      scope,
      scope_strategy,
      jwks,
    } = given['validation'] as Validation
    const { token_claims: claims } = atTime(when, now) as { readonly token_claims: object }
    // The token is signed by a key of the set, so that with the RSA set the algorithm alone can be what is wrong.
    const token = signedToken(key(jwks.includes('rsa') ? 'RS256' : 'HS256'), { claims })
    const decision = await decideAbout(token, {
      allowed_algorithms: allowedAlgorithms,
      target_audience: audiences,
      trusted_issuers: issuers,
      required_scope: scope,
      scope_strategy,
    })
    const { claims: extra } = atTime(wanted, now) as { readonly claims?: object }
    expect(resultOf(decision)).toMatchObject(extra === undefined ? { error_status: 401 } : { session: { extra } })
  })
})

describe('algorithms', () => {
  it.each([...algorithms.keys()])('%s', async (alg) => {
    const claims = { sub: 'alice', exp: now + 60 }
    const token = signedToken(key(alg), { claims })
    const decision = await decideAbout(token, { allowed_algorithms: [alg] })
    expect(allowed(decision).session).toEqual({
      subject: 'alice',
      extra: { ...claims, scp: [] },
      expiresAt: (now + 60) * 1000,
    })
    expect(
      statusOf(await decideAbout(token, { allowed_algorithms: ['RS256', 'ES256'].filter((name) => name !== alg) })),
    ).toBe(401)
  })

  it('do not take a key of another type, or one that is too short', async () => {
    const claims = { sub: 'a' }
    const secret: JWK = {
      kty: 'oct',
      kid: 'short',
      use: 'sig',
      alg: 'HS256',
      k: Buffer.alloc(16, 1).toString('base64url'),
    }
    const jwks = { jwks_urls: [inlineSet({ keys: [secret] })], allowed_algorithms: ['HS256', 'RS256'] }
    expect(refused(await decideAbout(signedToken(secret, { claims }), jwks)).error.detail).toMatch(/too short/)
    const other = signedToken(key('RS256'), { claims, header: { kid: 'short' } })
    expect(refused(await decideAbout(other, jwks)).error.detail).toMatch(/type does not go with RS256/)
  })
})

describe('security cases of tokens', () => {
  interface SecurityCase {
    readonly id: string
    readonly request: {
      readonly kind: string
      readonly header: Readonly<Record<string, unknown>>
      readonly payload: object | string
      readonly signature: string
      readonly raw_payload?: boolean
      readonly size?: string
    }
    readonly expect: { readonly status: readonly number[] }
  }

  const cases = (casesOf('security', 'jwt') as readonly SecurityCase[]).filter(
    ({ request }) => request.kind === 'token',
  )
  const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }) as JWK

  function tokensOf({ header, payload, signature, size }: SecurityCase['request']): string[] {
    const good = key('RS256')
    const claims =
      size === undefined ? atTime(payload, now) : { ...atTime(payload as object, now), filler: 'x'.repeat(65_536) }
    // The case's kid stands for that of the key that is published; other kids stay as they are.
    const named = { ...header, ...(header['kid'] === 'k1' && { kid: good.kid }) }
    const unsigned = `${base64url(named)}.${base64url(claims)}`
    if (signature === '' || signature === 'n/a') return [`${unsigned}.${signature === '' ? '' : 'AAAA'}`]
    if (signature.startsWith('RS256')) return [signedToken(good, { header: named, claims, alg: 'RS256' })]
    if (signature.startsWith('by attacker')) return [signedToken(attacker, { header: named, claims, alg: 'RS256' })]
    const [half] = published(good).keys
    return [JSON.stringify(half), half?.n ?? ''].map((secret) =>
      signedToken({ kty: 'oct', k: base64url(secret) }, { header: named, claims, alg: 'HS256' }),
    )
  }

  it.each(cases)('$id', async ({ request, expect: { status } }) => {
    const config = {
      jwks_urls: [inlineSet(published(key('RS256')))],
      trusted_issuers: ['https://gw.example'],
      target_audience: ['hasura'],
    }
    for (const token of tokensOf(request)) {
      expect(status).toContain(statusOf(await decideAbout(token, config, 'secure')))
    }
  })

  it.each(cases.filter(({ request }) => request.raw_payload === true))(
    '$id: by its claims alone',
    async ({ request }) => {
      for (const token of tokensOf(request)) expect(statusOf(await decideAbout(token))).toBe(401)
    },
  )

  it('let the token through that they are made of', async () => {
    const claims = { sub: 'a', iss: 'https://gw.example', aud: 'hasura', iat: now, exp: now + 60 }
    const config = { trusted_issuers: ['https://gw.example'], target_audience: ['hasura'] }
    expect(statusOf(await decideAbout(signedToken(key('RS256'), { claims }), config, 'secure'))).toBe(200)
  })

  it('a token without an end, or without a subject, is refused under `session_requirements: strict`', async () => {
    for (const claims of [{ sub: 'a' }, { exp: now + 60 }, { sub: '', exp: now + 60 }]) {
      const token = signedToken(key('RS256'), { claims })
      expect(statusOf(await decideAbout(token, {}, 'secure'))).toBe(401)
      expect(statusOf(await decideAbout(token))).toBe(200)
    }
  })

  it('no other spelling of a good token is taken', async () => {
    const token = signedToken(key('ES256'), { claims: { sub: 'a' } })
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const last = alphabet.indexOf(token.at(-1) ?? '')
    const spellings = [
      `${token}=`,
      `${token}==`,
      `${token} `,
      `${token}\n`,
      ` ${token}`,
      token.replaceAll('.', ' .'),
      token.slice(0, -1) + alphabet[last ^ 1],
    ]
    await withRule({ allowed_algorithms: ['ES256'], token_from: { header: 'X-Token' } }, async (decide) => {
      expect(statusOf(await decide({ headers: { 'X-Token': token } }))).toBe(200)
      for (const spelling of spellings) expect(statusOf(await decide({ headers: { 'X-Token': spelling } }))).toBe(401)
    })
  })

  it('whatever is made of the three parts of a good token is refused, and never a fault', async () => {
    const token = signedToken(key('ES256'), { claims: { sub: 'a' } })
    await withRule({ allowed_algorithms: ['ES256'] }, async (decide) => {
      await fc.assert(
        fc.asyncProperty(
          fc.nat(token.length - 1),
          fc.string({ unit: 'binary-ascii', maxLength: 3 }),
          async (at, text) => {
            const changed = token.slice(0, at) + text + token.slice(at + 1)
            fc.pre(changed !== token)
            expect(refused(await decide(bearer(changed))).error.code).toBe('credentials_invalid')
          },
        ),
        { numRuns: 200 },
      )
    })
  })

  it('what a client is told holds nothing of the token', async () => {
    const token = signedToken(key('RS256'), { claims: { sub: 'claim-secret', exp: now - 1 } })
    const { error } = refused(await decideAbout(token))
    expect(error).toMatchObject({ code: 'credentials_invalid', reason: 'The token has expired' })
    expect(JSON.stringify([error.message, error.reason, error.detail])).not.toMatch(/claim-secret|eyJ/)
  })
})

describe('key sets', () => {
  it('over http are read once, and are followed where they are redirected to', async () => {
    const set = JSON.stringify(published(key('RS256')))
    await using server = await startServer((request, response) => {
      if (request.url === '/old') response.writeHead(301, { location: '/new' }).end()
      else response.end(set)
    })
    await withRule({ jwks_urls: [`${server.url}/old`] }, async (decide) => {
      const token = signedToken(key('RS256'), { claims: { sub: 'a' } })
      const decisions = await Promise.all([1, 2, 3].map(() => decide(bearer(token))))
      expect(decisions.map(statusOf)).toEqual([200, 200, 200])
    })
    expect(server.requests.map(({ url }) => url)).toEqual(['/old', '/new'])
  })

  it('that cannot be had are an outage, not a refusal', async () => {
    await using service = await startService(() => ({ status: 404 }))
    const token = signedToken(key('RS256'), { claims: { sub: 'a' } })
    for (const url of ['file:///does/not/exist.json', service.url, inlineSet({ nothing: [] })]) {
      const { error, answer } = refused(await decideAbout(token, { jwks_urls: [url] }))
      expect(error.code).toBe('verification_keys_unavailable')
      expect(answer.status).toBe(503)
      expect(answer.headers).toContainEqual(['Retry-After', '1'])
    }
  })

  it('are one enough of several', async () => {
    const token = signedToken(key('RS256'), { claims: { sub: 'a' } })
    const jwks_urls = ['file:///does/not/exist.json', all()]
    expect(statusOf(await decideAbout(token, { jwks_urls }))).toBe(200)
    expect(
      statusOf(await decideAbout(signedToken(key('RS256'), { claims: {}, header: { kid: 'other' } }), { jwks_urls })),
    ).toBe(401)
  })

  it('that are on this machine and cannot be read are warned of at load, like what lets nobody in', async () => {
    const config = {
      jwks_urls: ['file:///does/not/exist.json'],
      allowed_algorithms: ['RS256', 'none'],
      required_scope: ['a'],
    }
    await using test = await loadRule(
      { authenticators: [{ handler: 'jwt', config }] },
      { authenticators: { jwt: { enabled: true, config: { jwks_urls: [] } } } },
    )
    expect(test.gateway.problems.map(({ severity, message }) => [severity, message])).toEqual([
      ['warning', '"none" verifies no token here'],
      ['warning', expect.stringMatching(/scope_strategy is "none"/)],
      ['warning', expect.stringMatching(/exist\.json: the file does not exist/)],
    ])
  })
})
