/** What the gateway itself holds of streams that stand still. In a process of its own, whose memory is nobody else's. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { afterEach, expect, it } from 'vitest'
import { folder, spawnCli, writeGateway } from '../cli/run.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const mebibyte = 1024 * 1024
/** What is no longer used does not count. */
const tidy = 'data:text/javascript,setInterval(()=>gc(),200)'
const streams = 40
/** Linux lets each receiving end have up to 32 MiB; whoever has got rid of more is not stopped by anybody. */
const plenty = 256 * mebibyte

/** Writes for ever, as fast as the other side takes it; resolves when it has taken nothing for a while. */
async function fill(socket: Writable): Promise<number> {
  const chunk = Buffer.alloc(65_536, 'x')
  let written = 0
  while (written < plenty) {
    written += chunk.length
    if (socket.write(chunk)) continue
    const drained = await new Promise<boolean>((resolve) => {
      const goOn = (): void => {
        clearTimeout(timer)
        resolve(true)
      }
      const timer = setTimeout(() => {
        socket.off('drain', goOn)
        resolve(false)
      }, 1000)
      socket.once('drain', goOn)
    })
    if (!drained) break
  }
  return written
}

it('rel-025, rel-027: a stream that one side does not take costs two or three reads of 64 KiB at most, however much is to come', async () => {
  const filled: Promise<number>[] = []
  const upstream = createServer((request, response) => {
    // An upload is never read, a download written for ever.
    if (request.method === 'GET') filled.push(fill(response.writeHead(200)))
    else request.pause()
  })
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  closing.push(() => {
    upstream.closeAllConnections()
    upstream.close()
  })
  const files = folder()
  closing.push(() => files[Symbol.dispose]())
  const config = writeGateway(files)
  files.write('rules.yaml', [
    {
      id: 'all',
      match: { url: 'http://app.example/<.*>', methods: ['GET', 'POST'] },
      authenticators: [{ handler: 'anonymous' }],
      authorizer: { handler: 'allow' },
      mutators: [{ handler: 'noop' }],
      upstream: { url: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}` },
    },
  ])
  const gateway = spawnCli(['serve', '-c', config], {}, ['--expose-gc', '--import', tidy])
  closing.push(() => {
    gateway.child.kill('SIGKILL')
    return gateway.ended
  })
  const banner = await gateway.errMatching(
    /proxy {4}http:\/\/127\.0\.0\.1:(\d+)\n[^]*metrics {2}http:\/\/127\.0\.0\.1:(\d+)/,
  )
  const [proxy, metrics] = [Number(banner[1]), Number(banner[2])]
  const buffers = async (): Promise<number> => {
    const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
    return Number(/^\w*nodejs_external_memory_bytes (\S+)$/m.exec(text)![1])
  }
  const open = async (method: string, head: string): Promise<Socket> => {
    const socket = connect(proxy, '127.0.0.1')
    socket.on('error', () => undefined)
    closing.push(() => socket.destroy())
    await once(socket, 'connect')
    socket.write(`${method} /x HTTP/1.1\r\nHost: app.example\r\n${head}\r\n`)
    return socket
  }

  /** KiB per stream since there were so many bytes. */
  const held = async (before: number): Promise<number> => ((await buffers()) - before) / streams / 1024
  // 128 KiB, and what the connections themselves cost; a piece of a read keeps all of the read.
  const most = 176

  const idle = await buffers()
  for (let i = 0; i < streams; i++) (await open('GET', '')).pause()
  await expect.poll(() => filled.length, { timeout: 20_000 }).toBe(streams)
  for (const bytes of await Promise.all(filled)) expect(bytes).toBeLessThan(plenty)
  await expect.poll(() => held(idle), { timeout: 20_000, interval: 300 }).toBeLessThan(most)

  const downloading = await buffers()
  const uploads: Promise<number>[] = []
  for (let i = 0; i < streams; i++) uploads.push(fill(await open('POST', `Content-Length: ${1024 * mebibyte}\r\n`)))
  for (const bytes of await Promise.all(uploads)) expect(bytes).toBeLessThan(plenty)
  await expect.poll(() => held(downloading), { timeout: 20_000, interval: 300 }).toBeLessThan(most)
}, 120_000)
