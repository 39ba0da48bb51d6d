import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startChild, waitUntil, type Child } from '../../demo/child.ts'
import { freeBlock } from '../../demo/ports.ts'
import { createStandIn, type StandIn } from '../../demo/stand-in/server.ts'
import { createGateway, type Gateway } from '../../src/index.ts'
import { generateKeySet } from '../../src/tokens/generate.ts'
import { root, text, yaml } from '../deploy/files.ts'
import { startServer, type TestServer } from '../support/http_server.ts'

const example = 'examples/forward-auth'

let directory: string
let kratos: StandIn
/** What bearer_token asks: a session store with a mind of its own. */
let store: TestServer
let upstream: TestServer
let gateway: Gateway
/** First of the ports in a row for the proxies. */
let ports: number
let api: string

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'mintkeeper-forward-auth-'))
  kratos = await createStandIn()
  store = await startServer((request, response) => {
    if (request.headers.authorization !== 'Bearer ory_st_refreshed') response.writeHead(503).end()
    else {
      response.setHeader('Set-Cookie', 'ory_kratos_session=refreshed; Path=/; HttpOnly')
      response.end(JSON.stringify({ active: true, expires_at: '2999-01-01T00:00:00Z', identity: { id: 'someone' } }))
    }
  })
  upstream = await startServer((request, response) => response.end(request.url))
  ports = await freeBlock(2)
  const keys = path.join(directory, 'id_token.json')
  writeFileSync(keys, JSON.stringify(await generateKeySet({ alg: 'ES256' })))
  const rules = [0, 1].map((index) => text(`${example}/rules.yaml`).replaceAll(':8000', `:${ports + index}`))
  // One gateway serves both proxies, each with the example's rule for its own address.
  const [first = '', second = ''] = rules
  writeFileSync(path.join(directory, 'rules.yaml'), `${first}${second.replace('- id: app', '- id: app-2')}`)
  gateway = await createGateway({
    configFiles: [path.join(root, example, 'mintkeeper.yaml')],
    env: {
      KRATOS_PUBLIC_URL: kratos.publicUrl,
      AUTHENTICATORS_BEARER_TOKEN_CONFIG_CHECK_SESSION_URL: `${store.url}/sessions/whoami`,
      ACCESS_RULES_REPOSITORIES: `file://${directory}/rules.yaml`,
      MUTATORS_ID_TOKEN_CONFIG_JWKS_URL: `file://${keys}`,
      ...Object.fromEntries(['PROXY', 'API', 'PROMETHEUS'].map((plane) => [`SERVE_${plane}_PORT`, '0'])),
      SERVE_PROXY_HOST: '127.0.0.1',
    },
    logTarget: { write: () => undefined },
  })
  api = `127.0.0.1:${(await gateway.listen()).api.port}`
})

afterAll(async () => {
  await gateway.close(0)
  await upstream[Symbol.asyncDispose]()
  await store[Symbol.asyncDispose]()
  await kratos.close()
  rmSync(directory, { recursive: true, force: true })
})

/** The example's file with the addresses of this test. */
const mapped = (file: string, port: number): string =>
  text(`${example}/${file}`)
    .replaceAll('127.0.0.1:8000', `127.0.0.1:${port}`)
    .replaceAll('127.0.0.1:4456', api)
    .replaceAll('127.0.0.1:3000', new URL(upstream.url).host)

interface Proxy {
  readonly name: string
  readonly offset: number
  /** Writes what it needs into a folder; returns the arguments of the program. */
  readonly prepare: (folder: string, port: number) => readonly string[]
}

const nginx: Proxy = {
  name: 'nginx',
  offset: 0,
  prepare(folder, port) {
    const file = path.join(folder, 'nginx.conf')
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${folder}/${name};`,
    )
    const frame = ['daemon off;', `pid ${folder}/pid;`, 'error_log stderr;', 'events {}']
    writeFileSync(
      file,
      `${frame.join('\n')}\nhttp {\naccess_log off;\n${temporary.join('\n')}\n${mapped('nginx.conf', port)}\n}\n`,
    )
    return ['-p', folder, '-c', file, '-e', 'stderr']
  },
}

const caddy: Proxy = {
  name: 'caddy',
  offset: 1,
  prepare(folder, port) {
    const file = path.join(folder, 'Caddyfile')
    writeFileSync(file, mapped('Caddyfile', port))
    return ['run', '--config', file, '--adapter', 'caddyfile']
  },
}

const installed = (command: string, versionFlag: string): boolean => {
  try {
    execFileSync(command, [versionFlag], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** In CI nginx has to be there, so that its tests fail instead of being left out. Caddy is tried where it is. */
const proxies = [
  ...(process.env['CI'] !== undefined || installed('nginx', '-v') ? [nginx] : []),
  ...(installed('caddy', 'version') ? [caddy] : []),
]

for (const proxy of proxies) {
  describe(`${proxy.name} in front`, () => {
    let child: Child
    let url: string

    beforeAll(async () => {
      const folder = path.join(directory, proxy.name)
      mkdirSync(folder)
      const port = ports + proxy.offset
      url = `http://127.0.0.1:${port}`
      child = startChild({
        name: proxy.name,
        command: proxy.name,
        args: proxy.prepare(folder, port),
        env: { PATH: process.env['PATH'], HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
        logs: folder,
        onEnd: () => undefined,
      })
      await waitUntil(proxy.name, child, async () => (await fetch(url)).status === 401)
    })

    afterAll(() => child.stop())

    const visit = async (target: string, headers: Record<string, string>, method = 'GET') => {
      const before = upstream.requests.length
      const response = await fetch(`${url}${target}`, { method, headers, ...(method === 'POST' && { body: 'a=1' }) })
      const { status } = response
      return {
        status,
        text: await response.text(),
        retryAfter: response.headers.get('retry-after'),
        cookies: response.headers.getSetCookie(),
        upstream: upstream.requests.slice(before),
      }
    }

    it('keeps out whoever has no session', async () => {
      expect(await visit('/notes', {})).toMatchObject({ status: 401, upstream: [] })
      expect(await visit('/notes', { Authorization: 'Bearer made-up' })).toMatchObject({ status: 401, upstream: [] })
    })

    it.each(['GET', 'POST'])('passes %s on with a token in the place of the session', async (method) => {
      const { cookie } = kratos.signIn(kratos.alice)
      const answer = await visit('/notes?select=text', { Cookie: cookie }, method)
      expect(answer).toMatchObject({ status: 200, text: '/notes?select=text', upstream: [{ method }] })
      const [request] = answer.upstream
      expect(request?.headers.cookie ?? '').toBe('')
      const keys = (await (await fetch(`http://${api}/.well-known/jwks.json`)).json()) as JSONWebKeySet
      const token = request?.headers.authorization?.replace('Bearer ', '') ?? ''
      const { payload } = await jwtVerify(token, createLocalJWKSet(keys), { audience: 'postgrest' })
      expect(payload).toMatchObject({ sub: kratos.alice.id, role: 'authenticated' })
    })

    it('tells an outage of the session store as one, with the time to come back', async () => {
      const answer = await visit('/notes', { Authorization: 'Bearer ory_st_unlucky' })
      expect(answer).toMatchObject({ status: 503, upstream: [] })
      expect(Number(answer.retryAfter)).toBeGreaterThan(0)
    })

    it('tells a path without a rule as it is', async () => {
      expect(await visit('/notes', {}, 'OPTIONS')).toMatchObject({ status: 404, retryAfter: null, upstream: [] })
    })

    it('relays the cookie of the session store where the proxy has a way to', async () => {
      const answer = await visit('/notes', { Authorization: 'Bearer ory_st_refreshed' })
      const relayed = proxy === nginx ? ['ory_kratos_session=refreshed; Path=/; HttpOnly'] : []
      expect(answer).toMatchObject({ status: 200, cookies: relayed })
    })

    it('does not let clients say which request it is', async () => {
      const { cookie } = kratos.signIn(kratos.alice)
      const forged = { 'X-Forwarded-Host': 'elsewhere.example', 'X-Forwarded-Uri': '/x', 'X-Forwarded-Method': 'TRACE' }
      expect(await visit('/notes', { Cookie: cookie, ...forged })).toMatchObject({ status: 200, text: '/notes' })
      expect(await visit('/notes', forged)).toMatchObject({ status: 401, upstream: [] })
    })
  })
}

describe('Envoy', () => {
  it('would ask for every request, take the token and let no client say which request it is', () => {
    const found = JSON.stringify(yaml(`${example}/envoy.yaml`))
    expect(found).toContain('"path_prefix":"/decisions"')
    expect(found).toContain('"failure_mode_allow":false')
    expect(found).toContain('"allowed_upstream_headers":{"patterns":[{"exact":"authorization","ignore_case":true}]}')
    expect(found).not.toMatch(/"exact":"x-forwarded-(?:host|uri|method)"/i)
  })
})

describe('Traefik', () => {
  it('would ask for every request and take the token', () => {
    const { http } = yaml(`${example}/traefik.yaml`) as {
      http: { routers: { app: { middlewares: string[] } }; middlewares: { mintkeeper: { forwardAuth: object } } }
    }
    expect(http.routers.app.middlewares[0]).toBe('mintkeeper')
    expect(http.middlewares.mintkeeper.forwardAuth).toEqual({
      address: 'http://127.0.0.1:4456/decisions',
      authResponseHeaders: ['Authorization'],
    })
  })
})
