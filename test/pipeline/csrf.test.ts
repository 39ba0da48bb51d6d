/** Whose page caused a request with a cookie, and what becomes of it when it was somebody else's. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../src/index.ts'
import { inboundOf } from '../support/inbound.ts'
import { startServer } from '../support/http_server.ts'
import { loadRule, statusOf } from './scenario.ts'

const cookie = { Cookie: 'ory_kratos_session=s' }

interface Sent {
  readonly method?: string
  readonly url?: string
  /** As the client spells it, when that is not as in the URL. */
  readonly host?: string
  readonly scheme?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What a rule with the guard decides about requests with the cookie, and how often the session store was asked. */
async function withGuard<Result>(
  csrf: object,
  use: (decide: (sent: Sent) => Promise<Decision>, asked: () => number) => Promise<Result>,
  authenticators: readonly object[] = [],
): Promise<Result> {
  await using store = await startServer((_request, response) => response.end('{"subject": "alice"}'))
  const config = { check_session_url: store.url, preserve_path: true, csrf }
  await using test = await loadRule({
    authenticators: [{ handler: 'cookie_session', config }, ...(authenticators as [])],
  })
  return await use(
    async ({ method = 'POST', url = 'http://gw.example/x', host, scheme, headers = {} }) => {
      const inbound = inboundOf(url, { method, headers: { ...cookie, ...headers } })
      return test.gateway.decide({ ...inbound, host: host ?? inbound.host, scheme: scheme ?? inbound.scheme })
    },
    () => store.requests.length,
  )
}

describe('where the request comes from', () => {
  it.each<[string, Sent, number]>([
    ['no word of it', {}, 200],
    ['the same origin', { headers: { 'Sec-Fetch-Site': 'same-origin' } }, 200],
    ['the address bar', { headers: { 'Sec-Fetch-Site': 'none' } }, 200],
    ['another site', { headers: { 'Sec-Fetch-Site': 'cross-site' } }, 403],
    ['another origin of the site', { headers: { 'Sec-Fetch-Site': 'same-site' } }, 403],
    ['a word that nobody knows', { headers: { 'Sec-Fetch-Site': 'x' } }, 403],
    ['an origin that is allowed', { headers: { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://app.example' } }, 200],
    ['an origin that is not', { headers: { Origin: 'https://evil.example' } }, 403],
    ['an origin that begins alike', { headers: { Origin: 'https://app.example.evil.example' } }, 403],
    ['an origin that ends alike', { headers: { Origin: 'https://evilapp.example' } }, 403],
    ['an origin with another port', { headers: { Origin: 'https://app.example:8443' } }, 403],
    ['an origin with another scheme', { headers: { Origin: 'http://app.example' } }, 403],
    ['a page without an origin', { headers: { Origin: 'null' } }, 403],
    ['an empty origin', { headers: { Origin: '' } }, 403],
    ['its own origin', { headers: { Origin: 'http://gw.example' } }, 200],
    ['its own origin, of TLS that ended before', { headers: { Origin: 'https://gw.example' } }, 200],
    [
      'its own origin with a port',
      { url: 'http://gw.example:4455/', headers: { Origin: 'http://gw.example:4455' } },
      200,
    ],
    [
      'its own host with another port',
      { url: 'http://gw.example:4455/', headers: { Origin: 'http://gw.example' } },
      403,
    ],
    ['its own origin over TLS', { url: 'https://gw.example/', headers: { Origin: 'https://gw.example' } }, 200],
    [
      'its own origin, with the port that it has anyway in Host',
      { url: 'https://gw.example/', host: 'GW.example:443', headers: { Origin: 'https://gw.example' } },
      200,
    ],
    ['its own host without TLS', { url: 'https://gw.example/', headers: { Origin: 'http://gw.example' } }, 403],
    [
      'its own host, as a proxy that is trusted knows it',
      { headers: { Origin: 'https://www.example', 'X-Forwarded-Host': 'www.example' } },
      200,
    ],
    ['another site, by a method that is safe', { method: 'GET', headers: { 'Sec-Fetch-Site': 'cross-site' } }, 200],
    ['another site, by one that is not', { method: 'DELETE', headers: { 'Sec-Fetch-Site': 'cross-site' } }, 403],
  ])('%s', async (_, sent, status) => {
    await withGuard({ allowed_origins: ['https://app.example'] }, async (decide, asked) => {
      const decision = await decide(sent)
      expect(statusOf(decision)).toBe(status)
      expect(decision.allowed ? undefined : decision.error.code).toBe(status === 200 ? undefined : 'cross_site_request')
      expect(asked()).toBe(status === 200 ? 1 : 0)
    })
  })

  it('whatever the origin, no other than those named counts', async () => {
    const origins = ['https://app.example', 'http://localhost:3000']
    await withGuard({ allowed_origins: origins }, async (decide) => {
      const part = fc.constantFrom(
        'https://',
        'http://',
        'app.example',
        'localhost',
        ':3000',
        '.',
        'evil',
        'null',
        '/',
        '@',
        ' ',
      )
      await fc.assert(
        fc.asyncProperty(fc.array(part, { maxLength: 5 }), async (parts) => {
          const origin = parts.join('')
          const own = ['http://gw.example', 'https://gw.example', ...origins].includes(origin)
          expect(statusOf(await decide({ headers: { Origin: origin } }))).toBe(own ? 200 : 403)
        }),
        { numRuns: 300 },
      )
    })
  })
})

describe('a WebSocket handshake', () => {
  const foreign = { Origin: 'https://evil.example' }

  it.each<[string, Record<string, string>]>([
    ['by its key', { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' }],
    ['by the protocol it asks for', { Connection: 'Upgrade', Upgrade: 'foo, WebSocket' }],
    ['by what the browser says of it', { 'Sec-Fetch-Mode': 'websocket' }],
  ])('is known %s, and safe for no other site', async (_, headers) => {
    await withGuard({ allowed_origins: ['https://app.example'] }, async (decide, asked) => {
      const refused = await decide({ method: 'GET', headers: { ...headers, ...foreign } })
      expect(refused.allowed ? undefined : refused.error.code).toBe('cross_site_request')
      expect(asked()).toBe(0)
      const bySite = { ...headers, 'Sec-Fetch-Site': 'cross-site' }
      expect(statusOf(await decide({ method: 'GET', headers: bySite }))).toBe(403)
      for (const Origin of ['https://app.example', 'https://gw.example']) {
        expect(statusOf(await decide({ method: 'GET', headers: { ...headers, Origin } }))).toBe(200)
      }
      expect(statusOf(await decide({ method: 'GET', headers }))).toBe(200)
    })
  })

  it.each<[string, string, number]>([
    ['ws', 'https://evil.example', 403],
    ['wss', 'https://evil.example', 403],
    ['ws', 'http://gw.example', 200],
    ['wss', 'https://gw.example', 200],
    ['wss', 'http://gw.example', 403],
  ])('is known by the scheme %s; of a page of %s: %d', async (scheme, Origin, status) => {
    await withGuard({}, async (decide) => {
      expect(statusOf(await decide({ method: 'GET', scheme, headers: { Origin } }))).toBe(status)
    })
  })

  it('is none for any other protocol', async () => {
    await withGuard({}, async (decide) => {
      const headers = { Upgrade: 'h2c', 'Sec-Fetch-Mode': 'navigate', ...foreign }
      expect(statusOf(await decide({ method: 'GET', headers }))).toBe(200)
    })
  })
})

describe('what the request brings', () => {
  it.each<[string, Record<string, string>, number]>([
    ['a type that is allowed', { 'Content-Type': 'application/json', 'Content-Length': '2' }, 200],
    ['the same with a parameter, in another case', { 'Content-Type': 'Application/JSON; charset=utf-8' }, 200],
    ['a type that a form has', { 'Content-Type': 'text/plain', 'Content-Length': '2' }, 403],
    ['a form’s type with the allowed one in it', { 'Content-Type': 'text/plain; application/json' }, 403],
    ['two types', { 'Content-Type': 'application/json, text/plain' }, 403],
    ['no type', { 'Content-Length': '2' }, 403],
    ['no type, in chunks', { 'Transfer-Encoding': 'chunked' }, 403],
    ['an empty type', { 'Content-Type': '' }, 403],
    ['no body', {}, 200],
    ['an empty body', { 'Content-Length': '0' }, 200],
  ])('%s', async (_, headers, status) => {
    await withGuard({ content_types: ['application/json'] }, async (decide) => {
      expect(statusOf(await decide({ headers }))).toBe(status)
    })
  })
})

describe('the guard', () => {
  const foreign = { 'Sec-Fetch-Site': 'cross-site' }

  it('takes no method for safe when none is named', async () => {
    await withGuard({ safe_methods: [] }, async (decide) => {
      expect(statusOf(await decide({ method: 'GET', headers: foreign }))).toBe(403)
    })
  })

  it('can be taken off', async () => {
    await withGuard({ enabled: false }, async (decide) =>
      expect(statusOf(await decide({ headers: foreign }))).toBe(200),
    )
  })

  it('leaves a request without the cookie to others, and hands a refusal on where the rule says so', async () => {
    await using test = await loadRule({
      authenticators: [
        { handler: 'cookie_session', config: { csrf: {} }, on_error: 'next' } as never,
        { handler: 'anonymous' },
      ],
    })
    const decision = await test.gateway.decide(
      inboundOf('http://h/', { method: 'POST', headers: { ...cookie, ...foreign } }),
    )
    expect(decision).toMatchObject({ allowed: true, session: { subject: 'anonymous' } })
  })

  it('guards other tokens in cookies, and warns where there is no cookie to guard', async () => {
    const config = (from: object) => ({ check_session_url: 'http://127.0.0.1:9/', csrf: {}, token_from: from })
    await using inCookie = await loadRule({
      authenticators: [{ handler: 'bearer_token', config: config({ cookie: 'token' }) }],
    })
    const headers = { Cookie: 'token=t', ...foreign }
    expect(statusOf(await inCookie.gateway.decide(inboundOf('http://h/', { method: 'POST', headers })))).toBe(403)
    await using inHeader = await loadRule({
      authenticators: [{ handler: 'bearer_token', config: config({ header: 'X-Token' }) }],
    })
    expect(inHeader.gateway.problems).toContainEqual(
      expect.objectContaining({
        severity: 'warning',
        message: '"csrf" has no effect on a token that comes in no cookie',
      }),
    )
    const token = { 'X-Token': 't', ...foreign }
    expect(statusOf(await inHeader.gateway.decide(inboundOf('http://h/', { method: 'POST', headers: token })))).toBe(
      503,
    )
  })

  it.each([
    'https://app.example/',
    'app.example',
    'https://*.example',
    'HTTPS://app.example',
    'null',
    'https://app.example:443',
  ])('does not load with the origin %j', async (origin) => {
    await using test = await loadRule({
      authenticators: [{ handler: 'cookie_session', config: { csrf: { allowed_origins: [origin] } } }],
    })
    expect(test.gateway.problems).toContainEqual(
      expect.objectContaining({ severity: 'error', message: expect.stringContaining('must be an origin') as unknown }),
    )
  })
})
