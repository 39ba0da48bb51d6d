/** Oathkeeper's cases of `oauth2_client_credentials`, through a gateway. */
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../../src/index.ts'
import { inboundOf } from '../../support/inbound.ts'
import type { TestGateway } from '../../support/gateway.ts'
import { startService, type ServiceAnswer, type ServiceCall } from '../../support/service.ts'
import { vectors } from '../../rules/vectors.ts'
import { loadRule, refused, resultOf, statusOf } from '../scenario.ts'

const enabled = { oauth2_client_credentials: { enabled: true, config: { token_url: 'http://127.0.0.1:9/' } } }

const loadWith = (config: object): Promise<TestGateway> =>
  loadRule({ authenticators: [{ handler: 'oauth2_client_credentials', config }] }, { authenticators: enabled })

const basic = (user: string, password: string) =>
  inboundOf('http://h/x', {
    headers: { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` },
  })

/** The id and the secret that a token endpoint was sent. */
function decodedBasic({ headers }: ServiceCall): (string | null)[] {
  const [, encoded = ''] = (headers.authorization ?? '').split(' ')
  const parts = Buffer.from(encoded, 'base64').toString().split(':')
  return parts.map((part) => new URLSearchParams(`x=${part}`).get('x'))
}

const granted: ServiceAnswer = { body: JSON.stringify({ access_token: 't', expires_in: 3600 }) }

describe('oauth2_client_credentials', () => {
  interface Answer {
    readonly status?: number
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: unknown
  }
  const serviceAnswer = ({ status = 200, headers = {}, body = { access_token: 't' } }: Answer): ServiceAnswer => ({
    status,
    headers,
    body: JSON.stringify(body),
  })

  const cases = vectors('oauth2_client_credentials')

  const asked = cases.filter(({ given }) => (given['token_endpoint'] as { note?: string } | null)?.note === undefined)

  it.each(asked)('$id', async ({ given, when, expect: wanted }) => {
    const endpoint = (given['token_endpoint'] ?? {}) as Answer & { readonly calls?: readonly Answer[] }
    await using server = await startService((_, index) => serviceAnswer(endpoint.calls?.[index] ?? endpoint))
    const retry = { give_up_after: '5s', max_delay: '1ms' }
    await using test = await loadWith({ ...(given['config'] as object), token_url: server.url, retry })
    const credentials = when['basic_auth'] as readonly [string, string] | null
    const ask = async (): Promise<Decision> =>
      test.gateway.decide(credentials === null ? inboundOf('http://h/x') : basic(...credentials))
    const decision = await ask()
    const seen = {
      ...resultOf(decision),
      ...(!decision.allowed && {
        message: decision.error.message,
        error_headers: Object.fromEntries(decision.answer.headers),
      }),
      ...(server.calls[0] !== undefined && { token_request: { basic_auth_decoded: decodedBasic(server.calls[0]) } }),
      ...('second_request' in wanted && {
        second_request: (await ask()).allowed && server.calls.length === 1 ? 'ok from cache' : 'asked again',
      }),
    }
    expect(seen).toMatchObject(wanted)
  })

  it('oauth2-client-credentials-011: each token endpoint is asked for itself, and so is each client', async () => {
    await using server = await startService(({ headers }) =>
      headers.authorization === `Basic ${Buffer.from('c:s').toString('base64')}` ? granted : { status: 401 },
    )
    const handler = 'oauth2_client_credentials'
    const cache = { enabled: true, ttl: '1h' }
    for (const path of ['/a', '/b']) {
      await using test = await loadRule(
        { authenticators: [{ handler, config: { token_url: server.url + path, cache } }] },
        { authenticators: enabled },
      )
      expect(statusOf(await test.gateway.decide(basic('c', 's')))).toBe(200)
      expect(statusOf(await test.gateway.decide(basic('c', 's')))).toBe(200)
      expect(statusOf(await test.gateway.decide(basic('c', 'other')))).toBe(401)
    }
    expect(server.calls.map(({ url }) => url)).toEqual(['/a', '/a', '/b', '/b'])
  })

  it.each([
    [502, 'token_endpoint_unavailable', 503],
    [503, 'token_endpoint_unavailable', 503],
    [302, 'token_endpoint_unavailable', 503],
    [400, 'credentials_invalid', 401],
    [401, 'credentials_invalid', 401],
  ])('a token endpoint that answers %i: %s', async (status, code, seen) => {
    await using server = await startService(() => ({ status }))
    await using test = await loadWith({ token_url: server.url, retry: { max_delay: '1ms' } })
    const decision = refused(await test.gateway.decide(basic('c', 's')))
    expect([decision.error.code, decision.answer.status]).toEqual([code, seen])
  })

  it.each([
    ['{}', 'credentials_invalid'],
    ['{"access_token":""}', 'credentials_invalid'],
    ['{"access_token":7}', 'token_endpoint_unavailable'],
    ['<html>', 'token_endpoint_unavailable'],
    ['null', 'token_endpoint_unavailable'],
  ])('a grant of %s: %s', async (body, code) => {
    await using server = await startService(() => ({ body }))
    await using test = await loadWith({ token_url: server.url })
    expect(refused(await test.gateway.decide(basic('c', 's'))).error.code).toBe(code)
  })

  it('a token endpoint that does not answer is an outage, and names no address', async () => {
    await using server = await startService(() => ({ broken: true }))
    await using test = await loadWith({ token_url: server.url, retry: { max_delay: '1ms' } })
    const { error } = refused(await test.gateway.decide(basic('c', 's')))
    expect(error).toMatchObject({ code: 'token_endpoint_unavailable', reason: undefined })
    expect(error.detail).not.toContain('127.0.0.1')
  })

  it.each(['Bearer eDp5', 'Basic', 'Basic eDp5!', 'Basic eA==', 'Basic eDp5 '])(
    '%j holds no credentials',
    async (Authorization) => {
      await using server = await startService(() => granted)
      await using test = await loadWith({ token_url: server.url })
      await test.gateway.decide(inboundOf('http://h/x', { headers: { Authorization } }))
      expect(server.calls).toHaveLength(0)
    },
  )

  it('a client that was verified is asked for again when its token has ended', async () => {
    let now = 0
    await using server = await startService(() => ({ body: JSON.stringify({ access_token: 't', expires_in: 0.05 }) }))
    await using test = await loadWith({ token_url: server.url, cache: { enabled: true, ttl: '1h' } })
    expect(statusOf(await test.gateway.decide(basic('c', 's')))).toBe(200)
    await expect
      .poll(
        async () => {
          now = statusOf(await test.gateway.decide(basic('c', 's')))
          return server.calls.length
        },
        { timeout: 10_000 },
      )
      .toBeGreaterThan(1)
    expect(now).toBe(200)
  })
})
