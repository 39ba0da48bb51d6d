/** The catalogue of attacks on paths, authorities, headers, framing and responses, on exact bytes against a running proxy. */
import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import type { Decision, Inbound } from '../../src/pipeline/contract.ts'
import { openClient, sendRaw } from '../support/raw-client.ts'
import { startRecorder } from '../support/recorder.ts'
import type { RecordedRequest, Recorder } from '../support/recorder.ts'
import { allow, refuse, secure, startProxy, targetOf } from './harness.ts'
import type { Harness } from './harness.ts'

interface Case {
  readonly id: string
  readonly class: string
  readonly request: {
    readonly kind: string
    readonly bytes?: string
    readonly bytes_b64?: string
    readonly generator?: string
    readonly headers?: readonly string[] | Readonly<Record<string, string>>
    readonly method?: string
    readonly path?: string
  }
  readonly expect: {
    readonly status: readonly number[]
    readonly upstream?: 'not_reached' | UpstreamExpectation
  }
}

interface UpstreamExpectation {
  readonly if?: number
  readonly path?: string
  readonly paths?: readonly string[]
  readonly requests?: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly headers_absent?: readonly string[]
  readonly names_absent_regex?: string
}

const file = new URL('../vectors/security.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Case[] }

const minted = 'Bearer minted-for-alice'

let upstream: Recorder
let proxy: Harness

/** The rules of the catalogue's set-up `std`: a public part, and parts that need Alice's session. */
function decide(inbound: Inbound): Decision {
  const { method, path } = inbound
  const url = `${inbound.scheme}://${inbound.host}${path}`
  const at = (prefix: string): boolean =>
    url === `http://gw.example${prefix}` || url.startsWith(`http://gw.example${prefix}/`)
  const target = targetOf(upstream.origin, { stripPath: at('/rest') ? '/rest' : '' })
  if (at('/public') && ['GET', 'HEAD', 'POST'].includes(method)) return allow(target)
  const guarded = at('/admin') || url === 'http://gw.example/v1/graphql' || at('/rest')
  if (!guarded || !['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].includes(method)) {
    return refuse(new GatewayError('rule_not_found'))
  }
  const cookies = inbound.headers.get('cookie') ?? ''
  return cookies.includes('ory_kratos_session=ALICE')
    ? allow(target, { edits: [['Authorization', minted]] })
    : refuse(new GatewayError('credentials_invalid'))
}

beforeAll(async () => {
  upstream = await startRecorder()
  proxy = await startProxy((inbound) => decide(inbound), {
    ...secure,
    timeouts: { ...secure.timeouts, read: 200 },
  })
})
afterEach(() => {
  upstream.reset()
  proxy.reset()
})
afterAll(async () => {
  await proxy.close()
  await upstream.close()
})

const classes = [
  'path-normalization',
  'authority-confusion',
  'header-smuggling',
  'request-smuggling',
  'methods',
  'forwarded-header-spoofing',
]

function bytesOf({ request }: Case): Buffer | undefined {
  if (request.bytes_b64 !== undefined) return Buffer.from(request.bytes_b64, 'base64')
  if (request.bytes !== undefined) return Buffer.from(request.bytes, 'latin1')
  if (request.kind !== 'structured' || request.method === undefined || request.path === undefined) return undefined
  const headers = Object.entries(request.headers as Record<string, string>)
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return Buffer.from(`${request.method} ${request.path} HTTP/1.1\r\nHost: gw.example\r\n${lines}\r\n`, 'latin1')
}

/** What of the requests that came is not as expected. */
function complaints(expected: UpstreamExpectation, requests: readonly RecordedRequest[]): string[] {
  const [first] = requests
  const found: string[] = []
  const check = (what: string, holds: boolean | undefined): void => {
    if (holds !== true) found.push(what)
  }
  const pattern = new RegExp(expected.names_absent_regex?.replace('(?i)', '') ?? '^$', 'i')
  check('number of requests', expected.requests === undefined || requests.length === expected.requests)
  check('paths', expected.paths === undefined || expected.paths.every((path, i) => requests[i]?.target === path))
  check('path', expected.path === undefined || first?.target === expected.path)
  check('body', expected.body === undefined || first?.body.toString() === expected.body)
  for (const name of expected.headers_absent ?? []) check(`${name} absent`, first?.all(name).length === 0)
  for (const name of Object.keys(expected.headers ?? {})) check(`${name} once`, first?.all(name).length === 1)
  check(
    'names',
    requests.every(({ headers }) => headers.every(([name]) => !pattern.test(name))),
  )
  return found
}

/** What came although nothing should have, or not as it should have; nothing when the answer says that it does not matter. */
function wrongAtUpstream({ expect: { upstream: expected } }: Case, status: number): string[] {
  if (expected === undefined || (expected !== 'not_reached' && ![undefined, status].includes(expected.if))) return []
  if (expected === 'not_reached') return upstream.requests.map(({ head }) => `reached by ${head}`)
  return complaints(expected, upstream.requests)
}

describe.each(classes)('%s', (name) => {
  const withBytes = cases.flatMap((one) => {
    const bytes = one.class === name ? bytesOf(one) : undefined
    return bytes === undefined ? [] : [{ id: one.id, one, bytes }]
  })

  it.each(withBytes)('$id', async ({ one, bytes }) => {
    const text = bytes.toString('latin1')
    const response = await sendRaw(proxy.port, bytes, {
      head: text.startsWith('HEAD'),
      // A body that is shorter than announced ends with the connection.
      halfClose: one.id === 'smug-040',
    })
    expect(one.expect.status).toContain(response.status)
    expect(wrongAtUpstream(one, response.status)).toEqual([])
    // Whatever was asked for, what was matched is what was forwarded, and no session or claim of the client came along.
    for (const request of upstream.requests) {
      const [path = ''] = request.target.split('?')
      const matched = proxy.inbounds.map((inbound) => inbound.path)
      expect(matched.some((one_) => one_.endsWith(decodeURIComponent(path).replace(/(.)\/$/, '$1')))).toBe(true)
      expect(request.all('authorization').every((value) => value === minted)).toBe(true)
      expect(request.all('cookie').join()).not.toContain('ory_kratos_session')
    }
  })
})

describe('header-smuggling, generated', () => {
  it('hdr-026: more header lines than a request may have', async () => {
    const lines = Array.from({ length: 2100 }, (_, i) => `x-${i}: \r\n`).join('')
    const head = `GET /public/x HTTP/1.1\r\nHost: gw.example\r\n${lines}X-Hasura-Role: admin\r\n\r\n`
    expect([400, 431]).toContain((await sendRaw(proxy.port, head)).status)
    expect(upstream.requests).toEqual([])
  })

  it('more than 200 header lines, well below the limit of bytes', async () => {
    const lines = Array.from({ length: 200 }, (_, i) => `x-${i}: 1\r\n`).join('')
    const head = `GET /public/x HTTP/1.1\r\nHost: gw.example\r\n${lines}\r\n`
    expect((await sendRaw(proxy.port, head)).status).toBe(431)
    expect(upstream.requests).toEqual([])
  })

  it('hdr-027: a header longer than all may be together', async () => {
    const head = `GET /public/x HTTP/1.1\r\nHost: gw.example\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`
    expect((await sendRaw(proxy.port, head)).status).toBe(431)
    expect(upstream.requests).toEqual([])
  })

  it('hdr-029: headers that the upstream names in Connection stay behind', async () => {
    upstream.respond = () =>
      'HTTP/1.1 200 OK\r\nConnection: keep-alive, x-internal-secret\r\nX-Internal-Secret: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n'
    const response = await sendRaw(
      proxy.port,
      'GET /public/x HTTP/1.1\r\nHost: gw.example\r\nConnection: close\r\n\r\n',
    )
    expect(response.status).toBe(200)
    expect(response.header('x-internal-secret')).toBeUndefined()
    expect(response.header('keep-alive')).toBeUndefined()
  })

  it('hdr-030: an upstream cannot set the session cookie; other cookies stay separate lines', async () => {
    upstream.respond = () =>
      [
        'HTTP/1.1 200 OK',
        'Set-Cookie: ory_kratos_session=EVIL; Path=/',
        'Set-Cookie: a=1',
        'Set-Cookie: b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT',
        'Content-Length: 0\r\n\r\n',
      ].join('\r\n')
    const response = await sendRaw(proxy.port, 'GET /public/x HTTP/1.1\r\nHost: gw.example\r\n\r\n')
    const cookies = response.headers.filter(([name]) => name === 'Set-Cookie').map(([, value]) => value)
    expect(cookies).toEqual(['a=1', 'b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT'])
  })

  it('hdr-033: a mutator that fails means no request at all', async () => {
    proxy.decide = () => {
      throw new GatewayError('signing_key_unavailable')
    }
    expect((await sendRaw(proxy.port, 'GET /admin/x HTTP/1.1\r\nHost: gw.example\r\n\r\n')).status).toBe(500)
    expect(upstream.requests).toEqual([])
  })
})

describe('response-desync', () => {
  const client = 'GET /public/x HTTP/1.1\r\nHost: gw.example\r\n\r\n'
  const withBytes = cases.flatMap((one) => {
    const bytes = one.class === 'response-desync' ? bytesOf(one) : undefined
    return bytes === undefined ? [] : [{ id: one.id, one, bytes }]
  })
  // What follows a body that is not whole is seen below.
  const truncated = new Set(['resp-003', 'resp-004'])

  it.each(withBytes.filter(({ id }) => !truncated.has(id)))('$id', async ({ one, bytes }) => {
    upstream.respond = (_, socket) => {
      socket.end(bytes)
      return undefined
    }
    expect(one.expect.status).toContain((await sendRaw(proxy.port, client)).status)
    // Nothing of it is left for the next request.
    upstream.respond = () => 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean'
    expect((await sendRaw(proxy.port, client)).body.toString()).toBe('clean')
  })

  it.each(withBytes.filter(({ id }) => truncated.has(id)))(
    '$id: the client sees a broken message',
    async ({ bytes }) => {
      upstream.respond = (_, socket) => {
        socket.end(bytes)
        return undefined
      }
      const connection = await openClient(proxy.port)
      connection.write(client)
      await expect(connection.response()).rejects.toThrow('ended early')
      expect(connection.rest().toString('latin1')).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
      expect(connection.rest().toString('latin1')).not.toContain('\r\n0\r\n')
      expect(await proxy.recorded(1)).toMatchObject({ outcome: 'failed', code: 'upstream_broken' })
    },
  )

  it('a response after the response poisons nobody', async () => {
    upstream.respond = () =>
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'
    expect((await sendRaw(proxy.port, client)).body.toString()).toBe('abc')
    upstream.respond = () => 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean'
    for (let i = 0; i < 3; i++) expect((await sendRaw(proxy.port, client)).body.toString()).toBe('clean')
  })
})
