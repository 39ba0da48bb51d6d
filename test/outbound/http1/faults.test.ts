/** Thousands of requests, of which many go wrong on either side: each gets its own answer or an error, and nothing is lost. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import type { BodyWriter, RequestBody } from '../../../src/outbound/http1/body_sender.ts'
import type { OriginPool } from '../../../src/outbound/origin_pool.ts'
import { poolTo, Recorded, requestOf } from './support.ts'

const REQUESTS = Number(process.env['FAULT_REQUESTS'] ?? 2000)
const AT_ONCE = 24
const CONNECTIONS = 6

/** Numbers below `limit` that are the same in every run. */
function numbers(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

const ok = 'HTTP/1.1 200 OK\r\n'
const sized = (body: string): string => `${ok}Content-Length: ${body.length}\r\n\r\n${body}`

/** What the server does with a request, whose name the answer has to repeat. */
const behaviours: Readonly<Record<string, (socket: Socket, name: string) => unknown>> = {
  sized: (socket, name) => socket.write(sized(name)),
  chunked: (socket, name) =>
    socket.write(`${ok}Transfer-Encoding: chunked\r\n\r\n${name.length.toString(16)}\r\n${name}\r\n0\r\n\r\n`),
  pieces: (socket, name) => {
    socket.write(`${ok}Content-Length: ${name.length}\r\n\r`)
    setImmediate(() => socket.write(`\n${name}`))
  },
  hints: (socket, name) => socket.write(`HTTP/1.1 103 Early Hints\r\n\r\n${sized(name)}`),
  closes: (socket, name) => socket.end(`${ok}Connection: close\r\n\r\n${name}`),
  'closes unsaid': (socket, name) => socket.end(sized(name)),
  'too much': (socket, name) => socket.write(`${sized(name)}${sized('somebody else')}`),
  'too little': (socket, name) => socket.end(`${ok}Content-Length: 100\r\n\r\n${name}`),
  reset: (socket) => socket.resetAndDestroy(),
  'reset within': (socket, name) => {
    socket.write(`${ok}Transfer-Encoding: chunked\r\n\r\n1\r\n${name[0]}\r\n`, () => socket.resetAndDestroy())
  },
  'no chunk': (socket) => socket.write(`${ok}Transfer-Encoding: chunked\r\n\r\nx\r\n`),
  'no HTTP': (socket) => socket.write('HELLO\r\n'),
  silent: () => undefined,
}
/** Those whose answers are whole. */
const whole = ['sized', 'chunked', 'pieces', 'hints', 'closes', 'closes unsaid', 'too much']

const clients = [
  'patient',
  'patient',
  'patient',
  'withdraws',
  'aborts at the start',
  'aborts at the head',
  'aborts at the body',
]

class Streamed implements RequestBody {
  readonly framing = 'chunked'
  stops = 0

  start(out: BodyWriter): void {
    out.write(Buffer.from('a body that goes on'))
    setImmediate(() => out.end())
  }

  resume(): void {
    // All of it is under way already.
  }

  stop(): void {
    this.stops++
  }
}

class Client extends Recorded {
  readonly behaviour: string

  constructor(behaviour: string) {
    super()
    this.behaviour = behaviour
  }

  override onRequestStart(connection: NonNullable<Recorded['connection']>): void {
    super.onRequestStart(connection)
    if (this.behaviour === 'aborts at the start') connection.abort(this, new Error('start'))
    if (this.behaviour === 'aborts at the head') this.onHead = () => connection.abort(this, new Error('head'))
    if (this.behaviour === 'aborts at the body') this.onData = () => connection.abort(this, new Error('body'))
  }
}

async function askOnce(pool: OriginPool, kind: string, name: string, behaviour: string, fresh: boolean): Promise<void> {
  const client = new Client(behaviour)
  const isGet = kind.length % 2 === 0
  const body = isGet ? undefined : new Streamed()
  const headersTimeout = kind === 'silent' ? 1 : 0
  const path = `/${kind.replaceAll(' ', '-')}/${name}/`
  pool.enter()
  pool.dispatch(requestOf({ method: isGet ? 'GET' : 'POST', path, body, headersTimeout }), client, fresh)
  if (behaviour === 'withdraws' && client.connection === undefined && pool.withdraw(client)) {
    pool.leave()
    if (client.ends > 0) throw new Error('it has been taken back and answered')
    return
  }
  const { error, reused, body: received } = await client.outcome
  pool.leave()
  // What the server closes unsaid, the next request finds.
  const mayFail = behaviour !== 'patient' || reused || !whole.includes(kind)
  const isRight = error === undefined ? whole.includes(kind) && received === name : mayFail && name.startsWith(received)
  expect({ kind, name, behaviour, error, received, isRight }).toMatchObject({ isRight: true })
  expect([client.ends, (body?.stops ?? 0) < 2]).toEqual([1, true])
}

it('each request gets its own answer or an error, and no connection is lost', async () => {
  const sockets = new Set<Socket>()
  let most = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    most = Math.max(most, sockets.size)
    let received = ''
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined)
    socket.on('data', (data: Buffer) => {
      received += data.toString('latin1')
      const [, method, kind, name] = /^(\w+) \/([^/]+)\/([^/]+)\//.exec(received) ?? []
      if (!received.endsWith(method === 'GET' ? '\r\n\r\n' : '\r\n0\r\n\r\n')) return
      received = ''
      behaviours[kind!.replaceAll('-', ' ')]!(socket, name!)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const pool = poolTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { connections: CONNECTIONS })
  const pick = numbers(7)
  const kinds = [...Object.keys(behaviours), ...Array.from({ length: 30 }, (_, i) => whole[i % 4]!)]
  let asked = 0
  const ask = async (): Promise<void> => {
    while (asked < REQUESTS) {
      const name = `request-${asked++}`
      await askOnce(pool, kinds[pick(kinds.length)]!, name, clients[pick(clients.length)]!, pick(50) === 0)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, ask))
  // All places are free: as many requests as there may be connections, all at the same time.
  await Promise.all(
    Array.from({ length: CONNECTIONS }, (_, i) => askOnce(pool, 'sized', `last-${i}`, 'patient', false)),
  )
  // Those that ask for a fresh connection get one whatever the limit.
  expect(most).toBeLessThanOrEqual(CONNECTIONS + AT_ONCE)
  await pool.close()
  expect(pool.isUnused).toBe(true)
  for (const socket of sockets) if (!socket.destroyed) await once(socket, 'close')
  server.close()
  await once(server, 'close')
}, 120_000)
