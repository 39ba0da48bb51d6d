/** Where a token is looked for and what the session store is asked for it: Oathkeeper's cases, through the gateway. */
import { describe, expect, it } from 'vitest'
import { inboundOf } from '../../support/inbound.ts'
import { startGateway } from '../../support/gateway.ts'
import { startRecorder } from '../../support/recorder.ts'
import { vectors, type Vector } from '../../rules/vectors.ts'
import type { TestServer } from '../../support/http_server.ts'
import { loadRule, resultOf } from '../scenario.ts'
import { atStore, lastRequest, startStore, type StoreAnswer, type StoreRequest } from './store.ts'

interface ClientRequest {
  readonly method?: string
  readonly path?: string
  readonly query?: string
  readonly headers: Record<string, string>
  readonly body?: string
}

const inboundFor = ({ method = 'GET', path = '', query = '', headers }: ClientRequest) =>
  inboundOf(`http://client-host${path}?${query}`, { method, headers })

const lowerCased = (headers: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

describe('bearer_token_location', () => {
  const ask = async ({ given, when }: Vector) => {
    const end = new Date(Date.now() + 60_000).toISOString()
    await using store = await startStore({ body: { sub: 'alice', active: true, expires_at: end } })
    const config = { check_session_url: store.url, token_from: given['token_from'] }
    await using test = await loadRule({ authenticators: [{ handler: 'bearer_token', config }] }, { profile: 'secure' })
    const decision = await test.gateway.decide(inboundFor(when as unknown as ClientRequest))
    return { result: resultOf(decision), asked: store.requests.length === 0 ? [] : [lastRequest(store).headers] }
  }
  const cases = vectors('bearer_token_location')

  it.each(cases.filter(({ expect: wanted }) => wanted['token'] === ''))('$id: none', async (vector) => {
    expect(await ask(vector)).toEqual({ result: { result: 'not_responsible' }, asked: [] })
  })

  // The profile `secure` sends the token that was found and nothing else, which shows what was found.
  it.each(cases.filter(({ expect: wanted }) => wanted['token'] !== ''))('$id', async (vector) => {
    const { result, asked } = await ask(vector)
    expect(result).toMatchObject({ session: { subject: 'alice' } })
    const sent = asked.flatMap((headers) => Object.values(headers))
    expect(sent).toEqual([expect.stringMatching(new RegExp(`^(Bearer )?${String(vector.expect['token'])}$`))])
  })

  it('hands the store a token from anywhere else as X-Session-Token', async () => {
    await using store = await startStore({ body: {} })
    const config = { check_session_url: store.url, token_from: { cookie: 'token' } }
    await using test = await loadRule({ authenticators: [{ handler: 'bearer_token', config }] }, { profile: 'secure' })
    await test.gateway.decide(inboundOf('http://h/', { headers: { Cookie: 'token=ory_st_x; other=1' } }))
    expect(lastRequest(store).headers).toEqual({ 'x-session-token': 'ory_st_x' })
  })
})

describe('bearer_token', () => {
  /** Deliberate differences: an outage of the session store is never told as a refusal. */
  const differences: Readonly<Record<string, number>> = { 'bearer-token-022': 503 }

  const cases = vectors('bearer_token')
  const isOther = ({ expect: wanted }: Vector): boolean => wanted['result'] === 'not_responsible'
  const isForm = ({ expect: wanted }: Vector): boolean => wanted['upstream_receives_body'] === true

  const ask = async ({ given, when }: Vector, store: TestServer) => {
    const config = atStore(given['config'] as object, store)
    await using test = await loadRule({ authenticators: [{ handler: 'bearer_token', config }] })
    return resultOf(await test.gateway.decide(inboundFor(when['request'] as ClientRequest)))
  }

  it.each(cases.filter(isOther))('$id: not responsible', async (vector) => {
    await using store = await startStore(vector.given['store'] as StoreAnswer)
    expect(await ask(vector, store)).toEqual({ result: 'not_responsible' })
    expect(store.requests).toHaveLength(0)
  })

  it.each(cases.filter((vector) => !isOther(vector) && !isForm(vector)))('$id', async (vector) => {
    const { id, given, expect: wanted } = vector
    await using store = await startStore(given['store'] as StoreAnswer)
    const { store_request: request = {}, error_status: status, session = {} } = wanted
    const result = status === undefined ? { session } : { error_status: differences[id] ?? status }
    expect(await ask(vector, store)).toMatchObject(result)
    const {
      headers,
      absent_headers: absent = [],
      content_length: _length,
      body: _body,
      ...parts
    } = request as StoreRequest
    const asked = lastRequest(store)
    expect(asked).toMatchObject({ ...parts, headers: lowerCased(headers) })
    // A request with a body says so in one of these.
    expect(asked.headers['content-length'] ?? '0').toBe('0')
    for (const name of [...absent, 'transfer-encoding']) {
      expect(asked.headers).not.toHaveProperty(name.toLowerCase())
    }
  })

  it.each(cases.filter(isForm))(
    '$id: the upstream gets the body, the store does not',
    async ({ given, when, expect: wanted }) => {
      await using store = await startStore(given['store'] as StoreAnswer)
      const upstream = await startRecorder()
      const { method = '', path = '', query = '', headers, body = '' } = when['request'] as ClientRequest
      await using listening = await startGateway({
        config: {
          authenticators: { bearer_token: { enabled: true, config: atStore(given['config'] as object, store) } },
          authorizers: { allow: { enabled: true } },
          mutators: { noop: { enabled: true } },
        },
        rules: [
          {
            id: 'form',
            match: { url: '<.*>', methods: ['POST'] },
            authenticators: [{ handler: 'bearer_token' }],
            authorizer: { handler: 'allow' },
            mutators: [{ handler: 'noop' }],
            upstream: { url: upstream.origin },
          },
        ],
      })
      const response = await fetch(`${listening.proxy}${path}?${query}`, { method, headers, body })
      expect(response.status).toBe(wanted['response_status'])
      expect(upstream.requests[0]?.body.toString()).toBe(body)
      expect(lastRequest(store)).toMatchObject(wanted['store_request'] as object)
      expect(lastRequest(store).headers).not.toHaveProperty('content-type')
      await upstream.close()
    },
  )
})
