/** `require`: what a rule asks of a session, also of one that is kept; and where the error handler `step_up` leads. */
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../src/pipeline/contract/decision.ts'
import { loadStd, rule, sessionOf } from '../security/setup.ts'
import { startServer } from '../support/http_server.ts'
import { inboundOf } from '../support/inbound.ts'

const MINUTE = 60_000
const ago = (milliseconds: number): string => new Date(Date.now() - milliseconds).toISOString()

/** A session as Kratos tells it: one factor, a minute ago, an address that nobody has verified. */
const weak = {
  authenticator_assurance_level: 'aal1',
  authenticated_at: ago(MINUTE),
  authentication_methods: [{ method: 'password', aal: 'aal1' }],
  identity: { id: 'alice', state: 'active', verifiable_addresses: [{ via: 'email', verified: false, value: 'a@b' }] },
}

interface Arrangement {
  readonly require: object
  readonly cache?: object
  readonly errors?: object
}

async function arrange({ require, cache = { ttl: '1h' }, errors }: Arrangement, first: object) {
  const kratos = { session: first, status: 200 }
  const store = await startServer((_request, response) =>
    response.writeHead(kratos.status).end(JSON.stringify(sessionOf('alice', kratos.session))),
  )
  const test = await loadStd({
    store: store.url,
    ...(errors !== undefined && { errors }),
    rules: [
      rule('/<.*>', { authenticators: [{ handler: 'cookie_session', config: { require, cache } }] }),
      rule('/any', {
        match: { url: 'http://open.example/', methods: ['GET'] },
        authenticators: [{ handler: 'cookie_session', config: { cache } }],
      }),
    ],
  })
  const headers = { Cookie: 'ory_kratos_session=ALICE' }
  return {
    kratos,
    calls: () => store.requests.length,
    ask: async (more: Record<string, string> = {}, url = 'http://gw.example/x', method = 'GET'): Promise<Decision> =>
      test.gateway.decide(inboundOf(url, { method, headers: { ...headers, ...more } })),
    async [Symbol.asyncDispose]() {
      await test[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

const codeOf = (decision: Decision): string => (decision.allowed ? 'allowed' : decision.error.code)
const answerOf = (decision: Decision) => {
  if (decision.allowed) throw new Error('allowed')
  return decision.answer
}

describe('require', () => {
  const verified = { id: 'alice', verifiable_addresses: [{ via: 'email', verified: true }] }
  it.each([
    ['aal', { aal: 'aal2' }, { authenticator_assurance_level: 'aal2' }, 'session_aal2_required'],
    ['aal', { aal: 'aal1' }, {}, undefined],
    ['max_age', { max_age: '30s' }, { authenticated_at: ago(5_000) }, 'session_refresh_required'],
    ['max_age', { max_age: '2m' }, {}, undefined],
    [
      'methods',
      { methods: ['totp', 'webauthn'] },
      { authentication_methods: [{ method: 'password' }, { method: 'webauthn' }] },
      'session_refresh_required',
    ],
    ['methods', { methods: ['password'] }, {}, undefined],
    ['verified_addresses', { verified_addresses: ['email'] }, { identity: verified }, 'session_address_unverified'],
  ])('%s %j', async (_name, require, strong, refusal) => {
    await using test = await arrange({ require }, weak)
    expect(codeOf(await test.ask())).toBe(refusal ?? 'allowed')
    test.kratos.session = { ...weak, ...strong }
    expect(codeOf(await test.ask())).toBe('allowed')
  })

  it('refuses with 403 and an id in the shape of Kratos', async () => {
    await using test = await arrange({ require: { aal: 'aal2' } }, weak)
    const { status, body, headers } = answerOf(await test.ask())
    expect(status).toBe(403)
    expect(JSON.parse(body)).toMatchObject({ error: { id: 'session_aal2_required', code: 403, status: 'Forbidden' } })
    expect(headers).toContainEqual(['Cache-Control', 'no-store'])
  })

  it.each([
    ['aal', { aal: 'aal2' }, { authenticator_assurance_level: undefined }, 'session_store_unavailable'],
    ['max_age', { max_age: '1h' }, { authenticated_at: undefined }, 'session_store_unavailable'],
    ['methods', { methods: ['password'] }, { authentication_methods: undefined }, 'session_refresh_required'],
    [
      'verified_addresses',
      { verified_addresses: ['email'] },
      { identity: { id: 'alice' } },
      'session_address_unverified',
    ],
  ])('%s lets nobody through on what the store does not say', async (_name, require, gaps, code) => {
    await using test = await arrange({ require }, { ...weak, ...gaps })
    expect(codeOf(await test.ask())).toBe(code)
  })

  it('holds for what another rule has kept, without a refusal by what is remembered', async () => {
    await using test = await arrange({ require: { aal: 'aal2' } }, weak)
    const open = 'http://open.example/'
    expect(codeOf(await test.ask({}, open))).toBe('allowed')
    expect(codeOf(await test.ask())).toBe('session_aal2_required')
    const calls = test.calls()
    test.kratos.session = { ...weak, authenticator_assurance_level: 'aal2' }
    expect(codeOf(await test.ask())).toBe('allowed')
    expect(codeOf(await test.ask())).toBe('allowed')
    expect(codeOf(await test.ask({}, open))).toBe('allowed')
    expect(test.calls()).toBe(calls + 1)
  })

  it('of a recent authentication ages with a session that is kept', async () => {
    await using test = await arrange({ require: { max_age: '1m' } }, { ...weak, authenticated_at: ago(MINUTE - 400) })
    expect(codeOf(await test.ask())).toBe('allowed')
    await expect.poll(async () => codeOf(await test.ask()), { timeout: 5000 }).toBe('session_refresh_required')
  })
})

describe('step_up', () => {
  const errors = {
    fallback: ['step_up', 'redirect', 'json'],
    handlers: {
      json: { enabled: true },
      redirect: { enabled: true, config: { to: '/login', when: [{ error: ['unauthorized'] }] } },
      step_up: { enabled: true, config: { to: 'https://id.example/self-service/login/browser?via=gw' } },
    },
  }
  const navigation = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'Sec-Fetch-Mode': 'navigate' }
  const url = 'http://gw.example/admin/x?page=2&next=https://evil.example/'

  it.each([
    [{ aal: 'aal2' }, { aal: 'aal2' }],
    [{ max_age: '1s' }, { refresh: 'true' }],
  ])('leads a navigation that lacks %j to the flow and back', async (require, parameters) => {
    await using test = await arrange({ require, errors }, weak)
    const { status, headers } = answerOf(await test.ask(navigation, url))
    const location = new URL(headers.find(([name]) => name === 'Location')?.[1] ?? '')
    expect(status).toBe(302)
    expect(location.origin + location.pathname).toBe('https://id.example/self-service/login/browser')
    expect(Object.fromEntries(location.searchParams)).toEqual({ ...parameters, via: 'gw', return_to: url })
    expect(headers).toContainEqual(['Cache-Control', 'no-store'])
  })

  it('does the same for the refusal of Kratos itself', async () => {
    const body = { error: { id: 'session_aal2_required' }, redirect_browser_to: 'https://elsewhere.example/' }
    await using test = await arrange({ require: {}, errors }, body)
    test.kratos.status = 403
    const { headers } = answerOf(await test.ask(navigation))
    expect(headers.find(([name]) => name === 'Location')?.[1]).toBe(
      'https://id.example/self-service/login/browser?aal=aal2&return_to=http%3A%2F%2Fgw.example%2Fx&via=gw',
    )
  })

  it.each([
    ['a script', { Accept: 'application/json, text/plain, */*' }, 'GET'],
    ['fetch of a page', { ...navigation, 'Sec-Fetch-Mode': 'cors' }, 'GET'],
    ['curl', { Accept: '*/*' }, 'GET'],
    ['a form', navigation, 'POST'],
  ])('leaves %s the JSON, untouched', async (_name, headers, method) => {
    const refusal = { error: { id: 'session_aal2_required', code: 403 }, redirect_browser_to: 'https://id.example/' }
    await using test = await arrange({ require: {}, errors }, refusal)
    test.kratos.status = 403
    const { status, body } = answerOf(await test.ask(headers, 'http://gw.example/x', method))
    expect(status).toBe(403)
    expect(JSON.parse(body)).toMatchObject(refusal)
  })

  it('has nothing to do with other refusals', async () => {
    await using test = await arrange(
      { require: { verified_addresses: ['email'] }, cache: { enabled: false }, errors },
      weak,
    )
    expect(answerOf(await test.ask(navigation)).status).toBe(403)
    test.kratos.status = 401
    expect(answerOf(await test.ask(navigation, 'http://open.example/')).headers).toContainEqual(['Location', '/login'])
    test.kratos.status = 500
    expect(answerOf(await test.ask(navigation)).status).toBe(503)
  })

  it('comes back to nowhere but here, whatever a client says about itself', async () => {
    await using test = await arrange({ require: { aal: 'aal2' }, errors }, weak)
    const decision = await test.ask({ ...navigation }, 'http://evil.example/x')
    expect(codeOf(decision)).toBe('rule_not_found')
    expect(answerOf(decision).headers.some(([name]) => name === 'Location')).toBe(false)
  })
})
