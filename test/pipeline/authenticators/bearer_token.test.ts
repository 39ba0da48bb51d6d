/** Where a token is looked for and what the session store is asked for it: Oathkeeper's cases, through the gateway. */
import { describe, expect, it } from 'vitest'
import { inboundOf } from '../../support/inbound.ts'
import { startGateway } from '../../support/gateway.ts'
import { startRecorder } from '../../support/recorder.ts'
import { vectors } from '../../rules/vectors.ts'
import { allowed, loadRule, refused } from '../scenario.ts'
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
  // The profile `secure` sends the token that was found and nothing else, which shows what was found.
  it.each(vectors('bearer_token_location'))('$id', async ({ given, when, expect: wanted }) => {
    const end = new Date(Date.now() + 60_000).toISOString()
    await using store = await startStore({ body: { sub: 'alice', active: true, expires_at: end } })
    const config = { check_session_url: store.url, token_from: given['token_from'] }
    await using test = await loadRule({ authenticators: [{ handler: 'bearer_token', config }] }, { profile: 'secure' })
    const decision = await test.gateway.decide(inboundFor(when as unknown as ClientRequest))
    if (wanted['token'] === '') {
      expect(refused(decision).error.detail).toBe('no authenticator of the rule is responsible')
      expect(store.requests).toHaveLength(0)
    } else {
      expect(allowed(decision).session.subject).toBe('alice')
      const { authorization, ...others } = lastRequest(store).headers
      expect([authorization, ...Object.values(others)].filter((value) => value !== undefined)).toEqual([
        expect.stringMatching(new RegExp(`^(Bearer )?${wanted['token'] as string}$`)),
      ])
    }
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

  it.each(vectors('bearer_token').filter(({ expect: wanted }) => wanted['upstream_receives_body'] === undefined))(
    '$id',
    async ({ id, given, when, expect: wanted }) => {
      await using store = await startStore(given['store'] as StoreAnswer)
      const config = atStore(given['config'] as object, store)
      await using test = await loadRule({ authenticators: [{ handler: 'bearer_token', config }] })
      const decision = await test.gateway.decide(inboundFor(when['request'] as ClientRequest))
      if (wanted['result'] === 'not_responsible') {
        expect(refused(decision).error.detail).toBe('no authenticator of the rule is responsible')
        expect(store.requests).toHaveLength(0)
        return
      }
      if (wanted['error_status'] === undefined) {
        expect(allowed(decision).session).toMatchObject((wanted['session'] ?? {}) as object)
      } else expect(refused(decision).error.status).toBe(differences[id] ?? wanted['error_status'])
      const {
        headers,
        absent_headers: absent,
        content_length: length,
        body,
        ...parts
      } = (wanted['store_request'] ?? {}) as StoreRequest
      const asked = lastRequest(store)
      expect(asked).toMatchObject({ ...parts, headers: lowerCased(headers) })
      for (const name of absent ?? []) expect(asked.headers).not.toHaveProperty(name.toLowerCase())
      // A request with a body says so in one of these.
      expect(asked.headers['content-length'] ?? '0').toBe(String(length ?? 0))
      expect(asked.headers).not.toHaveProperty('transfer-encoding')
      expect(body ?? '').toBe('')
    },
  )

  it.each(vectors('bearer_token').filter(({ expect: wanted }) => wanted['upstream_receives_body'] === true))(
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
