import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { GatewayError } from '../../src/errors.ts'
import type { Decision } from '../../src/pipeline/contract/decision.ts'
import { defaultWebSocketLimits } from '../../src/proxy/websocket/handshake.ts'
import { openClient, sendRaw } from '../support/raw-client.ts'
import type { RawClient } from '../support/raw-client.ts'
import { startRecorder } from '../support/recorder.ts'
import type { Recorder } from '../support/recorder.ts'
import { frame } from '../websocket/frames.ts'
import { allow, refuse, secure, startProxy, targetOf } from './harness.ts'
import type { Harness } from './harness.ts'

let upstream: Recorder
let proxy: Harness

beforeAll(async () => {
  upstream = await startRecorder()
  proxy = await startProxy(() => allow(targetOf(upstream.origin)))
})
afterEach(() => {
  upstream.reset()
  proxy.reset()
})
afterAll(async () => {
  await proxy.close()
  await upstream.close()
})

const handshake = (line = 'GET /ws', replaced: Readonly<Record<string, string>> = {}): string => {
  const headers = {
    Host: 'gw.example',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol': 'graphql-transport-ws',
    ...replaced,
  }
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === '' ? [] : [`${name}: ${value}`]))
  return [`${line} HTTP/1.1`, ...lines, '', ''].join('\r\n')
}

const accepted = [
  'HTTP/1.1 101 Switching Protocols',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  'Sec-WebSocket-Protocol: graphql-transport-ws',
  'X-Upstream: 1',
  'Set-Cookie: ory_kratos_session=EVIL',
  '',
  '',
].join('\r\n')

/** Lets the upstream answer nothing; resolves when its connection is closed. */
const silent = (): Promise<void> =>
  new Promise((resolve) => {
    upstream.respond = (_, socket) => void socket.on('close', () => resolve())
  })

describe('a WebSocket handshake', () => {
  it('reaches the upstream after the decision, and its answer the client', async () => {
    proxy.decide = () => allow(targetOf(upstream.origin), { edits: [['Authorization', 'minted']] })
    upstream.respond = () => accepted
    const response = await sendRaw(
      proxy.port,
      handshake('GET /ws?x=1', {
        Authorization: 'client',
        Cookie: 'ory_kratos_session=s; a=b',
        'X-Hasura-Role': 'admin',
      }),
    )
    expect(response.status).toBe(101)
    expect(response.headers.map(([name]) => name)).toEqual([
      'Connection',
      'Upgrade',
      'Sec-WebSocket-Accept',
      'Sec-WebSocket-Protocol',
      'X-Upstream',
    ])
    const [request] = upstream.requests
    expect(request?.target).toBe('/ws?x=1')
    expect(request?.all('upgrade')).toEqual(['websocket'])
    expect(request?.all('connection')).toEqual(['upgrade'])
    expect(request?.all('sec-websocket-key')).toEqual(['dGhlIHNhbXBsZSBub25jZQ=='])
    expect(request?.all('sec-websocket-protocol')).toEqual(['graphql-transport-ws'])
    expect(request?.all('authorization')).toEqual(['minted'])
    expect(request?.all('cookie')).toEqual(['a=b'])
    expect(request?.all('x-hasura-role')).toEqual([])
    expect(await proxy.recorded(1)).toMatchObject({ status: 101, outcome: 'allowed', ruleId: 'rule' })
  })

  it('that is refused is answered over HTTP, and no connection to the upstream is opened', async () => {
    proxy.decide = () => refuse(new GatewayError('credentials_invalid'))
    const before = upstream.connections()
    const client = await openClient(proxy.port)
    client.write(handshake())
    const response = await client.response()
    expect(response.status).toBe(401)
    expect(response.header('connection')).toBe('close')
    expect(JSON.parse(response.body.toString())).toMatchObject({ error: { code: 401 } })
    expect(await client.closed).toBe('end')
    expect(upstream.connections()).toBe(before)
  })

  it('that the upstream refuses brings its answer', async () => {
    upstream.respond = () => 'HTTP/1.1 403 Forbidden\r\nX-Why: no\r\nContent-Length: 2\r\n\r\nno'
    const client = await openClient(proxy.port)
    client.write(handshake())
    const response = await client.response()
    expect(response.status).toBe(403)
    expect(response.header('x-why')).toBe('no')
    expect(response.body.toString()).toBe('no')
    expect(await client.closed).toBe('end')
  })

  it('to an upstream that is down is a 502', async () => {
    const gone = await startRecorder()
    await gone.close()
    proxy.decide = () => allow(targetOf(gone.origin))
    expect((await sendRaw(proxy.port, handshake())).status).toBe(502)
  })

  it.each([
    ['ws-005: of another host', handshake('GET http://evil.example/v1/graphql'), 400],
    ['ws-006: of a path with two slashes', handshake('GET //evil.example/v1/graphql'), 400],
    ['ws-010: by POST', handshake('POST /ws'), 400],
    ['ws-011: of an old version', handshake('GET /ws', { 'Sec-WebSocket-Version': '8' }), 400],
    [
      'ws-013: of two origins',
      handshake('GET /ws', { Origin: 'https://app.example', origin: 'https://evil.example' }),
      400,
    ],
    ['without a key', handshake('GET /ws', { 'Sec-WebSocket-Key': '' }), 400],
    ['with a key that is none', handshake('GET /ws', { 'Sec-WebSocket-Key': 'x' }), 400],
    ['with a key of 15 bytes', handshake('GET /ws', { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25j' }), 400],
    ['with a key of 17 bytes', handshake('GET /ws', { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZSE=' }), 400],
    ['with a key without padding', handshake('GET /ws', { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ' }), 400],
    ['with a key in base64url', handshake('GET /ws', { 'Sec-WebSocket-Key': '-GhlIHNhbXBsZSBub25jZQ==' }), 400],
    ['with a key with spaces', handshake('GET /ws', { 'Sec-WebSocket-Key': 'dGhlIHNh XBsZSBub25jZQ==' }), 400],
    ['with two keys', handshake('GET /ws', { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }), 400],
    ['with a body', handshake('GET /ws', { 'Content-Length': '3' }), 400],
  ])('%s is refused', async (_name, bytes, status) => {
    const response = await sendRaw(proxy.port, bytes)
    expect(response.status).toBe(status)
    expect(upstream.requests).toEqual([])
    expect(proxy.inbounds).toEqual([])
  })

  it('names the version that is spoken', async () => {
    const response = await sendRaw(proxy.port, handshake('GET /ws', { 'Sec-WebSocket-Version': '8' }))
    expect(response.header('sec-websocket-version')).toBe('13')
  })

  it('ws-009: may be one of several protocols', async () => {
    upstream.respond = () => accepted
    expect((await sendRaw(proxy.port, handshake('GET /ws', { Upgrade: 'foo, WebSocket' }))).status).toBe(101)
    expect(upstream.requests[0]?.all('upgrade')).toEqual(['websocket'])
  })

  it('ws-015: what the client sends at once waits for both sides', async () => {
    let accept: () => void = () => undefined
    upstream.respond = (_, socket) => {
      accept = () => void socket.write(accepted)
      return undefined
    }
    const client = await openClient(proxy.port)
    client.write(`${handshake()}GET /admin HTTP/1.1\r\nHost: gw.example\r\n\r\n`)
    await upstream.arrived(1)
    expect(upstream.bytes()).not.toContain('/admin')
    accept()
    expect((await client.response()).status).toBe(101)
    await expect.poll(() => upstream.bytes()).toContain('/admin')
    expect(upstream.requests).toHaveLength(1)
    expect(proxy.inbounds).toHaveLength(1)
    client.close()
  })
})

describe('while a handshake is being answered', () => {
  it.each<[string, (client: RawClient) => void]>([
    ['ends its side', ({ socket }) => void socket.end()],
    ['breaks off', ({ socket }) => void socket.resetAndDestroy()],
    ['sends more than it may before it is answered', (client) => client.write(Buffer.alloc(70_000))],
  ])('a client that %s is given up, and so is the upstream', async (_name, leave) => {
    const gone = silent()
    const client = await openClient(proxy.port)
    client.write(handshake())
    await upstream.arrived(1)
    leave(client)
    await gone
    expect((await proxy.recorded(1)).status).toBe(499)
    client.close()
  })

  it('a client that leaves before the decision gets no upstream to wait for it', async () => {
    const decision = Promise.withResolvers<Decision>()
    proxy.decide = () => decision.promise
    const client = await openClient(proxy.port)
    client.write(handshake())
    await expect.poll(() => proxy.inbounds.length).toBe(1)
    client.socket.end()
    expect((await proxy.recorded(1)).status).toBe(499)
    decision.resolve(allow(targetOf(upstream.origin)))
    await client.closed
    expect(upstream.requests).toEqual([])
  })

  it('what the client sends in pieces reaches the upstream whole, once it has agreed', async () => {
    let accept: () => void = () => undefined
    upstream.respond = (_, socket) => {
      accept = () => void socket.write(accepted)
      return undefined
    }
    const client = await openClient(proxy.port)
    const pieces = [frame(1, 'one'), frame(1, 'two'), frame(2, Buffer.alloc(3000, 7))]
    client.write(Buffer.concat([Buffer.from(handshake()), pieces[0]!.subarray(0, 3)]))
    await upstream.arrived(1)
    client.write(Buffer.concat([pieces[0]!.subarray(3), pieces[1]!]))
    client.write(pieces[2]!)
    accept()
    expect((await client.response()).status).toBe(101)
    await expect.poll(() => upstream.bytes()).toContain(Buffer.concat(pieces).toString('latin1'))
    client.close()
  })

  it('what the upstream sends along with its agreement reaches the client', async () => {
    const greeting = frame(1, 'hello', { masked: false })
    upstream.respond = () => accepted + greeting.toString('latin1')
    const client = await openClient(proxy.port)
    client.write(handshake())
    expect((await client.response()).status).toBe(101)
    expect(await client.until((bytes) => bytes.length >= greeting.length)).toEqual(greeting)
    client.close()
  })

  it.each([
    ['does not answer the key', accepted.replace(/Sec-WebSocket-Accept.*\r\n/, '')],
    ['answers another key', accepted.replace('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=', 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=')],
  ])('an upstream that switches protocols and %s gets nothing more', async (_name, answer) => {
    let gone: Promise<unknown> | undefined
    upstream.respond = (_, socket) => {
      gone = once(socket, 'close')
      return answer
    }
    const client = await openClient(proxy.port)
    client.write(`${handshake()}GET /admin HTTP/1.1\r\nHost: gw.example\r\n\r\n`)
    expect((await client.response()).status).toBe(502)
    expect(await client.closed).toBe('end')
    await gone
    expect(upstream.bytes()).not.toContain('/admin')
    expect((await proxy.recorded(1)).code).toBe('upstream_broken')
  })

  it('a long answer that refuses it flows as fast as it is read', async () => {
    const size = 5_000_000
    upstream.respond = () => `HTTP/1.1 403 Forbidden\r\nContent-Length: ${size}\r\n\r\n${'a'.repeat(size)}`
    const client = await openClient(proxy.port)
    client.write(handshake())
    expect((await client.response()).body).toHaveLength(size)
    expect(await client.closed).toBe('end')
  })

  it('a client that does not take the answer is cut off', async () => {
    proxy.settings = { ...secure, timeouts: { ...secure.timeouts, write: 100 } }
    const size = 20_000_000
    upstream.respond = () => `HTTP/1.1 403 Forbidden\r\nContent-Length: ${size}\r\n\r\n${'a'.repeat(size)}`
    const client = await openClient(proxy.port)
    client.socket.pause()
    client.write(handshake())
    expect((await proxy.recorded(1)).code).toBe('client_closed_request')
    client.close()
  })
})

describe('what comes right after a request that is still being answered', () => {
  const after = async (second: string, size = 2) => {
    let answer: () => void = () => undefined
    upstream.respond = ({ target }, socket) => {
      if (target === '/ws') return accepted
      answer = () => void socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${'a'.repeat(size)}`)
      return undefined
    }
    const client = await openClient(proxy.port)
    client.write(`GET /first HTTP/1.1\r\nHost: gw.example\r\n\r\n${second}`)
    await upstream.arrived(1)
    expect(proxy.inbounds).toHaveLength(1)
    answer()
    expect((await client.response()).body).toHaveLength(size)
    const { status } = await client.response()
    client.close()
    return status
  }

  it('is answered after it, also when it comes with the socket alone', async () => {
    expect(await after(handshake())).toBe(101)
    upstream.reset()
    proxy.reset()
    expect(await after(handshake('GET /ws', { 'Sec-WebSocket-Version': '8' }))).toBe(400)
    upstream.reset()
    proxy.reset()
    expect(await after('CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n')).toBe(400)
  })

  it('waits for a large answer that flows as fast as it is read', async () => {
    expect(await after(handshake(), 5_000_000)).toBe(101)
  })

  it.each([
    ['a handshake', handshake()],
    ['nonsense', 'nonsense\r\n\r\n'],
  ])('gets no answer in the midst of one that breaks off: %s', async (_name, second) => {
    let cut: () => void = () => undefined
    upstream.respond = (_, socket: Socket) => {
      cut = () => void socket.destroy()
      return 'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nbegun'
    }
    const client = await openClient(proxy.port)
    client.write(`GET /first HTTP/1.1\r\nHost: gw.example\r\n\r\n${second}`)
    await client.until((bytes) => bytes.includes('begun'))
    cut()
    await client.closed
    expect(client.rest()).toHaveLength(0)
    expect(upstream.requests).toHaveLength(1)
  })

  it('does not wait for a client that takes no answer', async () => {
    proxy.settings = { ...secure, timeouts: { ...secure.timeouts, write: 100 } }
    const size = 20_000_000
    upstream.respond = () => `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${'a'.repeat(size)}`
    const client = await openClient(proxy.port)
    client.socket.pause()
    client.write(`GET /first HTTP/1.1\r\nHost: gw.example\r\n\r\n${handshake()}`)
    expect((await proxy.recorded(1)).code).toBe('client_closed_request')
    expect(proxy.inbounds).toHaveLength(1)
    client.close()
  })

  it('does not wait when its client has gone', async () => {
    const gone = silent()
    const client = await openClient(proxy.port)
    client.write(`GET /first HTTP/1.1\r\nHost: gw.example\r\n\r\n${handshake()}`)
    await upstream.arrived(1)
    client.socket.end()
    await gone
    expect((await proxy.recorded(1)).status).toBe(499)
    expect(proxy.inbounds).toHaveLength(1)
    await client.closed
  })

  it('is answered after an expectation that nobody knows', async () => {
    upstream.respond = () => accepted
    const client = await openClient(proxy.port)
    client.write(`GET / HTTP/1.1\r\nHost: gw.example\r\nExpect: 200-ok\r\n\r\n${handshake()}`)
    expect((await client.response()).status).toBe(417)
    expect((await client.response()).status).toBe(101)
    expect(proxy.records[0]).toMatchObject({ status: 417, code: 'expectation_unknown' })
    client.close()
  })
})

describe('any other upgrade', () => {
  it.each(['h2c', 'foo', 'TLS/1.0, foo'])('%s is ignored, and the request answered', async (protocol) => {
    const client = await openClient(proxy.port)
    const offer = `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AA\r\n`
    client.write(`GET /x HTTP/1.1\r\nHost: gw.example\r\n${offer}\r\n`)
    expect((await client.response()).status).toBe(200)
    client.write(`POST /y HTTP/1.1\r\nHost: gw.example\r\n${offer}Content-Length: 3\r\n\r\nabc`)
    expect((await client.response()).status).toBe(200)
    client.close()
    expect(upstream.requests.map(({ body }) => body.toString())).toEqual(['', 'abc'])
    for (const request of upstream.requests) {
      for (const name of ['upgrade', 'http2-settings']) expect(request.all(name)).toEqual([])
    }
  })

  it('CONNECT is refused and its connection closed', async () => {
    const client = await openClient(proxy.port)
    client.write('CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n')
    expect((await client.response()).status).toBe(400)
    expect(await client.closed).toBe('end')
    expect(proxy.inbounds).toEqual([])
  })
})

describe('an open WebSocket', () => {
  let server: WebSocketServer

  beforeAll(async () => {
    server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    server.on('connection', (socket) => {
      socket.on('message', (data: Buffer, binary) => {
        if (data.toString() === 'close') socket.close(4400, 'because')
        else if (data.toString() === 'cut') socket.terminate()
        else socket.send(data, { binary })
      })
    })
  })
  afterAll(() => {
    server.close()
  })

  const echo = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const open = async (port = proxy.port): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`)
    await once(socket, 'open')
    return socket
  }
  const say = async (socket: WebSocket, data: string | Buffer): Promise<Buffer> => {
    socket.send(data)
    const [answer] = (await once(socket, 'message')) as [Buffer]
    return answer
  }

  it('carries text, binary and large messages both ways', async () => {
    proxy.decide = () => allow(targetOf(echo()))
    const socket = await open()
    expect((await say(socket, 'Größe 漢字')).toString()).toBe('Größe 漢字')
    const large = Buffer.alloc(3_000_000, 7)
    expect((await say(socket, large)).equals(large)).toBe(true)
    socket.terminate()
  })

  it('ws-029: closes with the code and reason of either side', async () => {
    proxy.decide = () => allow(targetOf(echo()))
    const first = await open()
    first.send('close')
    const [code, reason] = (await once(first, 'close')) as [number, Buffer]
    expect([code, reason.toString()]).toEqual([4400, 'because'])

    const second = await open()
    const peer = [...server.clients].at(-1)!
    second.close(1000, 'done')
    const [peerCode] = (await once(peer, 'close')) as [number]
    expect(peerCode).toBe(1000)
  })

  it('ends for both when one side is cut off', async () => {
    proxy.decide = () => allow(targetOf(echo()))
    const first = await open()
    first.send('cut')
    expect(await once(first, 'close')).toEqual([1006, Buffer.alloc(0)])

    const second = await open()
    const peer = [...server.clients].at(-1)!
    second.terminate()
    expect(await once(peer, 'close')).toEqual([1006, Buffer.alloc(0)])
  })

  it('ws-026: is told 1001 when the gateway goes away, and its connections end', async () => {
    const leaving = await startProxy(() => allow(targetOf(echo())))
    const socket = await open(leaving.port)
    await say(socket, 'hello')
    const closed = once(socket, 'close') as Promise<[number, Buffer]>
    await leaving.server.close(10_000)
    const [code] = await closed
    expect(code).toBe(1001)
  })

  it('is told 1001 between two frames, never inside one', async () => {
    const leaving = await startProxy(() => allow(targetOf(upstream.origin)))
    let write: (bytes: Buffer) => void = () => undefined
    upstream.respond = (_, socket: Socket) => {
      write = (bytes) => void socket.write(bytes)
      return accepted
    }
    const client = await openClient(leaving.port)
    client.write(handshake())
    expect((await client.response()).status).toBe(101)
    write(Buffer.from([0x82, 0x05, 1, 2]))
    await client.until((bytes) => bytes.length === 4)
    const gone = leaving.server.close(500)
    write(Buffer.from([3, 4, 5, 0x82, 0x01, 9]))
    expect([...(await client.until((bytes) => bytes.length >= 7))]).toEqual([3, 4, 5, 0x88, 0x02, 0x03, 0xe9])
    await gone
    expect(client.rest()).toHaveLength(0)
  })

  it('whose client is sent one long frame is not asked for a sign of life before it has ended', async () => {
    const webSockets = { ...defaultWebSocketLimits, ping: 40 }
    const patient = await startProxy(() => allow(targetOf(upstream.origin)), { ...secure, webSockets })
    let write: (bytes: Buffer) => void = () => undefined
    upstream.respond = (_, socket: Socket) => {
      write = (bytes) => void socket.write(bytes)
      return accepted
    }
    const client = await openClient(patient.port)
    client.write(handshake())
    expect((await client.response()).status).toBe(101)
    const pass = async (bytes: Buffer): Promise<void> => {
      write(bytes)
      await client.until((received) => received.length >= bytes.length)
    }
    let left = 50_000
    await pass(Buffer.from([0x82, 126, left >> 8, left & 255]))
    for (const enough = performance.now() + 300; performance.now() < enough; left--) await pass(Buffer.alloc(1))
    await pass(Buffer.alloc(left))
    expect([...(await client.until((bytes) => bytes.length >= 2))]).toEqual([0x89, 0x00])
    await client.closed
    await patient.close()
  })

  it('is one of so many; the next handshake is a 503', async () => {
    const limited = await startProxy(() => allow(targetOf(echo())), {
      ...secure,
      webSockets: { ...defaultWebSocketLimits, max: 1 },
    })
    const socket = await open(limited.port)
    expect((await sendRaw(limited.port, handshake())).status).toBe(503)
    socket.terminate()
    await expect.poll(async () => (await sendRaw(limited.port, handshake())).status).toBe(101)
    await limited.close()
  })
})
