import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, constants } from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import { get } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { idsOf } from '../security/setup.ts'
import { startGateway } from '../support/gateway.ts'
import { createAuthority } from '../support/certificates.ts'
import { openClient } from '../support/raw-client.ts'
import { okResponse, startRecorder } from '../support/recorder.ts'
import type { Recorder } from '../support/recorder.ts'
import { allow, refuse, secure, startProxy, targetOf } from './harness.ts'
import type { Harness } from './harness.ts'
import { flags, h2Frame, headerBlock, openH2, request, types } from './http2_frames.ts'
import { GatewayError } from '../../src/errors.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'mintkeeper-h2-'))
const { cert, key } = createAuthority(folder)
const tls = { cert: { path: cert }, key: { path: key } }
const http2 = { maxConcurrentStreams: 10 }

let upstream: Recorder
let proxy: Harness
let session: ClientHttp2Session

const openSession = (port: number): ClientHttp2Session => {
  const opened = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
  opened.on('error', () => undefined)
  return opened
}

beforeAll(async () => {
  upstream = await startRecorder()
  proxy = await startProxy(() => allow(targetOf(upstream.origin)), secure, { tls, http2 })
  session = openSession(proxy.port)
})
afterEach(() => {
  upstream.reset()
  proxy.reset()
})
afterAll(async () => {
  session.destroy()
  await proxy.close()
  await upstream.close()
  rmSync(folder, { recursive: true })
})

interface Answer {
  readonly headers: IncomingHttpHeaders & { readonly ':status'?: number }
  readonly body: string
  readonly trailers: IncomingHttpHeaders
}

async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  let trailers: IncomingHttpHeaders = {}
  stream.on('trailers', (lines: IncomingHttpHeaders) => {
    trailers = lines
  })
  const [headers] = (await once(stream, 'response')) as [Answer['headers']]
  return { headers, body: (await buffer(stream)).toString(), trailers }
}

function ask(headers: OutgoingHttpHeaders, body?: string): Promise<Answer> {
  const stream = session.request(
    { ':authority': 'gw.example', ':path': '/', ...headers },
    { endStream: body === undefined },
  )
  if (body !== undefined) stream.end(body)
  return answerOf(stream)
}

const codeOf = async (stream: ClientHttp2Stream): Promise<number> => {
  stream.on('error', () => undefined)
  stream.resume()
  await new Promise((resolve) => {
    stream.on('close', resolve)
  })
  return stream.rstCode
}

describe('a request over HTTP/2', () => {
  it('reaches the upstream as it would have over HTTP/1.1', async () => {
    proxy.decide = () => allow(targetOf(upstream.origin), { edits: [['authorization', 'minted']] })
    upstream.respond = () =>
      'HTTP/1.1 201 Created\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Up: yes\r\nKeep-Alive: timeout=5\r\n' +
      'Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nContent-Length: 2\r\n\r\nok'
    const { headers, body } = await ask(
      { ':method': 'POST', ':path': '/a?b=c', authorization: 'client', 'x-hasura-role': 'admin', 'x-mine': 'yes' },
      '{"a":1}',
    )
    expect(headers[':status']).toBe(201)
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2'])
    expect(headers['x-up']).toBe('yes')
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['keep-alive']))
    expect(headers['x-hop']).toBeUndefined()
    expect(body).toBe('ok')
    const [sent] = upstream.requests
    expect([sent?.method, sent?.target, sent?.body.toString()]).toEqual(['POST', '/a?b=c', '{"a":1}'])
    expect(sent?.all('authorization')).toEqual(['minted'])
    expect(sent?.all('x-mine')).toEqual(['yes'])
    expect(sent?.all('x-hasura-role')).toEqual([])
    expect(sent?.all('x-forwarded-host')).toEqual(['gw.example'])
    expect(sent?.all('x-forwarded-proto')).toEqual(['https'])
    expect(sent?.head).not.toContain('\r\n:')
    expect(proxy.inbounds[0]).toMatchObject({ scheme: 'https', host: 'gw.example', path: '/a', method: 'POST' })
    expect(await proxy.recorded(1)).toMatchObject({ status: 201, outcome: 'allowed', method: 'POST' })
  })

  it('h2-012: has one cookie, whatever crumbs it came in', async () => {
    const crumbs = ['a=1', 'ory_kratos_session=x', 'b=2']
    const client = await openH2(proxy.port)
    const lines = request(crumbs.map((crumb) => ['cookie', crumb]))
    client.write(h2Frame(types.headers, flags.endHeaders | flags.endStream, 1, headerBlock(lines)))
    await client.until(({ type }) => type === types.headers)
    expect(proxy.inbounds[0]?.headers.all('cookie')).toEqual(['a=1; ory_kratos_session=x; b=2'])
    expect(upstream.requests[0]?.all('cookie')).toEqual(['a=1; b=2'])
    client.close()
  })

  it('that is refused says why, and leaves the connection to others', async () => {
    proxy.decide = ({ path: asked }) =>
      asked === '/no' ? refuse(new GatewayError('access_denied')) : allow(targetOf(upstream.origin))
    const [refused, allowed] = await Promise.all([ask({ ':path': '/no' }), ask({ ':path': '/yes' })])
    expect(refused.headers[':status']).toBe(403)
    expect(JSON.parse(refused.body)).toMatchObject({ error: { code: 403 } })
    expect(allowed.body).toBe('ok')
    expect(session.closed).toBe(false)
  })

  it('without a body has an answer without one', async () => {
    upstream.respond = () => 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n'
    const { headers, body } = await ask({ ':method': 'HEAD' })
    expect([headers['content-length'], body]).toEqual(['7', ''])
    upstream.respond = () => 'HTTP/1.1 204 No Content\r\n\r\n'
    expect((await ask({})).headers[':status']).toBe(204)
  })

  it('streams both ways, with trailers', async () => {
    let write: (text: string) => void = () => undefined
    const own = await startRecorder((_, socket) => {
      write = (text) => void socket.write(text)
      return 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\none\r\n'
    })
    proxy.decide = () => allow(targetOf(own.origin))
    const stream = session.request(
      { ':authority': 'gw.example', ':path': '/', ':method': 'POST' },
      { endStream: false },
    )
    stream.write('abc')
    await expect.poll(() => own.bytes()).toContain('abc')
    expect(own.bytes().toLowerCase()).toContain('transfer-encoding: chunked')
    stream.end('def')
    const answer = answerOf(stream)
    await once(stream, 'data')
    write('3\r\ntwo\r\n0\r\nX-Sum: 6\r\n\r\n')
    expect((await answer).trailers['x-sum']).toBe('6')
    await own.close()
  })

  it('waits for 100 (Continue)', async () => {
    const stream = session.request(
      { ':authority': 'gw.example', ':path': '/', ':method': 'PUT', expect: '100-continue' },
      { endStream: false },
    )
    const answer = answerOf(stream)
    await once(stream, 'continue')
    stream.end('body')
    expect((await answer).headers[':status']).toBe(200)
    expect(upstream.requests[0]?.body.toString()).toBe('body')
  })

  it('that waits for 100 (Continue) in vain leaves the connection to others', async () => {
    proxy.decide = ({ method }) =>
      method === 'PUT' ? refuse(new GatewayError('access_denied')) : allow(targetOf(upstream.origin))
    const stream = session.request(
      { ':authority': 'gw.example', ':path': '/', ':method': 'PUT', expect: '100-continue' },
      { endStream: false },
    )
    const { headers } = await answerOf(stream)
    expect(headers[':status']).toBe(403)
    stream.on('error', () => undefined)
    if (!stream.closed) await once(stream, 'close')
    expect((await ask({})).body).toBe('ok')
    expect(session.closed).toBe(false)
  })

  it('that the client gives up is given up at the upstream', async () => {
    upstream.respond = () => undefined
    const stream = session.request({ ':authority': 'gw.example', ':path': '/' })
    await upstream.arrived(1)
    const open = upstream.open()
    stream.on('error', () => undefined)
    stream.close(constants.NGHTTP2_CANCEL)
    await expect.poll(() => upstream.open()).toBeLessThan(open)
    expect((await proxy.recorded(1)).status).toBe(499)
    upstream.respond = () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
    expect((await ask({})).body).toBe('ok')
  })

  it('whose answer breaks off never looks whole', async () => {
    upstream.respond = (_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345', () => socket.destroy())
      return undefined
    }
    expect(await codeOf(session.request({ ':authority': 'gw.example', ':path': '/' }))).toBe(
      constants.NGHTTP2_INTERNAL_ERROR,
    )
    expect(session.closed).toBe(false)
  })

  it('that is answered early need not be sent to its end', async () => {
    proxy.decide = () => refuse(new GatewayError('access_denied'))
    const stream = session.request(
      { ':authority': 'gw.example', ':path': '/', ':method': 'POST' },
      { endStream: false },
    )
    const { headers } = await answerOf(stream)
    expect(headers[':status']).toBe(403)
    stream.on('error', () => undefined)
    await once(stream, 'close')
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR)
    expect(session.closed).toBe(false)
  })

  it('carries as much as the flow of both sides allows', async () => {
    const size = 3_000_000
    upstream.respond = () => `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`
    const sent = 'y'.repeat(size)
    const { body } = await ask({ ':method': 'POST' }, sent)
    expect(body).toHaveLength(size)
    expect(upstream.requests[0]?.body).toHaveLength(size)
  })

  it.each([
    ['another Host', { host: 'other.example' }, {}],
    ['another scheme', {}, { ':scheme': 'http' }],
    ['an absolute path', {}, { ':path': 'https://other.example/' }],
    ['no authority', {}, { ':authority': '' }],
    ['an asterisk', {}, { ':path': '*', ':method': 'OPTIONS' }],
    ['two slashes', {}, { ':path': '//a' }],
    ['an encoded dot segment', {}, { ':path': '/a/%2e%2e/b' }],
    ['a fragment', {}, { ':path': '/a#b' }],
  ])('of %s is a 400', async (_name, rest, pseudo) => {
    const client = await openH2(proxy.port)
    const block = headerBlock(request(Object.entries(rest), pseudo))
    client.write(h2Frame(types.headers, flags.endHeaders | flags.endStream, 1, block))
    await client.until(({ type, stream }) => stream === 1 && (type === types.headers || type === types.reset))
    expect(proxy.inbounds).toEqual([])
    expect(upstream.requests).toEqual([])
    client.close()
  })

  it('may repeat its authority as Host', async () => {
    expect((await ask({ host: 'GW.example' })).headers[':status']).toBe(200)
  })

  it('gets what an upstream says twice, also where once is usual', async () => {
    const twice = 'X-Content-Type-Options: nosniff\r\nETag: "a"\r\n'
    upstream.respond = () => `HTTP/1.1 200 OK\r\n${twice}${twice}Content-Length: 2\r\n\r\nok`
    const stream = session.request({ ':authority': 'gw.example', ':path': '/' })
    const [, , raw] = (await once(stream, 'response')) as [unknown, unknown, readonly string[]]
    expect((await buffer(stream)).toString()).toBe('ok')
    expect(raw.filter((name) => name === 'etag' || name === 'x-content-type-options')).toHaveLength(4)
  })

  it('that expects what nobody knows is a 417', async () => {
    expect((await ask({ expect: '200-ok' })).headers[':status']).toBe(417)
  })

  it('of more than 200 header lines is a 431', async () => {
    const lines = Object.fromEntries(Array.from({ length: 205 }, (_, i) => [`x-${i}`, '1']))
    expect((await ask(lines)).headers[':status']).toBe(431)
  })
})

describe('beside HTTP/2', () => {
  it('clients that speak HTTP/1.1 are answered on the same port', async () => {
    const status = await new Promise((resolve, reject) => {
      get({ port: proxy.port, host: '127.0.0.1', rejectUnauthorized: false, agent: false }, (response) => {
        response.resume()
        resolve([response.httpVersion, response.statusCode])
      }).on('error', reject)
    })
    expect(status).toEqual(['1.1', 200])
  })

  it('WebSockets are opened on the same port, by HTTP/1.1', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    server.on('connection', (peer) => {
      peer.on('message', (data: Buffer) => peer.send(data))
    })
    proxy.decide = () => allow(targetOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
    const socket = new WebSocket(`wss://127.0.0.1:${proxy.port}/`, { rejectUnauthorized: false })
    await once(socket, 'open')
    socket.send('hello')
    const [data] = (await once(socket, 'message')) as [Buffer]
    expect(data.toString()).toBe('hello')
    socket.close()
    await once(socket, 'close')
    server.close()
  })

  it.each([
    [{}, 'h2'],
    [{ http2: { enabled: false } }, 'http/1.1'],
  ])('a gateway with TLS speaks it unless told otherwise: %j', async (config, protocol) => {
    await using gateway = await startGateway({ config: { serve: { proxy: { tls, ...config } } } })
    const socket = connectTls({
      port: gateway.addresses.proxy.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: ['h2', 'http/1.1'],
    })
    await once(socket, 'secureConnect')
    expect(socket.alpnProtocol).toBe(protocol)
    socket.destroy()
  })

  it('without it, or in the clear, there is only HTTP/1.1', async () => {
    const older = await startProxy(() => allow(targetOf(upstream.origin)), secure, { tls })
    const refused = connect(`https://127.0.0.1:${older.port}`, { rejectUnauthorized: false })
    await once(refused, 'error')
    await older.close()
    const plain = await startProxy(() => allow(targetOf(upstream.origin)), secure, { http2 })
    const client = await openClient(plain.port)
    client.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    expect((await client.response()).status).toBe(400)
    await client.closed
    await plain.close()
    expect(upstream.requests).toEqual([])
  })

  it('a connection is told to go, and what is under way is finished', async () => {
    const leaving = await startProxy(() => allow(targetOf(upstream.origin)), secure, { tls, http2 })
    let write: () => void = () => undefined
    upstream.respond = (_, socket) => {
      write = () => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      return undefined
    }
    const own = openSession(leaving.port)
    const answer = answerOf(own.request({ ':authority': 'gw.example', ':path': '/' }))
    await upstream.arrived(1)
    const told = once(own, 'goaway')
    const closed = leaving.server.close(10_000)
    await told
    write()
    expect((await answer).body).toBe('ok')
    await closed
  })
})

describe('a connection', () => {
  const timeouts = { ...secure.timeouts, idle: 300, write: 300 }
  const ping = h2Frame(types.ping, 0, 0, Buffer.alloc(8))

  it.each([
    ['after its last request', true],
    ['before its first one', false],
  ])('%s is not kept open by signs of life, nor by a client that does not leave', async (_name, asks) => {
    const own = await startProxy(() => allow(targetOf(upstream.origin)), { ...secure, timeouts }, { tls, http2 })
    const client = await openH2(own.port)
    if (asks) {
      client.write(open(1))
      await client.until(({ type }) => type === types.headers)
    }
    const pings = setInterval(() => client.write(ping), 50)
    expect(await client.closed).toBe(constants.NGHTTP2_NO_ERROR)
    clearInterval(pings)
    await own.close()
  })

  it('is not idle while a request is under way', async () => {
    let write: () => void = () => undefined
    upstream.respond = (_, socket) => {
      write = () => void socket.write(okResponse)
      return undefined
    }
    const own = await startProxy(() => allow(targetOf(upstream.origin)), { ...secure, timeouts }, { tls, http2 })
    const client = openSession(own.port)
    const answer = answerOf(client.request({ ':authority': 'gw.example', ':path': '/' }))
    await upstream.arrived(1)
    const later = performance.now() + 2 * timeouts.idle
    await expect.poll(() => performance.now()).toBeGreaterThan(later)
    write()
    expect((await answer).body).toBe('ok')
    client.destroy()
    await own.close()
  })

  it('that opens no window for its answers is not kept open for them', async () => {
    const own = await startProxy(
      () => refuse(new GatewayError('access_denied')),
      { ...secure, timeouts },
      { tls, http2 },
    )
    const client = await openH2(own.port)
    const noWindow = Buffer.from([0, 4, 0, 0, 0, 0])
    client.write(h2Frame(types.settings, 0, 0, noWindow), open(1))
    await client.until(({ type, stream }) => type === types.reset && stream === 1)
    expect(await client.closed).toBe(constants.NGHTTP2_NO_ERROR)
    await own.close()
  })

  it('that comes while the gateway drains has one answer and is told to go', async () => {
    const own = await startProxy(() => allow(targetOf(upstream.origin)), secure, { tls, http2 })
    own.server.drain()
    const client = openSession(own.port)
    const told = once(client, 'goaway')
    expect((await answerOf(client.request({ ':authority': 'gw.example', ':path': '/' }))).body).toBe('ok')
    await told
    await own.close()
  })
})

const open = (
  stream: number,
  rest: readonly (readonly [string, string])[] = [],
  flag: number = flags.endStream,
): Buffer => h2Frame(types.headers, flags.endHeaders | flag, stream, headerBlock(request(rest)))

it('the class http2 of the catalogue is tried as a whole', () => {
  expect(idsOf('http2')).toEqual(['h2-002', 'h2-004', 'h2-007', 'h2-008', 'h2-010', 'h2-012'])
})

describe('no client', () => {
  it('h2-002: says that it sends nothing, and sends something', async () => {
    const client = await openH2(proxy.port)
    client.write(
      open(1, [['content-length', '0']], flags.none),
      h2Frame(types.data, flags.endStream, 1, Buffer.from('GET /admin HTTP/1.1\r\n')),
    )
    await client.until(({ type }) => type === types.reset || type === types.goAway).catch(() => client.closed)
    expect((await ask({})).headers[':status']).toBe(200)
    expect(upstream.requests).toHaveLength(1)
    client.close()
  })

  it('but one that ends an empty body late is answered', async () => {
    const client = await openH2(proxy.port)
    client.write(open(1, [['content-length', '0']], flags.none), h2Frame(types.data, flags.endStream, 1))
    await client.until(({ type, stream }) => type === types.headers && stream === 1)
    expect(upstream.requests).toHaveLength(1)
    client.close()
  })

  it('sends another number of bytes than it says', async () => {
    const client = await openH2(proxy.port)
    client.write(
      open(1, [['content-length', '3']], flags.none),
      h2Frame(types.data, flags.endStream, 1, Buffer.from('12')),
    )
    await client.until(({ type, stream }) => type === types.reset && stream === 1)
    expect(upstream.requests).toEqual([])
    client.close()
  })

  it.each<[string, readonly (readonly [string, string])[]]>([
    ['h2-007: a name in upper case', [['X-Hasura-Role', 'admin']]],
    ['a header of the connection', [['connection', 'x-forwarded-for']]],
    ['a body in pieces', [['transfer-encoding', 'chunked']]],
    ['an upgrade', [['upgrade', 'websocket']]],
    ['a pseudo-header that there is not', [[':admin', '1']]],
    ['a pseudo-header twice', [[':path', '/admin']]],
    ['a line break in a pseudo-header', [[':path', '/ HTTP/1.1\r\nHost: other']]],
  ])('is heard with %s', async (_name, lines) => {
    const client = await openH2(proxy.port)
    client.write(open(1, lines))
    await client.until(
      ({ type, stream, payload }) =>
        (type === types.reset && stream === 1) || (type === types.headers && payload.length > 0),
    )
    expect(proxy.inbounds).toEqual([])
    expect(upstream.requests).toEqual([])
    client.close()
  })

  // The parser takes such a line out before anybody sees the request, and node has no means to refuse it instead.
  it.each<[string, readonly (readonly [string, string])[]]>([
    ['h2-004: a line break in a value', [['x-a', 'a\r\nx-hasura-role: admin']]],
    ['NUL in a value', [['x-a', 'a\0b']]],
    ['h2-007: a name with a colon', [['x-a: b', 'c']]],
    ['h2-007: a name with a space', [['x a', 'b']]],
  ])('gets anything past the gate with %s', async (_name, lines) => {
    const client = await openH2(proxy.port)
    client.write(open(1, [['x-before', '1'], ...lines, ['x-after', '2']]))
    await client.until(({ type, stream }) => type === types.headers && stream === 1)
    expect(proxy.inbounds[0]?.headers.raw).toEqual(['host', 'gw.example', 'x-before', '1', 'x-after', '2'])
    expect(upstream.requests[0]?.head).not.toMatch(/x[- ]a\b|admin/)
    client.close()
  })

  const calm = constants.NGHTTP2_ENHANCE_YOUR_CALM
  it.each<[string, readonly Buffer[], readonly (number | undefined)[]]>([
    [
      'h2-008: opens and resets streams without end',
      Array.from({ length: 1000 }, (_, i) => [
        open(2 * i + 1),
        h2Frame(types.reset, 0, 2 * i + 1, Buffer.from([0, 0, 0, 8])),
      ]).flat(),
      [calm, constants.NGHTTP2_INTERNAL_ERROR],
    ],
    [
      'asks for signs of life without end',
      Array<Buffer>(2000).fill(h2Frame(types.ping, 0, 0, Buffer.alloc(8))),
      [calm],
    ],
    ['changes its settings without end', Array<Buffer>(2000).fill(h2Frame(types.settings, 0, 0)), [calm]],
    [
      'h2-010: opens its window too far',
      Array<Buffer>(2).fill(h2Frame(types.windowUpdate, 0, 0, Buffer.from([0x7f, 0xff, 0xff, 0xff]))),
      [constants.NGHTTP2_FLOW_CONTROL_ERROR],
    ],
    [
      'has its streams reset without end (CVE-2025-8671)',
      Array.from({ length: 1000 }, (_, i) => [
        open(2 * i + 1),
        h2Frame(types.windowUpdate, 0, 2 * i + 1, Buffer.alloc(4)),
      ]).flat(),
      // A connection that is closed while more comes may take its last words with it.
      [constants.NGHTTP2_PROTOCOL_ERROR, undefined],
    ],
    [
      'goes on with a head without end',
      [
        h2Frame(types.headers, flags.endStream, 1, headerBlock(request())),
        ...Array<Buffer>(1000).fill(h2Frame(types.continuation, 0, 1, headerBlock([['x-a', 'b'.repeat(100)]]))),
      ],
      [undefined, calm, constants.NGHTTP2_INTERNAL_ERROR, constants.NGHTTP2_PROTOCOL_ERROR],
    ],
  ])('%s', async (_name, frames, codes) => {
    const client = await openH2(proxy.port)
    client.write(...frames)
    expect(codes).toContain(await client.closed)
    // Others are answered as before.
    expect((await ask({})).headers[':status']).toBe(200)
  })

  it('has more requests under way than it may', async () => {
    upstream.respond = () => undefined
    const client = await openH2(proxy.port)
    // Those beyond the limit are sent before the server's settings have been read.
    client.write(...Array.from({ length: 30 }, (_, i) => open(2 * i + 1)))
    await client.until(({ type, stream }) => type === types.reset && stream === 2 * 29 + 1)
    await upstream.arrived(10)
    expect(proxy.inbounds).toHaveLength(10)
    client.close()
    await proxy.recorded(10)
  })

  it('has a head of more bytes than it may, whether or not it has read the settings', async () => {
    const lines = Array.from({ length: 20 }, (_, i) => [`x-${i}`, 'a'.repeat(1000)] as const)
    const block = headerBlock(request(lines))
    const client = await openH2(proxy.port)
    client.write(
      h2Frame(types.headers, flags.endStream, 1, block.subarray(0, 10_000)),
      h2Frame(types.continuation, flags.endHeaders, 1, block.subarray(10_000)),
    )
    await client.until(({ type, stream }) => type === types.headers && stream === 1)
    await expect.poll(() => proxy.records.map(({ code }) => code)).toContain('headers_too_large')
    client.close()
    const stream = session.request({ ':authority': 'gw.example', ...Object.fromEntries(lines) })
    expect(await codeOf(stream)).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM)
    expect(upstream.requests).toHaveLength(0)
  })
})
