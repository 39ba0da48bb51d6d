/** Oathkeeper's cases of `oauth2_introspection`, and what its past faults teach, through a gateway. */
import { describe, expect, it } from 'vitest'
import { readIntrospection } from '../../../src/oauth2/introspection_answer.ts'
import type { Decision } from '../../../src/index.ts'
import { inboundOf } from '../../support/inbound.ts'
import { startService, type Service, type ServiceAnswer, type ServiceCall } from '../../support/service.ts'
import { vectors, type Vector } from '../../rules/vectors.ts'
import { allowed, loadRule, refused, resultOf, ruleOf, statusOf } from '../scenario.ts'
import { loadGateway, type TestGateway } from '../../support/gateway.ts'

const enabled = { oauth2_introspection: { enabled: true, config: { introspection_url: 'http://127.0.0.1:9/' } } }

const loadWith = (config: object, profile = 'oathkeeper'): Promise<TestGateway> =>
  loadRule({ authenticators: [{ handler: 'oauth2_introspection', config }] }, { profile, authenticators: enabled })

const bearer = (token: string) => inboundOf('http://some-host/x', { headers: { Authorization: `Bearer ${token}` } })

const json = (body: unknown, status = 200): ServiceAnswer => ({ status, body: JSON.stringify(body) })

const form = ({ body }: ServiceCall): object => Object.fromEntries(new URLSearchParams(body))

const active = (members: object = {}): ServiceAnswer => json({ active: true, sub: 'alice', ...members })

const inAnHour = (): number => Math.floor(Date.now() / 1000) + 3600

/** What a case expects of the call, with header names as node gives them. */
function inLowerCase(expected: Vector['expect']): object {
  const { introspection_request: call, ...rest } = expected as { readonly introspection_request?: Call }
  if (call === undefined) return rest
  const { absent_form: _absent, headers = {}, ...others } = call
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
  return { ...rest, introspection_request: { ...others, headers: Object.fromEntries(lower) as object } }
}

interface Call {
  readonly headers?: Readonly<Record<string, string>>
  readonly absent_form?: readonly string[]
}

/** Fields that a call must not have; one that none has, for the cases that name none. */
const absentForm = (expected: Vector['expect']): readonly string[] =>
  (expected['introspection_request'] as Call | undefined)?.absent_form ?? ['no such field']

describe('introspection', () => {
  interface Response {
    readonly status?: number
    readonly body?: unknown
    readonly headers?: Readonly<Record<string, string>>
    readonly transport_error?: boolean
  }
  interface Request {
    readonly method?: string
    readonly host?: string
    readonly query?: string
    readonly headers: Readonly<Record<string, string>>
  }

  it.each(vectors('introspection'))('$id', async ({ given, when, expect: expected }) => {
    const response = given['introspection_response'] as Response | null
    await using server = await startService(() =>
      response?.transport_error === true
        ? { broken: true }
        : {
            status: response?.status ?? 200,
            headers: response?.headers ?? {},
            body: JSON.stringify(response?.body ?? {}),
          },
    )
    const config = { ...(given['config'] as object), introspection_url: `${server.url}/oauth2/introspect` }
    await using test = await loadWith(config)
    const { method = 'GET', host = 'h', query = '', headers } = when['request'] as Request
    const decision = await test.gateway.decide(inboundOf(`http://${host}/x?${query}`, { method, headers }))
    const [call] = server.calls
    const seen = {
      ...resultOf(decision),
      ...(!decision.allowed && {
        reason: decision.error.reason,
        message: decision.error.message,
        error_headers: Object.fromEntries(decision.answer.headers),
      }),
      ...(call !== undefined && { introspection_request: { form: form(call), headers: call.headers } }),
    }
    expect(seen).toMatchObject(inLowerCase(expected))
    expect(Object.keys(call === undefined ? {} : form(call))).not.toEqual(
      expect.arrayContaining([...absentForm(expected)]),
    )
  })

  it.each(vectors('introspection_audience'))('$id', ({ when, expect: wanted }) => {
    const read = readIntrospection(JSON.stringify({ active: true, aud: when['json'] }))
    expect(read?.aud).toEqual(wanted['audience'])
  })

  it('an outage is not told as a refusal, and is tried again first', async () => {
    await using server = await startService((_, index) => (index === 0 ? { status: 503 } : active()))
    await using test = await loadWith({ introspection_url: server.url })
    expect(statusOf(await test.gateway.decide(bearer('t')))).toBe(200)
    expect(server.calls).toHaveLength(2)
  })

  it('gives up after the configured time', async () => {
    await using server = await startService(() => undefined)
    await using test = await loadWith({ introspection_url: server.url, retry: { give_up_after: '50ms' } })
    const { error } = refused(await test.gateway.decide(bearer('t')))
    expect(error).toMatchObject({
      code: 'introspection_failed',
      detail: 'the server did not answer in time',
      reason: undefined,
    })
  })

  it.each(['not JSON', '[]', '{"active":"yes"}', '{"active":true,"exp":"soon"}', '{"active":true,"ext":[]}'])(
    'an answer that is none is no answer: %s',
    async (body) => {
      await using server = await startService(() => ({ body }))
      await using test = await loadWith({ introspection_url: server.url })
      expect(refused(await test.gateway.decide(bearer('t'))).error.code).toBe('introspection_failed')
    },
  )

  it('a token without a subject is refused under `session_requirements: strict`', async () => {
    await using server = await startService(() => json({ active: true }))
    await using test = await loadWith({ introspection_url: server.url }, 'secure')
    expect(refused(await test.gateway.decide(bearer('t'))).error.reason).toBe('Access token has no subject')
  })

  it('the session ends with the token, and requests at the same time share one call', async () => {
    const exp = inAnHour()
    await using server = await startService(() => active({ exp }))
    await using test = await loadWith({ introspection_url: server.url })
    const decisions = await Promise.all([test.gateway.decide(bearer('t')), test.gateway.decide(bearer('t'))])
    expect(decisions.map((decision) => allowed(decision).session.expiresAt)).toEqual([exp * 1000, exp * 1000])
    expect(server.calls).toHaveLength(1)
  })
})

describe('introspection_cache', () => {
  const cache = { enabled: true }

  /** Rules `/0`, `/1`… of one gateway, with these settings; `ask` sends one token to one of them. */
  async function rules(
    server: Service,
    configs: readonly object[],
  ): Promise<TestGateway & { ask(rule: number, token?: string): Promise<Decision> }> {
    const on = { enabled: true }
    const test = await loadGateway({
      config: {
        authenticators: enabled,
        authorizers: { allow: on },
        mutators: { noop: on },
      },
      rules: configs.map((config, index) => ({
        ...ruleOf(
          {
            authenticators: [
              { handler: 'oauth2_introspection', config: { introspection_url: server.url, cache, ...config } },
            ],
          },
          `${index}`,
        ),
        match: { url: `http://some-host/${index}`, methods: ['GET'] },
      })),
    })
    return {
      ...test,
      ask: async (rule, token = 'same') =>
        test.gateway.decide(inboundOf(`http://some-host/${rule}`, { headers: { Authorization: `Bearer ${token}` } })),
    }
  }

  /** A server that knows one token, with these scopes; it compares scopes when it is sent some. */
  const authorizationServer = (members: object = {}): Promise<Service> =>
    startService((call) => {
      const { token, scope = '' } = form(call) as { readonly token: string; readonly scope?: string }
      return token === 'same' && scope !== 'scope-b'
        ? active({ iss: 'foo', scope: 'scope-a', ...members })
        : json({ active: false })
    })

  interface Case {
    readonly given: Readonly<Record<string, unknown>>
    readonly when: Readonly<Record<string, unknown>>
    readonly expect: { readonly server_called?: boolean; readonly ok?: boolean; readonly error_status?: number }
  }
  const cases = vectors('introspection_cache') as unknown as readonly (Case & { readonly id: string })[]

  it.each(cases.filter(({ given }) => 'cached_by' in given))('$id', async ({ given, when, expect: wanted }) => {
    await using server = await authorizationServer()
    const { token: _token, ...asked } = when
    const strategy = { scope_strategy: given['scope_strategy'] }
    const second = Object.fromEntries(Object.entries(asked).map(([name, value]) => [name, value ?? []]))
    await using test = await rules(server, [
      { ...strategy, ...(given['cached_by'] as object) },
      { ...strategy, ...second },
    ])
    expect(statusOf(await test.ask(0))).toBe(200)
    const decision = await test.ask(1)
    expect(statusOf(decision)).toBe(wanted.error_status ?? 200)
    const calls = { true: [2], false: [1], undefined: [1, 2] }[
      String(wanted.server_called) as 'true' | 'false' | 'undefined'
    ]
    expect(calls).toContain(server.calls.length)
  })

  it('introspection-cache-004: what is refused is not kept', async () => {
    await using server = await authorizationServer()
    await using test = await rules(server, [{ scope_strategy: 'wildcard' }])
    expect([statusOf(await test.ask(0, 'other')), statusOf(await test.ask(0, 'other'))]).toEqual([401, 401])
    expect(server.calls).toHaveLength(2)
  })

  it('introspection-cache-010: a kept answer ends with its token', async () => {
    // The answer is kept while the token lives, and looked at again when it has ended.
    const exp = Math.floor(Date.now() / 1000) + 2
    await using server = await authorizationServer({ exp })
    await using test = await rules(server, [{ scope_strategy: 'wildcard' }])
    expect(statusOf(await test.ask(0))).toBe(200)
    await expect.poll(async () => statusOf(await test.ask(0)), { timeout: 10_000, interval: 50 }).toBe(401)
    expect(server.calls).toHaveLength(1)
  })

  it('introspection-cache-012: another server is another question', async () => {
    await using first = await authorizationServer()
    await using second = await startService(() => json({ active: false }))
    await using test = await rules(first, [
      {},
      { introspection_url: second.url },
      { introspection_url: `${first.url}/other` },
    ])
    expect(statusOf(await test.ask(0))).toBe(200)
    expect(statusOf(await test.ask(1))).toBe(401)
    expect(statusOf(await test.ask(2))).toBe(200)
    expect(first.calls.map(({ url }) => url)).toEqual(['/', '/other'])
  })

  it('other headers, and another client, are another question', async () => {
    await using server = await startService(({ url }) =>
      url === '/token' ? json({ access_token: 'a', expires_in: 60 }) : active(),
    )
    const client = { enabled: true, client_id: 'a', client_secret: 'b', token_url: `${server.url}/token` }
    await using test = await rules(server, [
      {},
      { introspection_request_headers: { 'X-Tenant': 'b' } },
      { preserve_host: true },
      { pre_authorization: client },
    ])
    for (const rule of [0, 1, 2, 3]) expect(statusOf(await test.ask(rule))).toBe(200)
    expect(server.calls.filter(({ url }) => url === '/')).toHaveLength(4)
  })

  it('an answer is as old as it is, whichever rule asked for it', async () => {
    await using server = await authorizationServer()
    await using test = await rules(server, [
      { cache: { enabled: true, ttl: '1h' } },
      { cache: { enabled: true, ttl: '1ns' } },
    ])
    expect(statusOf(await test.ask(0))).toBe(200)
    expect(statusOf(await test.ask(0))).toBe(200)
    expect(server.calls).toHaveLength(1)
    expect(statusOf(await test.ask(1))).toBe(200)
    expect(server.calls).toHaveLength(2)
  })

  it('outlives a reload, and gives up what was used least', async () => {
    await using server = await startService(() => active())
    await using test = await rules(server, [{ cache: { enabled: true, max_cost: 2 } }])
    for (const token of ['a', 'b', 'a', 'c']) await test.ask(0, token)
    await test.gateway.reload()
    expect(server.calls).toHaveLength(3)
    await test.ask(0, 'a')
    await test.ask(0, 'c')
    expect(server.calls).toHaveLength(3)
    await test.ask(0, 'b')
    expect(server.calls).toHaveLength(4)
  })
})

describe('pre_authorization', () => {
  it.each(vectors('pre_authorization_config'))('$id', async ({ when, expect: wanted }) => {
    await using test = await loadWith({
      introspection_url: 'http://127.0.0.1:9/',
      pre_authorization: when['pre_authorization'],
    })
    expect(test.gateway.problems.some(({ severity }) => severity === 'error')).toBe(wanted['valid'] === false)
    expect(refused(await test.gateway.decide(bearer('t'))).error.code).toBe('rule_misconfigured')
  })

  const client = { enabled: true, client_id: 'the client', client_secret: 's:c', scope: ['a', 'b'], audience: 'api' }

  const load = (server: Service): Promise<TestGateway> =>
    loadWith({
      introspection_url: server.url,
      introspection_request_headers: { Authorization: 'Basic other' },
      pre_authorization: { ...client, token_url: `${server.url}/token` },
    })

  it('gets one token for all who ask at the same time, and uses it until it expires', async () => {
    await using server = await startService(({ url }) =>
      url === '/token' ? json({ access_token: 'own', token_type: 'bearer', expires_in: 3600 }) : active(),
    )
    await using test = await load(server)
    const decisions = await Promise.all(['a', 'b', 'c'].map(async (token) => test.gateway.decide(bearer(token))))
    expect(decisions.map(statusOf)).toEqual([200, 200, 200])
    expect(statusOf(await test.gateway.decide(bearer('d')))).toBe(200)
    const [tokenCall, ...calls] = server.calls
    expect(form(tokenCall!)).toEqual({ grant_type: 'client_credentials', scope: 'a b', audience: 'api' })
    expect(tokenCall?.headers.authorization).toBe(`Basic ${Buffer.from('the+client:s%3Ac').toString('base64')}`)
    expect(calls.map(({ url, headers }) => [url, headers.authorization])).toEqual(
      Array.from({ length: 4 }, () => ['/', 'Bearer own']),
    )
  })

  it('gets a new token when the old one is about to expire, or is no longer accepted', async () => {
    let tokens = 0
    await using server = await startService(({ url, headers }) => {
      if (url === '/token') return json({ access_token: `own-${++tokens}`, expires_in: tokens === 1 ? 5 : 3600 })
      return headers.authorization === 'Bearer own-2' ? json({}, 401) : active()
    })
    await using test = await load(server)
    const statuses = []
    for (const token of ['a', 'b', 'c', 'd']) statuses.push(statusOf(await test.gateway.decide(bearer(token))))
    expect(statuses).toEqual([200, 500, 200, 200])
    expect(tokens).toBe(3)
  })

  it.each([401, 429, 503])('a token endpoint that answers %i is no fault of the client', async (status) => {
    await using server = await startService(() => ({ status, headers: { 'retry-after': '60' } }))
    await using test = await load(server)
    const { error } = refused(await test.gateway.decide(bearer('t')))
    expect(error.code).toBe('introspection_failed')
    expect(server.calls).toHaveLength(1)
  })
})
