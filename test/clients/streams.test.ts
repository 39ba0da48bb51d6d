/** Clients of streams that know nothing of the gateway: EventSource, and ws with whatever frames it makes. */
import { on, once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EventSource } from 'eventsource'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { startGateway, type ListeningGateway } from '../support/gateway.ts'
import { startServer, type TestServer } from '../support/http_server.ts'

let sockets: WebSocketServer
let events: TestServer
let gateway: ListeningGateway
const streams: ServerResponse[] = []
const lastIds: (string | undefined)[] = []

beforeAll(async () => {
  sockets = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    perMessageDeflate: { threshold: 0 },
    maxPayload: 1 << 28,
  })
  await once(sockets, 'listening')
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer, binary) => socket.send(data, { binary }))
  })
  events = await startServer((request, response) => {
    lastIds.push(request.headersDistinct['last-event-id']?.[0])
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    response.flushHeaders()
    streams.push(response)
  })
  const enabled = { enabled: true }
  const rule = (name: string, url: string, websocket?: boolean): object => ({
    id: name,
    match: { url: `http://127.0.0.1:<[0-9]+>/${name}`, methods: ['GET'] },
    authenticators: [{ handler: 'anonymous' }],
    authorizer: { handler: 'allow' },
    mutators: [{ handler: 'noop' }],
    upstream: { url, ...(websocket !== undefined && { websocket }) },
  })
  gateway = await startGateway({
    config: {
      profile: 'secure',
      authenticators: { anonymous: enabled },
      authorizers: { allow: enabled },
      mutators: { noop: enabled },
    },
    rules: [
      rule('events', events.url),
      rule('sockets', `http://127.0.0.1:${(sockets.address() as AddressInfo).port}`, true),
    ],
  })
})
afterAll(async () => {
  for (const stream of streams) stream.destroy()
  for (const socket of sockets.clients) socket.terminate()
  await gateway[Symbol.asyncDispose]()
  await events[Symbol.asyncDispose]()
  sockets.close()
})

describe('EventSource', () => {
  it('hears each event when it is sent, and asks for what it has missed', async () => {
    const source = new EventSource(`${gateway.proxy}/events`)
    await new Promise((resolve) => source.addEventListener('open', resolve))
    const heard: string[] = []
    source.addEventListener('message', ({ data }) => heard.push(data as string))
    for (const word of ['one', 'two\ndata: lines', 'größe']) {
      streams.at(-1)!.write(`id: ${heard.length}\nretry: 10\ndata: ${word}\n\n`)
      await expect.poll(() => heard.at(-1)).toBe(word.replace('data: ', ''))
    }
    streams.at(-1)!.destroy()
    await expect.poll(() => lastIds).toEqual([undefined, '2'])
    source.close()
    const open = streams.at(-1)!
    if (!open.closed) await once(open, 'close')
    expect(open.closed).toBe(true)
  })
})

describe('ws', () => {
  const open = async (deflate: boolean): Promise<WebSocket> => {
    const socket = new WebSocket(`${gateway.proxy.replace('http', 'ws')}/sockets`, { perMessageDeflate: deflate })
    await once(socket, 'open')
    return socket
  }
  /** The messages in their order, also those that come at once. */
  const messagesOf = (socket: WebSocket): (() => Promise<Buffer>) => {
    const messages = on(socket, 'message')
    return async () => {
      const { value } = (await messages.next()) as { readonly value: [Buffer] }
      return value[0]
    }
  }

  it.each([
    ['as they are', false],
    ['compressed', true],
  ])('sends fragments and large messages, %s', async (_name, deflate) => {
    const socket = await open(deflate)
    const next = messagesOf(socket)
    expect(socket.extensions !== '').toBe(deflate)
    for (const part of ['Grö', 'ße, ', '漢', '']) socket.send(part, { fin: false })
    socket.send('字', { fin: true })
    expect((await next()).toString()).toBe('Größe, 漢字')
    socket.send(Buffer.alloc(5, 1), { fin: false })
    socket.ping('in between')
    socket.send(Buffer.alloc(70_000, 2), { fin: true })
    expect([...(await next()).subarray(3, 7)]).toEqual([1, 1, 2, 2])
    const large = Buffer.alloc(12_000_000, 'largest')
    socket.send(large)
    expect((await next()).equals(large)).toBe(true)
    for (let i = 0; i < 500; i++) socket.send(`message ${i}`)
    for (let i = 0; i < 500; i++) expect((await next()).toString()).toBe(`message ${i}`)
    socket.close(3000, 'enough')
    expect(await once(socket, 'close')).toEqual([3000, Buffer.from('enough')])
  })
})
