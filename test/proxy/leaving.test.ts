import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterAll, describe, expect, it } from 'vitest'
import { WebSocketServer, type WebSocket } from 'ws'
import { folder } from '../cli/run.ts'
import { createAuthority } from '../support/certificates.ts'
import { fill, plenty } from '../support/fill.ts'
import { openClient } from '../support/raw-client.ts'
import { startBare, startRecorder } from '../support/recorder.ts'
import { allow, secure, startProxy, targetOf } from './harness.ts'

it('a client that ends its side behind its request counts as gone, and so does its request', async () => {
  const upstream = await startRecorder()
  const proxy = await startProxy(() => allow(targetOf(upstream.origin)))
  const gone = new Promise<void>((resolve) => {
    upstream.respond = (_, socket) => void socket.on('close', () => resolve())
  })
  const client = await openClient(proxy.port)
  client.write('GET / HTTP/1.1\r\nHost: gw.example\r\n\r\n')
  await upstream.arrived(1)
  client.socket.end()
  await gone
  expect(await proxy.recorded(1)).toMatchObject({ status: 499, code: 'client_closed_request' })
  expect(await client.closed).toBe('end')
  expect(client.rest()).toHaveLength(0)
  await proxy.close()
  await upstream.close()
})

const files = folder()
const { cert, key } = createAuthority(files.path)
afterAll(() => files[Symbol.dispose]())

describe.each([
  ['TCP', false],
  ['TLS', true],
])('a client that resets its connection over %s, while the upstream takes nothing, is noticed', (_, speaksTls) => {
  const tls = speaksTls ? { tls: { cert: { path: cert }, key: { path: key } } } : {}

  const open = async (port: number): Promise<{ readonly carrier: Socket; readonly client: Socket }> => {
    const carrier = connect(port, '127.0.0.1').on('error', () => undefined)
    const client = speaksTls ? connectTls({ socket: carrier, rejectUnauthorized: false }) : carrier
    client.on('error', () => undefined)
    await once(client, speaksTls ? 'secureConnect' : 'connect')
    return { carrier, client }
  }

  it('with an upload', async () => {
    const reached: Socket[] = []
    const upstream = await startBare((socket) => void reached.push(socket.pause()))
    const proxy = await startProxy(() => allow(targetOf(upstream.origin)), secure, tls)
    const { carrier, client } = await open(proxy.port)
    client.write(`POST / HTTP/1.1\r\nHost: gw.example\r\nContent-Length: ${4 * plenty}\r\n\r\n`)
    expect(await fill(client)).toBeLessThan(plenty)
    expect(proxy.records).toHaveLength(0)
    carrier.resetAndDestroy()
    expect(await proxy.recorded(1)).toMatchObject({ status: 499, code: 'client_closed_request' })
    // What it did not take is gone with the connection.
    await once(reached[0]!.resume(), 'close')
    await proxy.close()
    await upstream.close()
  })

  it('with a WebSocket', async () => {
    const left = Promise.withResolvers<void>()
    const observeWebSockets = { opened: () => undefined, closed: () => left.resolve() }
    const upstream = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    const reached = once(upstream, 'connection') as Promise<[WebSocket]>
    await once(upstream, 'listening')
    const { port } = upstream.address() as AddressInfo
    const target = targetOf(`http://127.0.0.1:${port}`)
    const proxy = await startProxy(() => allow(target), secure, { ...tls, observeWebSockets })
    const { carrier, client } = await open(proxy.port)
    client.write(
      'GET / HTTP/1.1\r\nHost: gw.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    const [peer] = await reached
    peer.pause()
    // One binary frame of 60,000 bytes after another (RFC 6455 section 5.2), masked with nothing.
    const frame = Buffer.alloc(60_008)
    frame.set([0x82, 0xfe, 60_000 >> 8, 60_000 & 0xff])
    expect(await fill(client, frame)).toBeLessThan(plenty)
    carrier.resetAndDestroy()
    await left.promise
    peer.resume()
    await once(peer, 'close')
    await proxy.close()
    upstream.close()
  })
})

/** However it ends. */
const closed = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.once('close', () => resolve()))

/** A port that nobody has. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

// Elsewhere 127.0.0.2 is no address.
describe.runIf(process.platform === 'linux')('of two TLS clients with one address and port', () => {
  const half = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'
  const tls = { tls: { cert: { path: cert }, key: { path: key } } }
  const request = 'GET / HTTP/1.0\r\nHost: gw.example\r\n\r\n'

  const tcp = async (place: { host: string; port: number; localPort: number }): Promise<Socket> => {
    const socket = connect({ localAddress: '127.0.0.1', ...place }).on('error', () => undefined)
    await once(socket, 'connect')
    return socket
  }
  const secured = async (socket: Socket): Promise<Socket> => {
    const client = connectTls({ socket, rejectUnauthorized: false }).on('error', () => undefined)
    await once(client, 'secureConnect')
    return client.resume()
  }

  it('each has a connection of its own to be reset, when they come to two of our addresses', async () => {
    const answering: Socket[] = []
    const upstream = await startBare(
      (socket) => void socket.once('data', () => answering.push(socket) && socket.write(half)),
    )
    const proxy = await startProxy(() => allow(targetOf(upstream.origin)), secure, tls, '0.0.0.0')
    const localPort = await freePort()
    const sockets = [
      await tcp({ host: '127.0.0.1', port: proxy.port, localPort }),
      await tcp({ host: '127.0.0.2', port: proxy.port, localPort }),
    ]
    const [first, second] = [await secured(sockets[0]!), await secured(sockets[1]!)]
    for (const [index, client] of [first, second].entries()) {
      const answered = once(client, 'data')
      client.write(request)
      await answered
      expect(answering).toHaveLength(index + 1)
    }
    const gone = closed(first)
    answering[0]!.destroy()
    await gone
    const rest = once(second, 'data')
    answering[1]!.write('more')
    expect(String((await rest)[0])).toBe('more')
    second.destroy()
    await proxy.close()
    await upstream.close()
  })

  it('the later one is not forgotten when the end of the earlier is noticed', async () => {
    const upstream = await startBare(
      (socket) =>
        void socket.once('data', (bytes: Buffer) => {
          if (bytes.toString('latin1').startsWith('POST')) socket.pause()
          else socket.write(half, () => socket.destroy())
        }),
    )
    const proxy = await startProxy(() => allow(targetOf(upstream.origin)), secure, tls)
    const place = { host: '127.0.0.1', port: proxy.port, localPort: await freePort() }
    const earlier = await tcp(place)
    const uploading = await secured(earlier)
    uploading.write(`POST / HTTP/1.1\r\nHost: gw.example\r\nContent-Length: ${4 * plenty}\r\n\r\n`)
    await fill(uploading)
    earlier.resetAndDestroy()
    await closed(earlier)
    const later = await tcp(place)
    expect(await proxy.recorded(1)).toMatchObject({ status: 499 })
    const client = await secured(later)
    const gone = closed(client)
    client.write(request)
    await gone
    expect(await proxy.recorded(2)).toMatchObject({ code: 'upstream_broken' })
    expect(proxy.logged.filter(({ level }) => level === 'error')).toEqual([])
    await proxy.close()
    await upstream.close()
  })
})
