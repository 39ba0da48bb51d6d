/** Tokens of others on the wire, and what a token that is made here says. */
import { decodeJwt, decodeProtectedHeader, jwtVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose'
import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JWK } from 'jose'
import type { ListeningGateway } from '../support/gateway.ts'
import { startServer, type TestServer } from '../support/http_server.ts'
import { sendRaw, type RawResponse } from '../support/raw-client.ts'
import { startRecorder, type Recorder } from '../support/recorder.ts'
import { startService } from '../support/service.ts'
import { extraVectors, type ExtraVector } from '../demo/vectors.ts'
import { atTime, base64url, inlineSet, newKey, published, signedToken } from '../support/tokens.ts'
import { bytesOf, cases, HOUR, keyUrl, rule, sessionOf, startStd, vector, type Vector } from './setup.ts'

const now = Math.floor(Date.now() / 1000)
const on = { enabled: true }

let key: JWK
let attacker: JWK
let upstream: Recorder
let store: TestServer
let gateway: ListeningGateway

beforeAll(async () => {
  key = { ...(await newKey('RS256', 'k1')), alg: 'RS256' }
  attacker = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })
  upstream = await startRecorder()
  store = await startServer((_request, response) => response.end(JSON.stringify(sessionOf('alice'))))
  const jwt = {
    jwks_urls: [inlineSet(published(key))],
    allowed_algorithms: ['RS256'],
    trusted_issuers: ['https://gw.example'],
    target_audience: ['hasura'],
  }
  const claims = { aud: ['hasura'], 'https://hasura.io/jwt/claims': { 'x-hasura-user-id': '{{subject}}' } }
  gateway = await startStd({
    store: store.url,
    rules: [
      rule('/admin/x', { authenticators: [{ handler: 'jwt' }] }, upstream.origin),
      rule('/minted', { mutators: [{ handler: 'id_token', config: { claims, ttl: '1m' } }] }, upstream.origin),
    ],
    config: {
      authenticators: {
        jwt: { ...on, config: jwt },
        cookie_session: {
          ...on,
          config: {
            check_session_url: `${store.url}/sessions/whoami`,
            subject_from: 'identity.id',
            extra_from: '@this',
          },
        },
      },
    },
  })
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await upstream.close()
  await store[Symbol.asyncDispose]()
})

function send(path: string, lines: string): Promise<RawResponse> {
  upstream.reset()
  return sendRaw(gateway.addresses.proxy.port, `GET ${path} HTTP/1.1\r\nHost: gw.example\r\n${lines}\r\n`)
}
const withToken = (token: string): Promise<RawResponse> => send('/admin/x', `Authorization: Bearer ${token}\r\n`)

/** Every token that a case of the catalogue stands for. */
function tokensOf({ header = {}, payload = {}, signature = '' }: Vector['request']): string[] {
  const claims = atTime(payload, now)
  const parts = { header: { ...header }, claims }
  const unsigned = `${base64url(header)}.${base64url(claims)}`
  if (signature === '') return [`${unsigned}.`]
  if (signature === 'n/a') return [`${unsigned}.AAAA`]
  if (signature.startsWith('RS256')) return [signedToken(key, { ...parts, alg: 'RS256' })]
  if (signature.startsWith('by attacker')) return [signedToken(attacker, { ...parts, alg: 'RS256' })]
  const [half] = published(key).keys
  return [JSON.stringify(half), half?.n ?? ''].map((secret) =>
    signedToken({ kty: 'oct', k: base64url(secret) }, { ...parts, alg: 'HS256' }),
  )
}

describe('jwt', () => {
  it('a token that nothing is wrong with is taken', async () => {
    const claims = { sub: 'a', iss: 'https://gw.example', aud: 'hasura', iat: now, exp: now + 60 }
    expect((await withToken(signedToken(key, { claims }))).status).toBe(200)
    // It goes no further: the upstream gets one of ours.
    expect(decodeProtectedHeader((upstream.requests[0]?.all('authorization')[0] ?? '').slice(7)).kid).toBe('k')
  })

  const tokens = cases.filter((one) => one.class === 'jwt' && one.request.kind === 'token' && one.id !== 'jwt-025')
  it.each(tokens)('$id', async (one) => {
    for (const token of tokensOf(one.request)) {
      expect(one.expect.status).toContain((await withToken(token)).status)
      expect(upstream.requests).toEqual([])
    }
  })

  it('jwt-025: a token longer than a head may be ends there', async () => {
    expect((await withToken(tokensOf(vector('jwt-025').request)[0] + 'A'.repeat(65_536))).status).toBe(431)
    expect((await withToken(`${tokensOf(vector('jwt-025').request)[0]}${'A'.repeat(12_000)}`)).status).toBe(401)
    expect(upstream.requests).toEqual([])
  })

  it('jwt-032: a minted token says what it has to, and nothing else', async () => {
    const set = (await (await fetch(`${gateway.api}/.well-known/jwks.json`)).json()) as JSONWebKeySet
    const seen = new Set<unknown>()
    for (let i = 0; i < 3; i++) {
      expect((await send('/minted', `Cookie: ory_kratos_session=S${i}\r\n`)).status).toBe(200)
      const token = (upstream.requests[0]?.all('authorization')[0] ?? '').replace('Bearer ', '')
      const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(set), {
        issuer: 'https://gw.example',
        audience: 'hasura',
      })
      expect(protectedHeader).toEqual({ alg: 'ES256', kid: 'k', typ: 'JWT' })
      expect(Object.keys(payload).toSorted()).toEqual(
        ['aud', 'exp', 'https://hasura.io/jwt/claims', 'iat', 'iss', 'jti', 'nbf', 'sub'].toSorted(),
      )
      const { sub, iat = 0, nbf = 0, exp = 0, jti } = payload
      expect(sub).toBe('alice')
      expect([iat, nbf, exp].every(Number.isSafeInteger)).toBe(true)
      expect(Math.max(iat, nbf)).toBeLessThanOrEqual(Date.now() / 1000 - 4)
      expect(exp - iat).toBeLessThanOrEqual(65)
      expect(exp * 1000).toBeLessThanOrEqual(Date.now() + HOUR)
      seen.add(jti)
    }
    // One session, one token: it is reused as long as it is good.
    expect(seen.size).toBe(1)
    expect(keyUrl).not.toContain(JSON.stringify(set))
    expect(JSON.stringify(set)).not.toContain('"d"')
  })

  it('err-008: what an unverified token claims is not told back', async () => {
    const response = await sendRaw(gateway.addresses.proxy.port, bytesOf('err-008'))
    expect(vector('err-008').expect.status).toContain(response.status)
    expect(response.body.toString()).not.toMatch(/secret|eyJ/)
  })
})

describe('tokens of Ory Hydra', () => {
  const hydraVector = (id: string): ExtraVector => {
    const found = extraVectors('hydra').find((each) => each.id === `hydra/${id}`)
    if (found === undefined) throw new Error(`no case hydra/${id}`)
    return found
  }
  /** What the gateway answers to the token, and how often it asks what the token is worth. */
  const presenting = async (
    answer: object,
    token = 'ory_at_x',
    prefix = '',
  ): Promise<[status: number, calls: number]> => {
    await using hydra = await startService(() => ({ status: 200, body: JSON.stringify(answer) }))
    const config = { introspection_url: hydra.url, prefix }
    await using test = await startStd({
      store: store.url,
      rules: [rule('/x', { authenticators: [{ handler: 'oauth2_introspection' }] }, upstream.origin)],
      config: { authenticators: { oauth2_introspection: { ...on, config } } },
    })
    const head = `GET /x HTTP/1.1\r\nHost: gw.example\r\nAuthorization: Bearer ${token}\r\n\r\n`
    return [(await sendRaw(test.addresses.proxy.port, head)).status, hydra.calls.length]
  }
  const active = { active: true, sub: 'alice', exp: now + 60 }

  it('whose introspection names an access token count', async () => {
    expect(await presenting({ ...active, token_use: 'access_token' })).toEqual([200, 1])
  })

  it('hydra/introspect-inactive: one that nobody knows is refused', async () => {
    const { given, expect: said } = hydraVector('introspect-inactive')
    expect(await presenting(said['body'] as object, String(given['token']))).toEqual([401, 1])
  })

  it('hydra/introspect-refresh: a refresh token is refused, active as it is', async () => {
    const { given, expect: said } = hydraVector('introspect-refresh')
    expect(said['gateway']).toBe('refuse')
    const answer = { ...active, ...(said['body_includes'] as object) }
    expect(await presenting(answer, String(given['token']))).toEqual([403, 1])
  })

  it('hydra/prefixes: with the prefix of access tokens no other kind is even asked about', async () => {
    const { access = '', ...others } = hydraVector('prefixes').expect as Readonly<Record<string, string>>
    expect(await presenting(active, `${access}x`, access)).toEqual([200, 1])
    expect(Object.keys(others).toSorted()).toEqual(['code', 'kratos_logout', 'kratos_session', 'refresh'])
    for (const kind of Object.values(others)) expect(await presenting(active, `${kind}x`, access)).toEqual([401, 0])
  })

  it('hydra/id-token-confusion: an ID token of the same issuer is for its client, not for an upstream', async () => {
    const claims = {
      sub: 'alice',
      iss: 'https://gw.example',
      aud: ['client-id'],
      iat: now,
      exp: now + 60,
      at_hash: 'x',
    }
    expect((await withToken(signedToken(key, { claims }))).status).toBe(401)
    expect(decodeJwt(signedToken(key, { claims })).aud).toEqual(['client-id'])
  })
})
