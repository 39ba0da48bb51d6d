import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { GatewayError } from '../../src/errors.ts'
import type { AllowedDecision } from '../../src/pipeline/contract/decision.ts'
import type { Revocation } from '../../src/pipeline/contract/revocations.ts'
import type { Session } from '../../src/pipeline/contract/session.ts'
import type { WebSocketSettings } from '../../src/pipeline/contract/upstream.ts'
import { defaultWebSocketLimits } from '../../src/proxy/websocket/handshake.ts'
import { createRevocations } from '../../src/sessions/revocations.ts'
import { openClient, sendRaw } from '../support/raw-client.ts'
import { allow, refuse, secure, startProxy, targetOf } from '../proxy/harness.ts'
import type { Harness } from '../proxy/harness.ts'

let server: WebSocketServer
let origin: string

beforeAll(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: (offered) => [...offered][0] ?? false })
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer, isBinary) => socket.send(data, { binary: isBinary }))
  })
})
afterAll(() => {
  server.close()
})

const settings: WebSocketSettings = { allowedOrigins: [], recheck: 0, maxMessage: 1_000_000 }
const alice: Session = { subject: 'alice', extra: null, id: 's1', identity: 'alice' }
const allowed = (
  webSocket: Partial<WebSocketSettings> | false = {},
  rest: Partial<AllowedDecision> = {},
): AllowedDecision =>
  allow(targetOf(origin, { webSocket: webSocket === false ? false : { ...settings, ...webSocket } }), {
    session: alice,
    ...rest,
  })

const jwt = (claims: object): string =>
  `Bearer ${[{ alg: 'none' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.c2ln`

const bus = createRevocations({ error: () => undefined })

async function open(
  proxy: Harness,
  protocols: readonly string[] = [],
  headers: Record<string, string> = {},
): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/ws`, [...protocols], { headers })
  await once(socket, 'open')
  return socket
}

const closeOf = async (socket: WebSocket): Promise<[code: number, reason: string]> => {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
  return [code, reason.toString()]
}

/** Status of an upgrade that is asked for in exact bytes. */
async function upgrade(proxy: Harness, lines: readonly string[] = []): Promise<number> {
  const head = [
    'GET /ws HTTP/1.1',
    'Host: gw.example',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...lines,
  ]
  return (await sendRaw(proxy.port, `${head.join('\r\n')}\r\n\r\n`)).status
}

describe('a WebSocket may be opened', () => {
  it.each([
    ['without an origin', [], undefined, 101],
    ['by a page of the same host', [], 'http://gw.example', 101],
    ['by a page of the same host over TLS', [], 'https://gw.example', 101],
    ['by a page of an allowed origin', ['https://app.example'], 'https://app.example', 101],
    ['by a page of an allowed label', ['https://*.app.example'], 'https://a.app.example', 101],
    ['by any page, where all may', ['*'], 'null', 101],
    ['not by a page of another origin', ['https://app.example'], 'https://evil.example', 403],
    ['not by a page without an origin', ['https://app.example'], 'null', 403],
    ['not by a page of another port', [], 'http://gw.example:8080', 403],
    ['not by a page whose origin only begins so', ['https://app.example'], 'https://app.example.evil.example', 403],
  ])('%s', async (_name, allowedOrigins, from, status) => {
    const proxy = await startProxy(() => allowed({ allowedOrigins }))
    expect(await upgrade(proxy, from === undefined ? [] : [`Origin: ${from}`])).toBe(status)
    expect((await proxy.recorded(1)).code).toBe(status === 403 ? 'websocket_not_allowed' : undefined)
    await proxy.close()
  })

  it('not under a rule without it', async () => {
    const proxy = await startProxy(() => allowed(false))
    expect(await upgrade(proxy)).toBe(403)
    await proxy.close()
  })

  it('so many times in one session, and then by others', async () => {
    const limits = { ...defaultWebSocketLimits, maxPerSession: 2 }
    const proxy = await startProxy(() => allowed(), { ...secure, webSockets: limits })
    const sockets = [await open(proxy), await open(proxy)]
    expect(await upgrade(proxy)).toBe(429)
    proxy.decide = () => allowed({}, { session: { ...alice, id: 's2' } })
    expect(await upgrade(proxy)).toBe(101)
    proxy.decide = () => allowed()
    sockets[0]!.terminate()
    await expect.poll(() => upgrade(proxy)).toBe(101)
    await proxy.close()
  })

  it('again after handshakes that came to nothing', async () => {
    const proxy = await startProxy(() => allowed(), { ...secure, webSockets: { ...defaultWebSocketLimits, max: 1 } })
    const there = origin
    origin = 'http://127.0.0.1:1'
    expect(await upgrade(proxy)).toBe(502)
    origin = there
    expect(await upgrade(proxy)).toBe(101)
    await proxy.close()
  })
})

describe('an open WebSocket', () => {
  it('lasts as long as it is decided for', async () => {
    let asked = 0
    const proxy = await startProxy(() => {
      asked++
      // A token differs from the one before in its times alone, an outage says nothing.
      if (asked === 3) return refuse(new GatewayError('session_store_unavailable'))
      if (asked > 5) return refuse(new GatewayError('credentials_invalid'))
      const token = jwt({ sub: 'alice', iat: asked, exp: 4_000_000_000 + asked, jti: String(asked) })
      return allowed({ recheck: 30 }, { edits: [['authorization', token]] })
    })
    const socket = await open(proxy)
    expect(await closeOf(socket)).toEqual([4401, 'session ended'])
    expect(asked).toBe(6)
    expect(proxy.logged.map(({ message }) => message)).toContain('WebSocket closed')
    await proxy.close()
  })

  it.each<[string, Partial<AllowedDecision>]>([
    ['another role', { edits: [['authorization', jwt({ sub: 'alice', role: 'none' })]] }],
    ['another header', { edits: [['X-Role', 'none']] }],
    ['another user', { session: { ...alice, subject: 'bob' } }],
    ['another session', { session: { ...alice, id: 's2' } }],
    ['another rule', { ruleId: 'other' }],
  ])('has to come back for %s', async (_name, later) => {
    let asked = 0
    const first = { edits: [['authorization', jwt({ sub: 'alice', role: 'user' })]] as const }
    const proxy = await startProxy(() => allowed({ recheck: 20 }, asked++ === 0 ? first : { ...first, ...later }))
    expect(await closeOf(await open(proxy))).toEqual([4403, 'session changed'])
    await proxy.close()
  })

  it('ws-022: has to come back shortly before its token ends', async () => {
    const exp = Date.now() / 1000 + 1
    const proxy = await startProxy(() => allowed({}, { edits: [['authorization', jwt({ exp })]] }))
    const socket = await open(proxy)
    expect(await closeOf(socket)).toEqual([4403, 'token ended'])
    expect(Date.now() / 1000).toBeLessThan(exp)
    await proxy.close()
  })

  it('ends with its session', async () => {
    const expiresAt = Date.now() + 300
    const proxy = await startProxy(() => allowed({}, { session: { ...alice, expiresAt } }))
    expect(await closeOf(await open(proxy))).toEqual([4401, 'session ended'])
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt - 5)
    await proxy.close()
  })

  it('may come back when its session was extended', async () => {
    let expiresAt = Date.now() + 200
    const proxy = await startProxy(() => allowed({}, { session: { ...alice, expiresAt } }))
    const socket = await open(proxy)
    expiresAt += 3_600_000
    expect(await closeOf(socket)).toEqual([4403, 'token ended'])
    await proxy.close()
  })

  it.each<[string, Revocation, [number, string] | undefined]>([
    ['its session', { session: 's1' }, [4401, 'session ended']],
    ['its user', { identity: 'alice' }, [4403, 'session changed']],
    ['another session', { session: 's2' }, undefined],
    ['another user', { identity: 'bob' }, undefined],
  ])('hears of the end of %s', async (_name, revocation, expected) => {
    const proxy = await startProxy(() => allowed(), secure, { revocations: bus })
    const socket = await open(proxy)
    const closed = closeOf(socket)
    bus.publish(revocation, 'admin_api')
    if (expected === undefined) {
      socket.send('still there')
      await once(socket, 'message')
      socket.close(1000, 'done')
    }
    expect(await closed).toEqual(expected ?? [1000, 'done'])
    await proxy.close()
  })

  it('of a rule that says nothing of them ends with a revocation, too, and with nothing else', async () => {
    const edits = [['authorization', jwt({ exp: 1 })]] as const
    const session = { ...alice, expiresAt: Date.now() + 50 }
    const proxy = await startProxy(() => allow(targetOf(origin), { session, edits }), secure, { revocations: bus })
    const socket = await open(proxy)
    await expect.poll(() => Date.now()).toBeGreaterThan(session.expiresAt + 50)
    expect(socket.readyState).toBe(WebSocket.OPEN)
    const closed = closeOf(socket)
    bus.publish({ session: 's1' }, 'admin_api')
    expect(await closed).toEqual([4401, 'session ended'])
    await proxy.close()
  })

  it('is decided about again when everything may have ended', { timeout: 20_000 }, async () => {
    const proxy = await startProxy(() => allowed(), secure, { revocations: bus })
    const socket = await open(proxy)
    proxy.decide = () => refuse(new GatewayError('credentials_invalid'))
    bus.publish({ everything: true }, 'redis')
    expect(await closeOf(socket)).toEqual([4401, 'session ended'])
    await proxy.close()
  })

  it('is decided about again when its session is in doubt, and stays if it holds', async () => {
    const proxy = await startProxy(() => allowed(), secure, { revocations: bus })
    const socket = await open(proxy)
    const asked = Promise.withResolvers<void>()
    proxy.decide = () => {
      asked.resolve()
      return allowed()
    }
    bus.publish({ session: 's1', inDoubt: true }, 'refused')
    await asked.promise
    socket.send('still there')
    await once(socket, 'message')
    const closed = closeOf(socket)
    proxy.decide = () => refuse(new GatewayError('credentials_invalid'))
    bus.publish({ session: 's1', inDoubt: true }, 'refused')
    expect(await closed).toEqual([4401, 'session ended'])
    await proxy.close()
  })

  it('ws-025: is asked for a sign of life, and stays as long as it gives one', async () => {
    const proxy = await startProxy(() => allowed(), { ...secure, webSockets: { ...defaultWebSocketLimits, ping: 40 } })
    const lively = await open(proxy)
    await once(lively, 'ping')
    await once(lively, 'ping')
    await once(lively, 'ping')
    expect(lively.readyState).toBe(WebSocket.OPEN)
    lively.terminate()

    const client = await openClient(proxy.port)
    client.write(
      'GET /ws HTTP/1.1\r\nHost: gw.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    expect((await client.response()).status).toBe(101)
    await client.closed
    // The upstream's answer to its own ping may have come before.
    expect(client.rest().includes(Buffer.from([0x89, 0x00]))).toBe(true)
    await proxy.close()
  })

  it('is closed at a message that is too big', async () => {
    const proxy = await startProxy(() => allowed({ maxMessage: 2048 }))
    const socket = await open(proxy)
    socket.send(Buffer.alloc(2048))
    await once(socket, 'message')
    socket.send(Buffer.alloc(4096))
    expect(await closeOf(socket)).toEqual([1009, 'the message is too big'])
    await proxy.close()
  })

  it('ws-024: is cut off when its client takes nothing any more', async () => {
    const proxy = await startProxy(() => allowed(), { ...secure, timeouts: { ...secure.timeouts, write: 300 } })
    const socket = await open(proxy)
    const peer = [...server.clients].at(-1)!
    socket.pause()
    const closed = once(peer, 'close')
    peer.send(Buffer.alloc(64_000_000))
    expect(await closed).toEqual([1006, Buffer.alloc(0)])
    socket.terminate()
    await proxy.close()
  })
})

describe('an open GraphQL socket', () => {
  const transport = 'graphql-transport-ws'
  const read = async (socket: WebSocket): Promise<unknown> => {
    const [data] = (await once(socket, 'message')) as [Buffer]
    return JSON.parse(data.toString())
  }

  it('begins with what the gateway says, and its upgrade says nothing else', async () => {
    const edits = [['authorization', 'Bearer minted']] as const
    const proxy = await startProxy(() => allowed({ graphql: 'payload_headers' }, { edits }))
    const arrived = once(server, 'connection') as Promise<[WebSocket, { headers: Record<string, string> }]>
    const socket = await open(proxy, ['foo', transport], { Authorization: 'Bearer client', 'X-Hasura-Role': 'admin' })
    const [, { headers }] = await arrived
    expect(headers['authorization']).toBeUndefined()
    expect(headers['x-hasura-role']).toBeUndefined()
    expect(headers['sec-websocket-protocol']).toBe(transport)
    expect(headers['sec-websocket-extensions']).toBeUndefined()
    expect(socket.protocol).toBe(transport)
    socket.send(JSON.stringify({ type: 'connection_init', payload: { headers: { 'x-hasura-role': 'admin' } } }))
    expect(await read(socket)).toEqual({
      type: 'connection_init',
      payload: { headers: { Authorization: 'Bearer minted' } },
    })
    socket.send(JSON.stringify({ type: 'connection_init' }))
    expect(await closeOf(socket)).toEqual([4429, 'Too many initialisation requests'])
    await proxy.close()
  })

  it('of the older protocol is told in a message why it ends', async () => {
    const proxy = await startProxy(() => allowed({ graphql: 'upgrade' }), secure, { revocations: bus })
    const socket = await open(proxy, ['graphql-ws'])
    const message = read(socket)
    const closed = closeOf(socket)
    bus.publish({ session: 's1' }, 'admin_api')
    expect(await message).toEqual({ type: 'connection_error', payload: { message: 'session ended' } })
    expect(await closed).toEqual([4401, 'session ended'])
    await proxy.close()
  })

  it('is refused when it offers other protocols alone', async () => {
    const proxy = await startProxy(() => allowed({ graphql: 'upgrade' }))
    expect(await upgrade(proxy, ['Sec-WebSocket-Protocol: mqtt'])).toBe(400)
    expect(await upgrade(proxy, ['Sec-WebSocket-Protocol: mqtt, graphql-ws'])).toBe(101)
    await proxy.close()
  })

  it('to a server that chooses what it was not offered is a 502', async () => {
    const odd = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(odd, 'listening')
    odd.on('headers', (lines) => lines.push('Sec-WebSocket-Protocol: mqtt'))
    const at = `http://127.0.0.1:${(odd.address() as AddressInfo).port}`
    const proxy = await startProxy(() => allow(targetOf(at, { webSocket: { ...settings, graphql: 'upgrade' } })))
    expect(await upgrade(proxy)).toBe(502)
    await proxy.close()
    odd.close()
  })
})
