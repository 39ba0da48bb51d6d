/** What `mintkeeper proxy` does otherwise than `ory proxy`, and what its token says. */
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { answer, get, good, session, startOryProxy } from './stack.ts'

describe('what is done otherwise', () => {
  it('gives what only begins like the prefix to the application', async () => {
    await using proxy = await startOryProxy()
    for (const path of ['/.oryx', '/.ory', '/x/.ory/y']) await get(proxy.url + path)
    expect(proxy.app.requests.map(({ target }) => target)).toEqual(['/.oryx', '/x/.ory/y'])
    expect(proxy.kratos.requests.map(({ target }) => target)).toEqual(['/'])
  })

  it('lets no Authorization of the client through, with and without a session', async () => {
    await using proxy = await startOryProxy()
    await get(proxy.url, { authorization: 'Bearer forged' })
    await get(proxy.url, { authorization: 'Bearer forged', cookie: good.cookie })
    await get(proxy.url, { authorization: 'Basic Zm9yZ2Vk' })
    const [visitor, signedIn, basic] = proxy.app.requests.map((request) => request.all('authorization'))
    expect([visitor, basic]).toEqual([[], []])
    expect(signedIn).toEqual([expect.stringMatching(/^Bearer ey/)])
  })

  it.each([
    ['cookie', { cookie: good.cookie, 'x-session-token': '' }],
    ['cookie', { cookie: good.cookie, authorization: `Bearer ${good.token}` }],
    ['x-session-token', { cookie: good.cookie, 'x-session-token': good.token }],
    ['authorization', { authorization: `Bearer ${good.token}` }],
  ])('asks Kratos with one credential: %s of %j', async (sent, headers) => {
    await using proxy = await startOryProxy()
    await get(`${proxy.url}/page?q=1`, headers)
    const [asked, ...more] = proxy.kratos.requests
    expect(more).toEqual([])
    expect(`${asked!.method} ${asked!.target}`).toBe('GET /sessions/whoami')
    const carriers = ['cookie', 'x-session-token', 'authorization'].filter((name) => asked!.all(name).length > 0)
    expect(carriers).toEqual([sent])
    expect(proxy.app.requests[0]!.all('authorization')).toEqual([expect.stringMatching(/^Bearer ey/)])
  })

  it('answers an outage of Kratos with 503, not with an application for visitors', async () => {
    await using proxy = await startOryProxy()
    proxy.kratos.respond = () => answer('500 Internal Server Error', '{}')
    expect((await get(proxy.url, { cookie: good.cookie })).status).toBe(503)
    expect(proxy.app.requests).toEqual([])
    expect((await get(proxy.url)).status).toBe(200)
  })

  it('says by the publish-url where browsers are, whatever clients say', async () => {
    await using proxy = await startOryProxy({ settings: { publishUrl: 'https://app.example' } })
    const claims = { 'x-forwarded-proto': 'http', 'x-forwarded-host': 'evil.example' }
    for (const path of ['/x', '/.ory/x']) await get(proxy.url + path, claims)
    for (const request of [...proxy.app.requests, ...proxy.kratos.requests]) {
      expect(request.all('x-forwarded-proto')).toEqual(['https'])
      expect(request.all('x-forwarded-host')).toEqual(['app.example'])
    }
    expect(proxy.relayed()).toHaveLength(1)
  })

  it('asks Kratos for uncompressed bodies and the application as the client does', async () => {
    await using proxy = await startOryProxy()
    for (const path of ['/x', '/.ory/x']) await get(proxy.url + path, { 'accept-encoding': 'gzip' })
    expect(proxy.app.requests[0]!.all('accept-encoding')).toEqual(['gzip'])
    expect(proxy.kratos.requests[0]!.all('accept-encoding')).toEqual(['identity'])
  })

  it('lets no page of another origin read answers unless it is told to', async () => {
    await using proxy = await startOryProxy()
    const { headers } = await get(proxy.url, { origin: 'https://any.example' })
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('the token', () => {
  it('says who and carries the whole session, for a minute', async () => {
    await using proxy = await startOryProxy()
    await get(proxy.url, { cookie: good.cookie })
    const [authorization = ''] = proxy.app.requests[0]!.all('authorization')
    const token = authorization.replace('Bearer ', '')
    const keys = createLocalJWKSet((await (await get(`${proxy.url}/.ory/jwks.json`)).json()) as JSONWebKeySet)
    const { payload } = await jwtVerify(token, keys, { issuer: proxy.kratos.origin })
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', typ: 'JWT', kid: expect.any(String) as string })
    expect(Object.keys(payload).sort()).toEqual(['exp', 'iat', 'iss', 'jti', 'nbf', 'session', 'sub'])
    expect(payload).toMatchObject({ sub: session.identity.id, session, nbf: payload.iat })
    expect(Math.abs(payload.exp! - Date.now() / 1000 - 60)).toBeLessThan(5)
  })

  it('is left out with --no-jwt, and what the client sends passes for the application to judge', async () => {
    await using proxy = await startOryProxy({ settings: { jwt: false } })
    await get(proxy.url, { cookie: good.cookie, authorization: 'Bearer own' })
    expect(proxy.app.requests[0]!.all('authorization')).toEqual(['Bearer own'])
    expect(proxy.app.requests[0]!.all('cookie')).toEqual([good.cookie])
    expect((await get(`${proxy.url}/.ory/jwks.json`)).status).toBe(200)
    // No key set of the gateway's own: Kratos is asked, as for any path below the prefix.
    expect(proxy.kratos.requests.map(({ target }) => target)).toEqual(['/jwks.json'])
  })
})
