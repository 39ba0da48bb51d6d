/** Attacks on paths, authorities, headers, framing and methods: exact bytes to a running gateway, and what its upstream got. */
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ListeningGateway } from '../support/gateway.ts'
import { startServer, type TestServer } from '../support/http_server.ts'
import { openClient, sendRaw, type RawResponse } from '../support/raw-client.ts'
import { okResponse, startRecorder, type RecordedRequest, type Recorder } from '../support/recorder.ts'
import { bytesOf, cases, idsOf, startStd, vector, whoami, type UpstreamExpectation, type Vector } from './setup.ts'

let store: TestServer
let upstream: Recorder
let gateway: ListeningGateway

beforeAll(async () => {
  store = await startServer(whoami)
  upstream = await startRecorder()
  gateway = await startStd({
    store: store.url,
    upstream: upstream.origin,
    config: { serve: { proxy: { timeout: { read: '300ms' } } } },
  })
})
afterEach(() => upstream.reset())
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await upstream.close()
  await store[Symbol.asyncDispose]()
})

const send = (id: string, options: Parameters<typeof sendRaw>[2] = {}): Promise<RawResponse> =>
  sendRaw(gateway.addresses.proxy.port, bytesOf(id), options)

/** Those of the classes below that are no bytes to be sent once, or say more than a status and what the upstream got. */
const alone = new Set([
  'hdr-026',
  'hdr-027',
  'hdr-029',
  'hdr-030',
  'hdr-031',
  'hdr-033',
  'smug-035',
  'smug-043',
  'csrf-015',
])

const classes = [
  'path-normalization',
  'authority-confusion',
  'forwarded-header-spoofing',
  'header-smuggling',
  'request-smuggling',
  'methods',
  'cookies-csrf',
]

/** What of the requests that came is not as expected. */
function complaints(expected: UpstreamExpectation, requests: readonly RecordedRequest[]): string[] {
  const [first] = requests
  const found: string[] = []
  const check = (what: string, holds: boolean | undefined): void => {
    if (holds !== true) found.push(what)
  }
  const pattern = new RegExp(expected.names_absent_regex?.replace('(?i)', '') ?? '^$', 'i')
  check('reached', requests.length > 0)
  check('number of requests', expected.requests === undefined || requests.length === expected.requests)
  check('paths', expected.paths === undefined || expected.paths.every((path, i) => requests[i]?.target === path))
  check('path', expected.path === undefined || first?.target === expected.path)
  check('body', expected.body === undefined || first?.body.toString() === expected.body)
  for (const name of expected.headers_absent ?? []) check(`${name} absent`, first?.all(name).length === 0)
  check(
    'names',
    requests.every(({ headers }) => headers.every(([name]) => !pattern.test(name))),
  )
  return found
}

/** What came although nothing should have, or not as it should have; nothing when the answer says that it does not matter. */
function wrongAtUpstream({ id, expect: { upstream: expected } }: Vector, status: number): string[] {
  if (expected === undefined) return []
  if (expected === 'not_reached') return upstream.requests.map(({ head }) => `reached by ${head}`)
  // A body that never came whole makes no request.
  if (id === 'smug-040' || status >= 400 || (expected.if !== undefined && expected.if !== status)) return []
  return complaints(expected, upstream.requests)
}

/** Whose token the upstream got; undefined for none. More than one never goes on. */
function subjectOf(request: RecordedRequest): string | undefined {
  const values = request.all('authorization')
  expect(values.length).toBeLessThan(2)
  return values[0] === undefined ? undefined : decodeJwt(values[0].replace(/^Bearer /, '')).sub
}

/** Holds for everything that reaches an upstream, whatever was asked for. */
function expectSound(request: RecordedRequest): void {
  const open = /^\/public(\/|\?|$)/.test(request.target)
  expect(subjectOf(request)).toBe(open ? undefined : 'alice')
  for (const name of ['host', 'content-type', 'content-length', 'cookie', 'x-forwarded-for', 'x-forwarded-proto']) {
    expect(request.all(name).length).toBeLessThan(2)
  }
  expect(request.all('x-forwarded-for')).toEqual(['127.0.0.1'])
  expect(request.all('cookie').join()).not.toContain('ory_kratos_session')
  expect(request.headers.map(([name]) => name.toLowerCase()).filter((name) => /^x-hasura|_/.test(name))).toEqual([])
  expect(request.head.split('\r\n')[0]).toMatch(/^[A-Z]+ \/[!-~]* HTTP\/1\.1$/)
}

describe.each(classes)('%s', (name) => {
  it.each(cases.filter((one) => one.class === name && !alone.has(one.id)))('$id', async (one) => {
    const response = await send(one.id, {
      head: bytesOf(one.id).toString('latin1').startsWith('HEAD'),
      // A body that is shorter than announced ends with the connection.
      halfClose: one.id === 'smug-040',
    })
    expect(one.expect.status).toContain(response.status)
    expect(wrongAtUpstream(one, response.status)).toEqual([])
    for (const request of upstream.requests) expectSound(request)
    expect(response.body.toString()).not.toMatch(/ALICE|127\.0\.0\.1|\.ts:/)
  })
})

describe('of these, what is said in words', () => {
  it('auth-006, auth-007: no byte goes to the host that the client names', async () => {
    const connections = upstream.connections()
    for (const id of ['auth-006', 'auth-007']) expect((await send(id)).status).toBe(400)
    expect(upstream.connections()).toBe(connections)
  })

  it('path-041: what was matched is forwarded to the byte', async () => {
    await send('path-041')
    expect(upstream.requests.map(({ target }) => target)).toEqual(['/public/%7euser'])
  })

  it('hdr-008, hdr-009: the token is the only Authorization', async () => {
    expect((await send('hdr-008')).status).toBe(200)
    expect(upstream.requests.map(subjectOf)).toEqual(['alice'])
    expect((await send('hdr-009')).status).toBe(400)
  })

  it('hdr-011, hdr-012: what Connection names neither goes on nor takes away what the gateway sets', async () => {
    expect((await send('hdr-011')).status).toBe(200)
    expect(upstream.requests[0]?.all('x-forwarded-for')).toEqual(['127.0.0.1'])
    // The named cookie ends at the gateway's door, so that nobody is known by it.
    expect((await send('hdr-012')).status).toBe(401)
    expect(upstream.requests).toHaveLength(1)
  })

  it('hdr-022: of two credentials the upstream hears of one', async () => {
    expect((await send('hdr-022')).status).toBe(200)
    expect(upstream.requests.map(subjectOf)).toEqual(['alice'])
    expect(store.requests.at(-1)?.headers).toMatchObject({ cookie: 'ory_kratos_session=ALICE' })
    expect(store.requests.at(-1)?.headers).not.toHaveProperty('x-session-token')
  })

  it('hdr-023: an encoded body keeps its bytes, length and encoding', async () => {
    upstream.respond = () => 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08'
    const response = await send('hdr-023')
    expect(response.header('content-encoding')).toBe('gzip')
    expect(response.header('content-length')).toBe('3')
    expect([...response.body]).toEqual([0x1f, 0x8b, 0x08])
    expect(upstream.requests[0]?.all('accept-encoding')).toEqual(['gzip, br'])
    expect(upstream.requests[0]?.all('range')).toEqual(['bytes=0-9'])
  })

  it('hdr-031: the session cookie stays here, others go on', async () => {
    await sendRaw(
      gateway.addresses.proxy.port,
      'GET /admin/x HTTP/1.1\r\nHost: gw.example\r\nCookie: ory_kratos_session=ALICE; theme=dark\r\n\r\n',
    )
    expect(upstream.requests[0]?.all('cookie')).toEqual(['theme=dark'])
  })

  it('smug-035: pipelined requests are each matched and authenticated, and answered in order', async () => {
    const client = await openClient(gateway.addresses.proxy.port)
    client.write(bytesOf('smug-035'))
    const statuses = [(await client.response()).status, (await client.response()).status]
    expect(statuses).toEqual(vector('smug-035').expect.status)
    expect(upstream.requests.map(({ target }) => target)).toEqual(['/public/1'])
    expect(await client.closed).toBe('end')
  })

  it('smug-038: who waits for 100 (Continue) gets it after the decision only', async () => {
    const head = (path: string) =>
      `POST ${path} HTTP/1.1\r\nHost: gw.example\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`
    const client = await openClient(gateway.addresses.proxy.port)
    client.write(head('/admin/x'))
    expect((await client.response()).status).toBe(401)
    expect(await client.closed).toBe('end')
    const allowed = await openClient(gateway.addresses.proxy.port)
    allowed.write(head('/public/x'))
    expect((await allowed.response()).status).toBe(100)
    allowed.write('ok')
    expect((await allowed.response()).status).toBe(200)
    allowed.close()
  })

  it('smug-001, smug-011: after a message that can be read in two ways the connection ends', async () => {
    for (const id of ['smug-001', 'smug-011']) {
      const client = await openClient(gateway.addresses.proxy.port)
      client.write(Buffer.concat([bytesOf(id), Buffer.from('GET /public/next HTTP/1.1\r\nHost: gw.example\r\n\r\n')]))
      expect((await client.response()).status).toBe(400)
      expect(await client.closed).toBe('end')
      expect(client.rest()).toHaveLength(0)
    }
    expect(upstream.requests).toEqual([])
  })

  it('smug-040: a body that breaks off looks whole to nobody', async () => {
    const long = 100_000
    const head = `POST /public/x HTTP/1.1\r\nHost: gw.example\r\nContent-Length: ${long}\r\n\r\n`
    await sendRaw(gateway.addresses.proxy.port, head + 'a'.repeat(long / 2), { halfClose: true })
    expect(upstream.requests).toEqual([])
    await expect.poll(() => upstream.open(), { timeout: 5000 }).toBeLessThan(2)
  })

  it('meth-001, meth-007: nothing of the request comes back', async () => {
    expect((await send('meth-001')).body.toString()).not.toContain('ALICE')
    expect((await send('meth-007')).header('access-control-allow-origin')).toBeUndefined()
  })

  it('meth-002: there is no tunnel', async () => {
    const client = await openClient(gateway.addresses.proxy.port)
    client.write(bytesOf('meth-002'))
    expect((await client.response()).status).toBe(400)
    expect(await client.closed).toBe('end')
  })

  it('csrf-014, csrf-015: the session store is not asked about a cookie that is empty, or longer than any browser keeps', async () => {
    const calls = store.requests.length
    expect((await send('csrf-014')).status).toBe(401)
    const long = `GET /admin/x HTTP/1.1\r\nHost: gw.example\r\nCookie: ory_kratos_session=${'A'.repeat(9000)}\r\n\r\n`
    expect(vector('csrf-015').expect.status).toContain((await sendRaw(gateway.addresses.proxy.port, long)).status)
    expect(store.requests).toHaveLength(calls)
  })
})

describe('header-smuggling, made here', () => {
  it('hdr-026: more header lines than a request may have', async () => {
    const lines = Array.from({ length: 2100 }, (_, i) => `x-${i}: \r\n`).join('')
    const head = `GET /public/x HTTP/1.1\r\nHost: gw.example\r\n${lines}X-Hasura-Role: admin\r\n\r\n`
    expect(vector('hdr-026').expect.status).toContain((await sendRaw(gateway.addresses.proxy.port, head)).status)
    expect(upstream.requests).toEqual([])
  })

  it('more than 200 header lines, well below the limit of bytes', async () => {
    const lines = Array.from({ length: 200 }, (_, i) => `x-${i}: 1\r\n`).join('')
    const head = `GET /public/x HTTP/1.1\r\nHost: gw.example\r\n${lines}\r\n`
    expect((await sendRaw(gateway.addresses.proxy.port, head)).status).toBe(431)
    expect(upstream.requests).toEqual([])
  })

  it('hdr-027: a header longer than all may be together', async () => {
    const head = `GET /public/x HTTP/1.1\r\nHost: gw.example\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`
    expect(vector('hdr-027').expect.status).toContain((await sendRaw(gateway.addresses.proxy.port, head)).status)
    expect(upstream.requests).toEqual([])
  })

  it('hdr-029: headers that the upstream names in Connection stay behind', async () => {
    upstream.respond = () =>
      'HTTP/1.1 200 OK\r\nConnection: keep-alive, x-internal-secret\r\nX-Internal-Secret: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n'
    const head = 'GET /public/x HTTP/1.1\r\nHost: gw.example\r\nConnection: close\r\n\r\n'
    const response = await sendRaw(gateway.addresses.proxy.port, head)
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
    const head = 'GET /public/x HTTP/1.1\r\nHost: gw.example\r\n\r\n'
    const response = await sendRaw(gateway.addresses.proxy.port, head)
    const cookies = response.headers.filter(([name]) => name === 'Set-Cookie').map(([, value]) => value)
    expect(cookies).toEqual(['a=1', 'b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT'])
  })
})

describe('response-desync', () => {
  const client = 'GET /public/x HTTP/1.1\r\nHost: gw.example\r\n\r\n'
  // What follows a body that is not whole is seen below.
  const truncated = new Set(['resp-003', 'resp-004'])
  const whole = idsOf('response-desync').filter((id) => !truncated.has(id))

  it.each(whole)('%s', async (id) => {
    upstream.respond = (_, socket) => {
      socket.end(bytesOf(id))
      return undefined
    }
    const port = gateway.addresses.proxy.port
    const kept = await openClient(port)
    kept.write(client)
    let response = await kept.response()
    while (response.status < 200) response = await kept.response()
    expect(vector(id).expect.status).toContain(response.status)
    expect(response.headers.some(([name]) => name === '__proto__')).toBe(false)
    // Nothing of it is left for the next request, of this client or of another.
    upstream.respond = () => 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean'
    kept.write(client)
    expect((await kept.response()).body.toString()).toBe('clean')
    kept.close()
    expect((await sendRaw(port, client)).body.toString()).toBe('clean')
  })

  it.each([...truncated])('%s: the client sees a broken message', async (id) => {
    upstream.respond = (_, socket) => {
      socket.end(bytesOf(id))
      return undefined
    }
    const connection = await openClient(gateway.addresses.proxy.port)
    connection.write(client)
    await expect(connection.response()).rejects.toThrow('ended early')
    const got = connection.rest().toString('latin1')
    expect(got).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(got).not.toContain('\r\n0\r\n')
  })

  it('resp-005: a response after the response poisons nobody', async () => {
    upstream.respond = () => bytesOf('resp-005')
    const port = gateway.addresses.proxy.port
    expect((await sendRaw(port, client)).body.toString()).toBe('abc')
    upstream.respond = () => 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean'
    for (let i = 0; i < 3; i++) expect((await sendRaw(port, client)).body.toString()).toBe('clean')
  })
})

describe('the running gateway', () => {
  it('is the same one after all of this', async () => {
    upstream.respond = () => okResponse
    const head = 'GET /admin/x HTTP/1.1\r\nHost: gw.example\r\nCookie: ory_kratos_session=ALICE\r\n\r\n'
    expect((await sendRaw(gateway.addresses.proxy.port, head)).status).toBe(200)
    expect(upstream.requests.map(subjectOf)).toEqual(['alice'])
    expect(gateway.log.filter((line) => line.includes('fault in the gateway'))).toEqual([])
  })
})
