import { Configuration, FrontendApi } from '@ory/client'
import { createLocalJWKSet, decodeJwt, jwtVerify, type JWK } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { generateKeySet } from '../../src/tokens/generate.ts'
import { loadGateway, startGateway, type ListeningGateway } from '../support/gateway.ts'
import { startServer, type TestServer } from '../support/http_server.ts'

const alice = {
  id: '432caf86-c1d8-401c-978a-8da89133f78b',
  active: true,
  expires_at: '2999-01-01T00:00:00Z',
  authenticator_assurance_level: 'aal1',
  identity: { id: '7458af86-c1d8-401c-978a-8da89133f78b', traits: { email: 'a@example.org' }, metadata_public: null },
  devices: null,
}
/** Beyond what JavaScript's numbers hold, and with blanks of its own. */
const exact = JSON.stringify({ ...alice, devices: 'X' }).replace('"X"', ' [{ "n": 9007199254740993 }] ')

const bob = { ...alice, id: 's-bob', identity: { ...alice.identity, id: 'bob' } }

const aal2Body = JSON.stringify({
  error: { id: 'session_aal2_required', code: 403, status: 'Forbidden', message: 'too low' },
  redirect_browser_to: 'http://kratos/self-service/login/browser?aal=aal2',
})

let kratos: TestServer
let down: boolean
let gateway: ListeningGateway

/** Which credential a question carried: exactly one. */
const asked = (): string[] =>
  kratos.requests.map(({ headers }) =>
    ['x-session-token', 'cookie', 'authorization'].flatMap((name) => headers[name] ?? []).join(' and '),
  )

const settings = async () => {
  const jwks_url = `base64://${Buffer.from(JSON.stringify(await generateKeySet({ alg: 'ES256', kid: 'k1' }))).toString('base64')}`
  const mapper = (source: string): string => `base64://${Buffer.from(source).toString('base64')}`
  const templates = {
    plain: { jwks_url, ttl: '5m' },
    hasura: {
      jwks_url,
      claims_mapper_url: mapper(
        "local s = std.extVar('session'); { claims: { 'https://hasura.io/jwt/claims': { 'x-hasura-user-id': s.identity.id } } }",
      ),
    },
    failing: { jwks_url, claims_mapper_url: mapper("{ claims: { a: std.extVar('session').nope } }") },
    waiting: { jwks_url, claims: '{"region": "{{ getHostByName `localhost` }}"}' },
    object: { jwks_url, claims: { mail: '{{extra.identity.traits.email}}' }, issuer_url: 'https://issuer.example' },
  }
  return {
    kratos: { public_url: `${kratos.url}/` },
    templates: { allow_functions: ['getHostByName'] },
    session: { whoami: { tokenizer: { templates } } },
  }
}

beforeAll(async () => {
  kratos = await startServer((request, response) => {
    const { cookie, authorization, 'x-session-token': token } = request.headers
    const json = { 'content-type': 'application/json' }
    if (down) return void response.writeHead(500).end()
    if (token === 'aal1') return void response.writeHead(403, json).end(aal2Body)
    if (token === 'alice' || authorization === 'Bearer alice') {
      return void response.writeHead(200, json).end(JSON.stringify(alice))
    }
    if (token === 'exact') {
      return void response.writeHead(200, { ...json, 'ory-session-cache-for': '60' }).end(`${exact}\n`)
    }
    if (cookie === 'ory_kratos_session=BOB') {
      return void response
        .writeHead(200, { ...json, 'set-cookie': 'ory_kratos_session=NEW; HttpOnly' })
        .end(JSON.stringify(bob))
    }
    response.writeHead(401, json).end('{}')
  })
  gateway = await startGateway({
    config: {
      profile: 'secure',
      serve: {
        proxy: {
          endpoints: ['whoami', 'jwks'],
          cors: { enabled: true, allowed_origins: ['https://app.example'], allow_credentials: true },
        },
      },
      ...(await settings()),
    },
  })
})

afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await kratos[Symbol.asyncDispose]()
})

beforeEach(() => {
  down = false
  ;(kratos.requests as unknown[]).length = 0
})

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown> & { readonly error?: Record<string, unknown>; readonly tokenized?: string }
}

async function whoami(headers: Record<string, string>, query = '', base = gateway.api): Promise<Answer> {
  const response = await fetch(`${base}/sessions/whoami${query}`, { headers })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] }
}

const byToken = { 'x-session-token': 'alice' }

describe("Ory's own client", () => {
  const client = (base: string): FrontendApi => new FrontendApi(new Configuration({ basePath: base }))

  it.each(['api', 'proxy'] as const)('gets sessions and tokens from the %s plane', async (plane) => {
    const { data } = await client(gateway[plane]).toSession({ xSessionToken: 'alice' })
    expect(data).toEqual(alice)
    const { data: tokenized } = await client(gateway[plane]).toSession({ xSessionToken: 'alice', tokenizeAs: 'hasura' })
    const { tokenized: token = '', ...session } = tokenized
    expect(session).toEqual(alice)
    const { keys } = (await (await fetch(`${gateway[plane]}/.well-known/jwks.json`)).json()) as { readonly keys: JWK[] }
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet({ keys }))
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: 'k1', typ: 'JWT' })
    expect(payload).toMatchObject({
      iss: `${kratos.url}/`,
      sub: alice.identity.id,
      sid: alice.id,
      'https://hasura.io/jwt/claims': { 'x-hasura-user-id': alice.identity.id },
    })
  })

  it('gets a session of a cookie', async () => {
    const { data } = await client(gateway.api).toSession({ cookie: 'other=1; ory_kratos_session=BOB' })
    expect(data.identity?.id).toBe('bob')
  })

  it('is told when there is no session', async () => {
    await expect(client(gateway.api).toSession({ xSessionToken: 'nobody' })).rejects.toMatchObject({
      response: { status: 401, data: { error: { code: 401, status: 'Unauthorized' } } },
    })
  })
})

describe('/sessions/whoami', () => {
  it('is as in Kratos, and for nobody else', async () => {
    const { status, headers, body } = await whoami({ cookie: 'ory_kratos_session=BOB' })
    expect(status).toBe(200)
    expect(body).toEqual(bob)
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'private, no-cache, no-store, must-revalidate',
      vary: 'Cookie',
      'x-kratos-authenticated-identity-id': 'bob',
      'set-cookie': 'ory_kratos_session=NEW; HttpOnly',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
    })
  })

  it.each<[string, Record<string, string>, string[], number]>([
    [
      'a session token wins',
      { ...byToken, cookie: 'ory_kratos_session=BOB', authorization: 'Bearer x' },
      ['alice'],
      200,
    ],
    [
      'also when it is none',
      { 'x-session-token': 'x', cookie: 'ory_kratos_session=BOB', authorization: 'Bearer alice' },
      ['x'],
      401,
    ],
    [
      'then the cookie',
      { cookie: 'a=b; ory_kratos_session=BOB', authorization: 'Bearer alice' },
      ['ory_kratos_session=BOB'],
      200,
    ],
    [
      'then the bearer token, when Kratos does not take the cookie',
      { cookie: 'ory_kratos_session=old', authorization: 'bearer alice' },
      ['ory_kratos_session=old', 'Bearer alice'],
      200,
    ],
    ['a bearer token in three parts is none', { authorization: 'Bearer  alice' }, [], 401],
    ['nothing is asked without a credential', { cookie: 'a=b' }, [], 401],
  ])('%s', async (_name, headers, questions, status) => {
    expect((await whoami(headers)).status).toBe(status)
    expect(asked()).toEqual(questions)
  })

  it('asks each time, and makes a token each time', async () => {
    const tokens = [await whoami(byToken, '?tokenize_as=plain'), await whoami(byToken, '?tokenize_as=plain')]
    const [first, second] = tokens.map(({ body }) => decodeJwt(body.tokenized ?? ''))
    expect(first?.jti).not.toBe(second?.jti)
    expect(kratos.requests.length).toBe(2)
  })

  it('waits for the DNS where a template does', async () => {
    const { status, body } = await whoami(byToken, '?tokenize_as=waiting')
    expect(status).toBe(200)
    expect(decodeJwt(body.tokenized ?? '')).toMatchObject({
      region: expect.stringMatching(/^(127\.0\.0\.1|::1)$/) as unknown,
    })
  })

  it('takes claims of an object, too', async () => {
    const { body } = await whoami(byToken, '?tokenize_as=object')
    expect(decodeJwt(body.tokenized ?? '')).toMatchObject({ mail: 'a@example.org', iss: 'https://issuer.example' })
  })

  it('is what Kratos says, to the letter', async () => {
    const ask = (query: string): Promise<Response> =>
      fetch(`${gateway.api}/sessions/whoami${query}`, { headers: { 'x-session-token': 'exact' } })
    const plain = await ask('')
    expect(await plain.text()).toBe(`${exact}\n`)
    expect(plain.headers.get('ory-session-cache-for')).toBe('60')
    const tokenized = await ask('?tokenize_as=plain')
    const text = await tokenized.text()
    expect(text.startsWith(exact.slice(0, -1))).toBe(true)
    expect(Object.keys(JSON.parse(text) as object)).toEqual([...Object.keys(alice), 'tokenized'])
  })

  it('invariant/no-cache-header', async () => {
    const { headers } = await whoami({ 'x-session-token': 'exact' }, '?tokenize_as=plain')
    expect(headers.get('ory-session-cache-for')).toBeNull()
  })

  it('invariant/jwe-none: a token has three parts, and what it says can be read by everybody', async () => {
    const { body } = await whoami(byToken, '?tokenize_as=plain')
    const parts = (body.tokenized ?? '').split('.')
    expect(parts.length).toBe(3)
    const [header, payload] = parts.slice(0, 2).map((part) => Buffer.from(part, 'base64url').toString())
    expect(Object.keys(JSON.parse(header ?? '') as object).toSorted()).toEqual(['alg', 'kid', 'typ'])
    expect(JSON.parse(payload ?? '')).toMatchObject({ sub: alice.identity.id })
  })

  it('makes no token when none is asked for', async () => {
    expect((await whoami(byToken, '?tokenize_as=')).body).toEqual(alice)
  })

  it.each([
    ['an unknown template', 'x"<', String.raw`Unable to find tokenizer template "x"<".`],
    ['a template that fails', 'failing', 'Unable to execute tokenizer JsonNet.'],
  ])('refuses %s in the words of Kratos', async (_name, template, reason) => {
    const { status, body, headers } = await whoami(
      { ...byToken, 'x-request-id': 'r1' },
      `?tokenize_as=${encodeURIComponent(template)}`,
    )
    expect(status).toBe(400)
    const message = 'The request was malformed or contained invalid parameters'
    expect(body).toEqual({ error: { code: 400, status: 'Bad Request', request: 'r1', reason, message } })
    expect(headers.get('x-kratos-authenticated-identity-id')).toBeNull()
  })

  it('tells the operator of a template that fails, and the client nothing of it', async () => {
    const { body } = await whoami(byToken, '?tokenize_as=failing')
    expect(JSON.stringify(body)).not.toContain('nope')
    const line = gateway.log.find((text) => text.includes('A token could not be made of a session')) ?? '{}'
    expect(JSON.parse(line)).toMatchObject({
      template: 'failing',
      detail: expect.stringContaining('there is no field nope') as string,
    })
  })

  it('looks for no template without a session', async () => {
    const { status, body } = await whoami({}, '?tokenize_as=unknown')
    expect(status).toBe(401)
    expect(body.error).toMatchObject({ reason: 'No valid session credentials found in the request.' })
  })

  it('passes on that a second factor is needed', async () => {
    const { status, body, headers } = await whoami({ 'x-session-token': 'aal1' }, '?tokenize_as=plain')
    expect({ status, body }).toEqual({ status: 403, body: JSON.parse(aal2Body) as object })
    expect(headers.get('ory-error-id')).toBe('session_aal2_required')
  })

  it('tells an outage as one', async () => {
    down = true
    const { status, headers } = await whoami(byToken)
    expect(status).toBe(503)
    expect(headers.get('retry-after')).toBe('1')
  })
})

describe('on the port of the proxy', () => {
  it('pages of the origins that are named can read it', async () => {
    const { headers } = await whoami({ ...byToken, origin: 'https://app.example' }, '', gateway.proxy)
    expect(headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(headers.get('access-control-allow-credentials')).toBe('true')
  })

  it('pages of others cannot', async () => {
    const { headers } = await whoami({ ...byToken, origin: 'https://evil.example' }, '', gateway.proxy)
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })

  it('other methods and paths are those of the rules', async () => {
    const post = await fetch(`${gateway.proxy}/sessions/whoami`, { method: 'POST', headers: byToken })
    expect(post.status).toBe(404)
    expect((await fetch(`${gateway.proxy}/sessions/whoami/x`)).status).toBe(404)
  })

  it('is off unless it is asked for', async () => {
    await using off = await startGateway({ config: { profile: 'secure', ...(await settings()) } })
    expect((await fetch(`${off.proxy}/sessions/whoami`, { headers: byToken })).status).toBe(404)
    expect((await fetch(`${off.proxy}/.well-known/jwks.json`)).status).toBe(404)
    expect((await fetch(`${off.api}/sessions/whoami`, { headers: byToken })).status).toBe(200)
  })

  it('needs to know where Kratos is', async () => {
    const config = { serve: { proxy: { endpoints: ['whoami'] } } }
    await expect(loadGateway({ config })).rejects.toThrow('The endpoint whoami needs a Kratos to ask')
  })

  it('is never open to the pages of every origin', async () => {
    const cors = { enabled: true, allow_credentials: true }
    const config = { ...(await settings()), serve: { proxy: { endpoints: ['whoami'], cors } } }
    await expect(loadGateway({ config })).rejects.toThrow("every web page could get its visitors' tokens")
  })
})

describe('on the API', () => {
  it('is not there without a Kratos to ask', async () => {
    await using other = await startGateway({ config: {} })
    expect((await fetch(`${other.api}/sessions/whoami`, { headers: byToken })).status).toBe(404)
  })

  it('is not there for the pages of every origin', async () => {
    const cors = { enabled: true, allow_credentials: true }
    await using other = await startGateway({ config: { ...(await settings()), serve: { api: { cors } } } })
    expect((await fetch(`${other.api}/sessions/whoami`, { headers: byToken })).status).toBe(404)
  })
})
