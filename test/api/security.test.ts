import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateKeySet } from '../../src/tokens/generate.ts'
import { startGateway, type ListeningGateway } from '../support/gateway.ts'
import { startServer, type TestServer } from '../support/http_server.ts'
import { sendRaw } from '../support/raw-client.ts'

interface Vector {
  readonly id: string
  readonly class: string
  readonly request: { readonly kind: string; readonly bytes_b64?: string }
  readonly expect: { readonly status: readonly (number | null)[] }
}

const vectors = (
  JSON.parse(readFileSync(new URL('../vectors/security.json', import.meta.url), 'utf8')) as { cases: Vector[] }
).cases

const alice = 'ory_st_4Tn0bFz7kQmC2wYhXv8sLrJdE6uAgP1i'
const noop = [{ handler: 'noop' }]
const token = [{ handler: 'id_token' }]
const cookie = [{ handler: 'cookie_session' }]

let kratos: TestServer
let upstream: TestServer
let gateway: ListeningGateway

/** The set-up that the vectors call `std`, with profile secure. */
beforeAll(async () => {
  kratos = await startServer((request, response) => {
    const known = ['ALICE', alice].some((secret) => request.headers.cookie === `ory_kratos_session=${secret}`)
    response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' })
    const expires = '2999-01-01T00:00:00Z'
    response.end(
      known ? JSON.stringify({ id: 's1', active: true, expires_at: expires, identity: { id: 'alice' } }) : '{}',
    )
  })
  upstream = await startServer((_, response) => response.end('ok'))
  const rule = (id: string, methods: string[], url: string, authenticators: object[], mutators: object[]): object => ({
    id,
    match: { url, methods },
    authenticators,
    authorizer: { handler: 'allow' },
    mutators,
    upstream: { url: upstream.url },
  })
  const keys = Buffer.from(JSON.stringify(await generateKeySet({ alg: 'ES256' }))).toString('base64')
  gateway = await startGateway({
    rules: [
      rule('public', ['GET', 'HEAD', 'POST'], 'http://gw.example/public<(/.*)?>', [{ handler: 'anonymous' }], noop),
      rule('admin', ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], 'http://gw.example/admin<(/.*)?>', cookie, token),
      rule('graphql', ['GET', 'POST'], 'http://gw.example/v1/graphql', cookie, token),
    ],
    config: {
      profile: 'secure',
      log: { level: 'debug', format: 'json' },
      serve: { api: { allowed_hosts: ['gw-api'] } },
      authenticators: {
        anonymous: { enabled: true },
        cookie_session: {
          enabled: true,
          config: {
            check_session_url: `${kratos.url}/sessions/whoami`,
            only: ['ory_kratos_session'],
            subject_from: 'identity.id',
            extra_from: '@this',
          },
        },
      },
      authorizers: { allow: { enabled: true } },
      mutators: {
        noop: { enabled: true },
        id_token: { enabled: true, config: { issuer_url: 'https://gw.example', jwks_url: `base64://${keys}` } },
      },
    },
  })
})

afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
  await kratos[Symbol.asyncDispose]()
})

const raw = (vector: Vector): Buffer => Buffer.from(vector.request.bytes_b64 ?? '', 'base64')

describe('decisions-endpoint (vectors)', () => {
  it.each(vectors.filter(({ class: name }) => name === 'decisions-endpoint'))('$id', async (vector) => {
    const response = await sendRaw(gateway.addresses.api.port, raw(vector))
    expect(vector.expect.status).toContain(response.status)
    expect(response.header('set-cookie')).toBeUndefined()
    expect([undefined, '0']).toContain(response.status === 200 ? response.header('content-length') : undefined)
  })

  it('dec-008: the token is on the answer', async () => {
    const vector = vectors.find(({ id }) => id === 'dec-008')
    const response = await sendRaw(gateway.addresses.api.port, raw(vector as Vector))
    expect(response.header('authorization')).toMatch(/^Bearer ey/)
  })
})

const linesSince = (start: number): Record<string, unknown>[] =>
  gateway.log.slice(start).map((line) => JSON.parse(line) as Record<string, unknown>)

const series = async (): Promise<number> => {
  const text = await (await fetch(`${gateway.metrics}/metrics`)).text()
  return text.split('\n').filter((line) => line.startsWith('ory_oathkeeper_')).length
}
const flood = async (seed: string): Promise<void> => {
  for (let index = 0; index < 50; index++) {
    const line = `GET /${seed}${index}/x?q=${index} HTTP/1.1\r\nHost: h${index}.example\r\n`
    await sendRaw(gateway.addresses.proxy.port, `${line}User-Agent: ${seed}${index}\r\nConnection: close\r\n\r\n`)
  }
}
describe('leakage-admin (vectors)', () => {
  it('leak-001: secrets of the traffic are in no log line and no metric', async () => {
    const secrets = ['ALICE', alice]
    for (const secret of secrets) {
      for (const path of ['/admin/x', `/public/${secret}?token=${secret}`, `/nowhere/${secret}`]) {
        const head = `Host: gw.example\r\nCookie: ory_kratos_session=${secret}\r\nX-Session-Token: ${secret}\r\n`
        const rest = `User-Agent: agent ${alice}\r\nAuthorization: Bearer ${alice}\r\nConnection: close\r\n\r\n`
        await sendRaw(gateway.addresses.proxy.port, `GET ${path} HTTP/1.1\r\n${head}${rest}`)
        await sendRaw(
          gateway.addresses.api.port,
          `GET /decisions HTTP/1.1\r\nX-Forwarded-Uri: ${path}\r\nX-Forwarded-Host: gw.example\r\n${head.replace('gw.example', 'gw-api')}${rest}`,
        )
      }
    }
    const metrics = await (await fetch(`${gateway.metrics}/metrics`)).text()
    const text = gateway.log.join('') + metrics
    expect(gateway.log.length).toBeGreaterThan(8)
    expect(text).not.toContain(alice)
    expect(text).not.toContain('token=')
    expect(text).not.toContain('Bearer e')
    expect(text).not.toContain('eyJ')
    // The path is the client's own text; only what looks like a secret is hidden in it.
    expect(text.replaceAll(/"http_url":"[^"]*"/g, '')).not.toContain('ALICE')
  })

  it('leak-002: a log line cannot be forged', async () => {
    const start = gateway.log.length
    const vector = vectors.find(({ id }) => id === 'leak-002')
    const response = await sendRaw(gateway.addresses.proxy.port, raw(vector as Vector))
    expect([200, 400]).toContain(response.status)
    const lines = linesSince(start)
    expect(lines.map(({ msg }) => msg)).not.toContain('forged')
    expect(lines.length).toBeGreaterThan(0)
  })

  it('leak-004: another host name sees nothing of the API', async () => {
    const head = 'Host: attacker.example\r\nOrigin: http://attacker.example\r\nConnection: close\r\n\r\n'
    const response = await sendRaw(gateway.addresses.api.port, `GET /rules HTTP/1.1\r\n${head}`)
    expect(response.status).toBe(421)
    expect(response.header('access-control-allow-origin')).toBeUndefined()
  })

  it('leak-005: random paths, methods, hosts and agents add no series', async () => {
    await flood('a')
    const before = await series()
    await flood('b')
    expect(await series()).toBe(before)
  })
})
