/** What the session store is asked for a cookie, and what its answers mean: Oathkeeper's cases, through the gateway. */
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../../src/pipeline/contract/decision.ts'
import type { Inbound } from '../../../src/pipeline/contract/inbound.ts'
import { startGateway } from '../../support/gateway.ts'
import { startServer } from '../../support/http_server.ts'
import { inboundOf } from '../../support/inbound.ts'
import { vectors, type Vector } from '../../rules/vectors.ts'
import { allowed, loadRule, refused, statusOf } from '../scenario.ts'
import { atStore, lastRequest, startStore, type StoreAnswer, type StoreRequest } from './store.ts'

interface Given {
  readonly config: object
  readonly store: StoreAnswer
}
interface ClientRequest {
  readonly method: string
  readonly path: string
  readonly query?: string
  readonly host?: string
  readonly headers: Record<string, string>
}

const givenOf = (vector: Vector): Given => vector.given as unknown as Given

function inboundFor({ when }: Vector): Inbound {
  const { method, path, query = '', host = 'client-host', headers } = when['request'] as ClientRequest
  return inboundOf(`http://${host}${path}?${query}`, { method, headers })
}

interface Asked {
  readonly decision: Decision
  readonly asked: ReturnType<typeof lastRequest> | undefined
  readonly storeUrl: string
}

async function ask(vector: Vector, inbound = inboundFor(vector), overrides: Partial<Given> = {}): Promise<Asked> {
  const { config, store: answer } = { ...givenOf(vector), ...overrides }
  await using store = await startStore(answer)
  await using test = await loadRule({
    authenticators: [{ handler: 'cookie_session', config: atStore(config, store) }],
  })
  const decision = await test.gateway.decide(inbound)
  return { decision, asked: store.requests.length === 0 ? undefined : lastRequest(store), storeUrl: store.url }
}

const lowerCased = (headers: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

describe('cookie_session_request_forwarding', () => {
  const wire = vectors('cookie_session_request_forwarding').filter((vector) => vector.given['unit'] === undefined)
  const units = vectors('cookie_session_request_forwarding').filter((vector) => vector.given['unit'] !== undefined)

  it.each(wire)('$id', async (vector) => {
    const inbound = inboundFor(vector)
    const before = [...inbound.headers.raw]
    const { decision, asked } = await ask(vector, inbound)
    const wanted = vector.expect['store_request'] as StoreRequest
    const { headers = {}, absent_headers: absent = [], host: _host, ...parts } = wanted
    expect(asked).toMatchObject({ ...parts, headers: lowerCased(headers) })
    for (const name of absent) expect(asked?.headers).not.toHaveProperty(name.toLowerCase())
    expect(inbound.headers.raw).toEqual(before)
    expect(allowed(decision).session).toMatchObject(vector.expect['session'] ?? {})
  })

  // The cases see the request before the Cookie header is added, which cookie_session always sends.
  it.each(units)('$id', async (vector) => {
    const { headers_exact: exact = {} } = vector.expect['store_request'] as StoreRequest
    const { headers: sent } = vector.when['request'] as ClientRequest
    const { asked } = await ask(vector, inboundFor(vector), { store: {} })
    expect(asked?.headers).toEqual(lowerCased({ ...exact, Cookie: sent['Cookie'] ?? '' }))
  })

  it('names the store as the host, not the client’s', async () => {
    await using store = await startStore({})
    const config = { check_session_url: store.url, preserve_host: true }
    await using test = await loadRule({ authenticators: [{ handler: 'cookie_session', config }] })
    await test.gateway.decide(inboundOf('http://tenant.example/', { headers: { Cookie: 'a=1' } }))
    expect(store.requests[0]?.headers).toMatchObject({
      host: store.url.replace('http://', ''),
      'x-forwarded-host': 'tenant.example',
    })
  })

  it('sends every line of a header that it forwards', async () => {
    await using store = await startStore({})
    const config = { check_session_url: store.url, forward_http_headers: ['X-Forwarded-For'] }
    await using test = await loadRule({ authenticators: [{ handler: 'cookie_session', config }] })
    const headers = { Cookie: ['a=1', 'b=2'], 'X-Forwarded-For': ['192.0.2.1', '10.0.0.1'] }
    await test.gateway.decide(inboundOf('http://h/', { headers }))
    expect(lastRequest(store).headers).toEqual({ cookie: 'a=1; b=2', 'x-forwarded-for': '192.0.2.1, 10.0.0.1' })
  })
})

describe('cookie_session_responsibility', () => {
  it.each(vectors('cookie_session_responsibility'))('$id', async (vector) => {
    const { decision, asked } = await ask(vector)
    expect(asked !== undefined).toBe(vector.expect['store_called'])
    expect(statusOf(decision)).toBe(vector.expect['result'] === 'ok' ? 200 : 401)
  })
})

describe('cookie_session_response', () => {
  /** Deliberate differences: an outage of the session store is never told as a refusal. */
  const differences: Readonly<Record<string, number>> = {
    'cookie-session-response-014': 503,
    'cookie-session-response-015': 503,
    'cookie-session-response-016': 503,
  }
  const cases = vectors('cookie_session_response')

  it.each(cases.filter(({ expect: wanted }) => 'session' in wanted))('$id', async (vector) => {
    expect(allowed((await ask(vector)).decision).session).toMatchObject(vector.expect['session'] as object)
  })

  it.each(cases.filter(({ expect: wanted }) => 'error_status' in wanted))('$id', async (vector) => {
    const { decision, storeUrl } = await ask(vector)
    const { error } = refused(decision)
    expect(error.status).toBe(differences[vector.id] ?? vector.expect['error_status'])
    expect(error.headers).toEqual(
      expect.arrayContaining(Object.entries((vector.expect['error_headers'] ?? {}) as Record<string, string>)),
    )
    expect(error.reason ?? '').toContain(vector.expect['reason_contains'] ?? '')
    expect(JSON.stringify([error.message, error.reason, error.detail])).not.toContain(storeUrl)
  })

  it.each(cases.filter(({ expect: wanted }) => 'response' in wanted))('$id', async (vector) => {
    const wanted = vector.expect['response'] as { status: number; headers: Record<string, string> }
    await using store = await startStore(givenOf(vector).store)
    await using listening = await startGateway({
      config: {
        authenticators: { cookie_session: { enabled: true, config: atStore(givenOf(vector).config, store) } },
        authorizers: { allow: { enabled: true } },
        mutators: { noop: { enabled: true } },
      },
      rules: [
        {
          id: 'limited',
          match: { url: `<.*>`, methods: ['GET'] },
          authenticators: [{ handler: 'cookie_session' }],
          authorizer: { handler: 'allow' },
          mutators: [{ handler: 'noop' }],
          errors: [{ handler: 'json' }],
          upstream: { url: 'http://127.0.0.1:9' },
        },
      ],
    })
    const { path, headers } = vector.when['request'] as ClientRequest
    const response = await fetch(listening.proxy + path, { headers })
    expect(response.status).toBe(wanted.status)
    for (const [name, value] of Object.entries(wanted.headers)) expect(response.headers.get(name)).toBe(value)
  })

  it('hands the cookies that the store renews to the client, whatever is decided', async () => {
    await using store = await startServer((request, response) => {
      const status = request.headers.cookie === 'session=good' ? 200 : 401
      response.writeHead(status, { 'set-cookie': 'session=new; HttpOnly' }).end('{"subject":"alice"}')
    })
    const config = { check_session_url: store.url }
    await using test = await loadRule({ authenticators: [{ handler: 'cookie_session', config }] })
    const askWith = (cookie: string) => test.gateway.decide(inboundOf('http://h/', { headers: { Cookie: cookie } }))
    expect(allowed(await askWith('session=good')).responseHeaders).toEqual([['Set-Cookie', 'session=new; HttpOnly']])
    expect(refused(await askWith('session=bad')).answer.headers).toContainEqual(['Set-Cookie', 'session=new; HttpOnly'])
  })
})
