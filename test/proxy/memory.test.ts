/** What the gateway itself holds of streams that stand still. In a process of its own, whose memory is nobody else's. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Writable } from 'node:stream'
import { afterEach, expect, it } from 'vitest'
import { folder, spawnCli, writeGateway } from '../cli/run.ts'
import { createAuthority } from '../support/certificates.ts'
import { fill, plenty } from '../support/fill.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** What is no longer used does not count. */
const tidy = 'data:text/javascript,setInterval(()=>gc(),200)'
const streams = 30
/**
 * KiB of each stream. All memory outside of the JavaScript heap counts: what waits for the slow side, what has been read for it
 * meanwhile, whatever either of them is a part of, and the two connections themselves. What the kernel holds is its own.
 */
const most = 128

interface Upstream {
  readonly origin: string
  /** One for each stream; those of downloads resolve with their bytes when nothing moves any more. */
  readonly begun: readonly (Promise<number> | undefined)[]
}

/** An upstream that reads no upload and no WebSocket, and writes downloads for ever. */
async function startUpstream(): Promise<Upstream> {
  const begun: (Promise<number> | undefined)[] = []
  const sockets = new Set<Socket>()
  const upstream = createServer((request, response) => {
    begun.push(request.method === 'GET' ? fill(response.writeHead(200)) : undefined)
    request.pause()
  })
  upstream.on('connection', (socket: Socket) => void sockets.add(socket))
  upstream.on('upgrade', (request, socket) => {
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    const accept = createHash('sha1').update(key).digest('base64')
    begun.push(undefined)
    socket.on('error', () => undefined).pause()
    socket.write(`${upgrade('HTTP/1.1 101 Switching Protocols')}Sec-WebSocket-Accept: ${accept}\r\n\r\n`)
  })
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    upstream.close()
  })
  return { origin: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`, begun }
}

interface Running {
  readonly port: number
  /** Bytes of memory outside of the JavaScript heap. */
  buffers(): Promise<number>
}

async function startGateway(upstream: string, speaksTls: boolean): Promise<Running> {
  const files = folder()
  closing.push(() => files[Symbol.dispose]())
  const listener = { host: '127.0.0.1', port: 0 }
  const { cert, key } = createAuthority(files.path)
  const tls = speaksTls ? { tls: { cert: { path: cert }, key: { path: key } } } : {}
  const config = writeGateway(files, {
    serve: { proxy: { ...listener, ...tls }, api: listener, prometheus: listener, shutdown: { drain: '0s' } },
  })
  files.write('rules.yaml', [
    {
      id: 'all',
      match: { url: '<https?>://app.example/<.*>', methods: ['GET', 'POST'] },
      authenticators: [{ handler: 'anonymous' }],
      authorizer: { handler: 'allow' },
      mutators: [{ handler: 'noop' }],
      upstream: { url: upstream, websocket: true },
    },
  ])
  const gateway = spawnCli(['serve', '-c', config], {}, ['--expose-gc', '--import', tidy])
  closing.push(() => {
    gateway.child.kill('SIGKILL')
    return gateway.ended
  })
  const banner = await gateway.errMatching(
    /proxy {4}https?:\/\/127\.0\.0\.1:(\d+)\n[^]*metrics {2}http:\/\/127\.0\.0\.1:(\d+)/,
  )
  return {
    port: Number(banner[1]),
    buffers: async () => {
      const text = await (await fetch(`http://127.0.0.1:${banner[2]}/metrics`)).text()
      return Number(/^\w*nodejs_external_memory_bytes (\S+)$/m.exec(text)![1])
    },
  }
}

const upgrade = (first: string): string => `${first}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`

async function open(port: number, head: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  closing.push(() => socket.destroy())
  await once(socket, 'connect')
  socket.write(`${head}\r\n`)
  return socket
}

function openHttp2(port: number): Writable {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] })
  const session = connectHttp2('https://app.example', { createConnection: () => socket }).on('error', () => undefined)
  closing.push(() => session.destroy())
  const head = { ':method': 'POST', ':path': '/x', ':authority': 'app.example' }
  return session.request(head).on('error', () => undefined)
}

/** One binary frame of 60,000 bytes (RFC 6455 section 5.2), masked with nothing. */
const message = Buffer.alloc(60_008)
message.set([0x82, 0xfe, 60_000 >> 8, 60_000 & 0xff])

/** Each begins one stream. What writes for ever answers how many bytes went until nothing moved any more. */
const kinds: Record<string, (port: number) => Promise<number | undefined>> = {
  'a download over HTTP/1.1': async (port) => {
    const socket = await open(port, 'GET /x HTTP/1.1\r\nHost: app.example\r\n')
    socket.pause()
    return undefined
  },
  'an upload over HTTP/1.1': async (port) =>
    fill(await open(port, `POST /x HTTP/1.1\r\nHost: app.example\r\nContent-Length: ${4 * plenty}\r\n`)),
  'an upload over HTTP/2': async (port) => fill(openHttp2(port)),
  'a WebSocket that its client fills': async (port) => {
    const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
    const socket = await open(port, upgrade('GET /x HTTP/1.1\r\nHost: app.example') + key)
    expect(String((await once(socket, 'data'))[0])).toContain(' 101 ')
    return fill(socket, message)
  },
}

it.each(Object.entries(kinds))(
  'rel-025, rel-027: %s costs 128 KiB at most when it stands still',
  async (name, begin) => {
    const upstream = await startUpstream()
    const gateway = await startGateway(upstream.origin, name.endsWith('HTTP/2'))
    const before = await gateway.buffers()
    const begun: Promise<number | undefined>[] = []
    for (let i = 0; i < streams; i++) begun.push(begin(gateway.port))
    await expect.poll(() => upstream.begun.length, { timeout: 20_000 }).toBe(streams)
    for (const bytes of await Promise.all([...begun, ...upstream.begun])) expect(bytes ?? 0).toBeLessThan(plenty)
    await expect
      .poll(async () => ((await gateway.buffers()) - before) / streams / 1024, { timeout: 20_000, interval: 300 })
      .toBeLessThan(most)
  },
  60_000,
)
