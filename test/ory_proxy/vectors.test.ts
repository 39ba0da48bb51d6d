/** What `ory proxy` does, by the cases of test/vectors/kratos.json; and what is deliberately done otherwise. */
import { readFileSync } from 'node:fs'
import type { JSONWebKeySet } from 'jose'
import { describe, expect, it } from 'vitest'
import { folder, spawnCli } from '../cli/run.ts'
import { sendRaw } from '../support/raw-client.ts'
import { answer, get, good, type OryProxyInput, session, startOryProxy } from './stack.ts'

interface Vector {
  readonly id: string
  readonly group: string
  readonly given: Readonly<Record<string, unknown>>
  readonly expect: Readonly<Record<string, unknown>>
}

const vectors = (
  JSON.parse(readFileSync(new URL('../vectors/kratos.json', import.meta.url), 'utf8')) as readonly Vector[]
).filter(({ group }) => group === 'ory_proxy')

/** Each of them is described in docs/ory-proxy.md; what is done instead has a test below where it is a behaviour. */
const differences: Readonly<Record<string, string>> = {
  'proxy/route-prefix-is-not-segment-aware': '/.oryx is the application’s: the prefix ends where a path segment ends',
  'proxy/no-session-authorization-untouched': 'a client’s own Authorization would pass for an identity',
  'proxy/whoami-call': 'one credential is sent, in Kratos’ order; an outage is no missing session',
  'proxy/body-rewrite-gzip': 'Kratos is asked for uncompressed bodies, so that they stream through',
  'proxy/ory-headers-to-ory': 'a self-hosted Kratos knows no such headers and there is no project API key',
  'proxy/rate-limit-client-value-passes-to-ory': 'a header that lifts limits is nobody’s to send but the operator’s',
  'proxy/original-scheme-from-header': 'X-Forwarded-* of clients are not believed; the publish-url says it',
  'proxy/server-timeouts': 'limits are on idleness, so that streams are not cut',
  'proxy/network-only': 'a self-hosted Kratos is what this is for',
}

/** With a Host that fetch does not let a script set. */
const withHost = (port: number, path: string, host: string): Promise<unknown> =>
  sendRaw(port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)

/** What a client gets of an answer of Kratos, in which $kratos stands for its own origin. */
async function relayedResponse(input: OryProxyInput, path: string, response: string) {
  await using proxy = await startOryProxy(input)
  proxy.kratos.respond = () => response.replaceAll('$kratos', proxy.kratos.origin)
  return { relayed: await get(proxy.url + path), url: proxy.url }
}

const checks: Readonly<Record<string, (vector: Vector) => Promise<void>>> = {
  async 'proxy/default-port'({ expect: { port, publish_url: publish } }) {
    expect(port).toBe(4000)
    // Nobody's port is taken by a test: what the port is for is seen at the origin that may read answers.
    const files = folder()
    const config = files.write('port.json', { serve: { proxy: { port: 0 } } })
    const running = spawnCli(['proxy', 'http://127.0.0.1:9', '--kratos', 'http://127.0.0.1:9', '-c', config])
    try {
      const [, own = ''] = await running.errMatching(/proxy {4}(http:\S+)/)
      const response = await fetch(`${own}/x`, {
        method: 'OPTIONS',
        headers: { origin: String(publish), 'access-control-request-method': 'GET' },
      })
      expect(response.headers.get('access-control-allow-origin')).toBe(publish)
    } finally {
      running.child.kill('SIGINT')
      await running.ended
      files[Symbol.dispose]()
    }
  },

  async 'proxy/port-from-env'() {
    // Two processes: the second one finds that the port of its environment is the first one's.
    const args = ['proxy', 'http://127.0.0.1:9', '--kratos', 'http://127.0.0.1:9']
    const first = spawnCli([...args, '--port', '0'], { PORT: '1' })
    try {
      const [, port = ''] = await first.errMatching(/proxy {4}http:\/\/127\.0\.0\.1:(\d+)/)
      const { exitCode, err } = await spawnCli(args, { PORT: port }).ended
      expect(exitCode).toBe(1)
      expect(err).toContain(`Cannot listen on 127.0.0.1:${port}: another program listens there`)
    } finally {
      first.child.kill('SIGINT')
      await first.ended
    }
  },

  async 'proxy/route-prefix-to-ory'({ given, expect: { upstream_path: path } }) {
    await using proxy = await startOryProxy()
    expect(await (await get(proxy.url + String(given['path']))).text()).toBe('kratos')
    expect(proxy.kratos.requests.map(({ target }) => target)).toEqual([path])
    expect(proxy.app.requests).toEqual([])
  },

  async 'proxy/route-other-to-app'({ given, expect: { upstream_path: path } }) {
    await using proxy = await startOryProxy()
    await get(proxy.url + String(given['path']))
    expect(proxy.app.requests.map(({ target }) => target)).toEqual([path])
  },

  async 'proxy/no-session-no-header'() {
    await using proxy = await startOryProxy()
    await get(proxy.url, { cookie: 'ory_kratos_session=ended' })
    expect(proxy.app.requests[0]!.all('authorization')).toEqual([])
  },

  async 'proxy/no-jwt-under-prefix'({ given }) {
    await using proxy = await startOryProxy()
    const response = await get(proxy.url + String(given['path']), { cookie: good.cookie })
    expect(await response.json()).toEqual(session)
    expect(proxy.kratos.requests).toHaveLength(1)
    expect(proxy.kratos.requests[0]!.all('authorization')).toEqual([])
    expect(proxy.kratos.requests[0]!.all('cookie')).toEqual([good.cookie])
  },

  async 'proxy/jwks-.ory-proxy-jwks.json'({ expect: { private_members_absent: secret } }) {
    await using proxy = await startOryProxy()
    for (const path of ['/.ory/proxy/jwks.json', '/.ory/jwks.json']) {
      const response = await get(proxy.url + path)
      expect(response.status).toBe(200)
      const { keys } = (await response.json()) as JSONWebKeySet
      const some = expect.any(String) as string
      expect(keys).toEqual([{ use: 'sig', kty: 'EC', kid: some, crv: 'P-256', alg: 'ES256', x: some, y: some }])
      for (const member of secret as readonly string[]) expect(keys[0]).not.toHaveProperty(member)
    }
    expect([proxy.kratos.requests, proxy.app.requests]).toEqual([[], []])
  },

  async 'proxy/cors-expose-kept'({ given }) {
    await using proxy = await startOryProxy({ settings: { allowedCorsOrigins: ['https://app.example'] } })
    const [[name, value]] = Object.entries(given['upstream_headers'] as Record<string, string>) as [[string, string]]
    proxy.app.respond = () =>
      answer('200 OK', '', 'text/plain', `${name}: ${value}`, 'Access-Control-Allow-Origin: https://other.example')
    const { headers } = await get(proxy.url, { origin: 'https://app.example' })
    expect(headers.get(name)?.split(', ')).toContain(value)
    expect(headers.get('access-control-allow-origin')).toBe('https://app.example')
  },

  async 'proxy/cors-options'({ expect: expected }) {
    await using proxy = await startOryProxy({ settings: { allowedCorsOrigins: ['*'] } })
    const lists = expected as Readonly<Record<'methods' | 'request_headers' | 'exposed', readonly string[]>>
    const preflight = (method: string, names: string): Promise<Response> =>
      fetch(proxy.url, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://any.example',
          'access-control-request-method': method,
          'access-control-request-headers': names,
        },
      })
    for (const method of lists.methods) {
      const { headers } = await preflight(method, lists.request_headers.join(',').toLowerCase())
      expect(headers.get('access-control-allow-origin')).toBe('https://any.example')
      expect(headers.get('access-control-allow-credentials')).toBe('true')
      expect(headers.get('access-control-max-age')).toBeNull()
    }
    expect((await preflight('GET', 'x-other')).headers.get('access-control-allow-origin')).toBeNull()
    const { headers } = await get(proxy.url, { origin: 'https://any.example' })
    expect(headers.get('access-control-expose-headers')?.split(', ').sort()).toEqual([...lists.exposed].sort())
  },

  async 'proxy/welcome-redirect'({ given, expect: { location } }) {
    const settings = {
      publishUrl: 'http://localhost:4000',
      defaultRedirectUrl: String(given['default_redirect']),
    }
    const response = answer('303 See Other', '', 'text/plain', `Location: ${String(given['upstream_location'])}`)
    const { relayed } = await relayedResponse({ settings }, '/.ory/self-service/login', response)
    expect(relayed.headers.get('location')).toBe(location)
  },

  async 'proxy/location-own-host-rewritten'({ expect: { location } }) {
    const response = answer('303 See Other', '', 'text/plain', 'Location: $kratos/ui/login?flow=1')
    const { relayed, url } = await relayedResponse({}, '/.ory/x', response)
    expect(relayed.headers.get('location')).toBe(String(location).replace('http://localhost:4000', url))
  },

  async 'proxy/cookie-domain-http'({ given }) {
    const response = answer('200 OK', '', 'text/plain', `Set-Cookie: ${String(given['set_cookie'])}`)
    const { relayed } = await relayedResponse({}, '/.ory/x', response)
    expect(relayed.headers.getSetCookie()).toEqual(['s=1; Path=/; HttpOnly; SameSite=Lax'])
  },

  async 'proxy/cookie-domain-https'({ given }) {
    // By a name that ends TLS elsewhere; --cookie-domain has lost its port on the command line.
    const settings = { publishUrl: 'https://gateway.local', cookieDomain: 'gateway.local' }
    const response = answer('200 OK', '', 'text/plain', `Set-Cookie: ${String(given['set_cookie'])}`)
    const { relayed } = await relayedResponse({ settings }, '/.ory/x', response)
    expect(relayed.headers.getSetCookie()).toEqual([
      's=1; Path=/; HttpOnly; SameSite=None; Domain=gateway.local; Secure',
    ])
  },

  async 'proxy/body-rewrite'({ given, expect: { body } }) {
    const sent = String(given['body']).replace('https://example.projects.oryapis.com', '$kratos')
    await using proxy = await startOryProxy()
    proxy.kratos.respond = () => answer('200 OK', sent.replace('$kratos', proxy.kratos.origin), 'application/json')
    const text = await (await get(`${proxy.url}/.ory/x`)).text()
    expect(text).toBe(String(body).replace('http://localhost:4000', proxy.url))
  },

  async 'proxy/websocket'() {
    await using proxy = await startOryProxy()
    proxy.app.respond = () =>
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n'
    const { status } = await sendRaw(
      proxy.port,
      `GET /socket HTTP/1.1\r\nHost: 127.0.0.1:${proxy.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    expect(status).toBe(101)
  },

  async 'proxy/ory-headers-not-to-app'({ expect: { headers_absent: names } }) {
    await using proxy = await startOryProxy()
    await get(proxy.url, { cookie: good.cookie })
    for (const name of names as readonly string[]) expect(proxy.app.requests[0]!.all(name)).toEqual([])
  },

  async 'proxy/spoofed-ory-headers-stripped'({ given, expect: { headers_absent: names } }) {
    await using proxy = await startOryProxy()
    const claims = { ...(given['headers'] as Record<string, string>), 'ory-ratelimit-action': 'x' }
    for (const path of ['/x', '/.ory/x']) await get(proxy.url + path, claims)
    for (const request of [...proxy.app.requests, ...proxy.kratos.requests]) {
      for (const name of [...(names as readonly string[]), 'ory-ratelimit-action'])
        expect(request.all(name)).toEqual([])
    }
    expect([proxy.app.requests.length, proxy.kratos.requests.length]).toEqual([1, 1])
  },

  async 'proxy/rate-limit-header-to-ory'({ given }) {
    const kratosHeaders = Object.entries(given['configured'] as Record<string, string>)
    await using proxy = await startOryProxy({ settings: { kratosHeaders } })
    await get(`${proxy.url}/.ory/x`)
    await get(`${proxy.url}/x`, { cookie: good.cookie })
    expect(proxy.kratos.requests.map(({ target }) => target)).toEqual(['/x', '/sessions/whoami'])
    for (const request of proxy.kratos.requests) expect(request.all(kratosHeaders[0]![0])).toEqual(['secret'])
  },

  async 'proxy/rate-limit-header-not-to-app'({ given }) {
    const kratosHeaders = Object.entries(given['configured'] as Record<string, string>)
    await using proxy = await startOryProxy({ settings: { kratosHeaders } })
    await get(proxy.url, given['headers'] as Record<string, string>)
    expect(proxy.app.requests[0]!.all('ory-ratelimit-action')).toEqual([])
  },

  async 'proxy/rewrite-host'({ given }) {
    await using proxy = await startOryProxy({ settings: { rewriteHost: true } })
    await withHost(proxy.port, '/x', String(given['client_host']))
    const [request] = proxy.app.requests
    expect(request!.all('host')).toEqual([new URL(proxy.app.origin).host])
    expect(request!.all('x-forwarded-host')).toEqual([given['client_host']])
  },

  async 'proxy/host-preserved-by-default'({ given }) {
    await using proxy = await startOryProxy()
    await withHost(proxy.port, '/x', String(given['client_host']))
    expect(proxy.app.requests[0]!.all('host')).toEqual([given['client_host']])
  },

  async 'proxy/upstream-error-timeout'({ expect: { status, body } }) {
    await using proxy = await startOryProxy({ config: { upstream: { timeout: { response: '100ms' } } } })
    proxy.app.respond = () => undefined
    const response = await get(proxy.url)
    expect([response.status, await response.text()]).toEqual([status, body])
  },
}

describe('the cases of ory proxy', () => {
  it('are each checked, or named as deliberate differences', () => {
    expect(vectors.length).toBeGreaterThan(30)
    const ids = vectors.map(({ id }) => id)
    expect([...Object.keys(checks), ...Object.keys(differences)].sort()).toEqual([...ids].sort())
  })

  it.each(vectors.filter(({ id }) => checks[id] !== undefined).map((vector) => [vector.id, vector] as const))(
    '%s',
    async (_id, vector) => {
      expect.hasAssertions()
      await checks[vector.id]!(vector)
    },
  )
})
