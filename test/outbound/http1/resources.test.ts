/** What a connection holds is bounded, and all of it is given back: back-pressure, times, giving up at every stage, closing. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type LookupFunction, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { BodyWriter, RequestBody } from '../../../src/outbound/http1/body_sender.ts'
import type { PoolLimits } from '../../../src/outbound/origin_pool.ts'
import { ask, poolTo, Recorded, requestOf } from './support.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const ok = 'HTTP/1.1 200 OK\r\n'

/** A server of which a test does everything by hand. */
class Manual {
  readonly server: Server
  readonly sockets: Socket[] = []
  readonly #waiting: (() => void)[] = []
  received = ''

  constructor() {
    this.server = createServer({ pauseOnConnect: false }, (socket) => {
      this.sockets.push(socket)
      socket.on('error', () => undefined)
      socket.on('data', (data: Buffer) => {
        this.received += data.toString('latin1')
        for (const look of this.#waiting) look()
      })
      for (const look of this.#waiting) look()
    })
  }

  static async start(): Promise<Manual> {
    const manual = new Manual()
    manual.server.listen(0, '127.0.0.1')
    await once(manual.server, 'listening')
    closing.push(() => {
      for (const socket of manual.sockets) socket.destroy()
      manual.server.close()
    })
    return manual
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  get last(): Socket {
    return this.sockets.at(-1)!
  }

  /** Resolves when that is so. */
  until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (isSo()) resolve()
      }
      this.#waiting.push(look)
      look()
    })
  }

  /** Resolves when so many requests have come, on however many connections. */
  asked(count: number): Promise<void> {
    return this.until(() => this.received.split(' HTTP/1.1\r\n').length > count)
  }

  /** Resolves when the client has closed all connections. */
  async left(): Promise<void> {
    for (const socket of this.sockets) if (!socket.destroyed) await once(socket, 'close')
  }
}

function openPool(origin: string, limits: Partial<PoolLimits> = {}) {
  const pool = poolTo(origin, limits)
  closing.push(() => pool.close(true))
  return pool
}

/** A body that is written by hand. */
class Upload implements RequestBody {
  readonly framing: RequestBody['framing']
  out: BodyWriter | undefined
  stops = 0
  onResume = (): void => undefined
  readonly started: Promise<BodyWriter>
  #begin!: (out: BodyWriter) => void

  constructor(framing: RequestBody['framing'] = 'chunked') {
    this.framing = framing
    this.started = new Promise((resolve) => {
      this.#begin = resolve
    })
  }

  start(out: BodyWriter): void {
    this.out = out
    this.#begin(out)
  }

  resume(): void {
    this.onResume()
  }

  stop(): void {
    this.stops++
  }
}

describe('back-pressure', () => {
  it('a handler that pauses an endless answer is told no more, and the server can send no more', async () => {
    const server = await Manual.start()
    const pool = openPool(server.origin)
    const asked = ask(pool)
    await server.asked(1)
    asked.onData = () => asked.connection!.pause()
    server.last.write(`${ok}Transfer-Encoding: chunked\r\n\r\n`)
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
    let sent = 0
    // The kernel takes some megabytes at most.
    while (server.last.write(chunk) || server.last.writableLength < 65_536) {
      sent += chunk.length
      expect(sent).toBeLessThan(64 * 1024 * 1024)
      await new Promise(setImmediate)
    }
    // Whatever had been read when it paused.
    expect(asked.body.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(65_536)
    asked.onData = undefined
    asked.connection!.resume(asked)
    server.last.write('0\r\n\r\n')
    const { error, body } = await asked.outcome
    expect([error, body.length % 65_536, body.length >= sent - 16 * chunk.length]).toEqual([undefined, 0, true])
  })

  it('pausing at every piece changes nothing', async () => {
    const server = await Manual.start()
    const pool = openPool(server.origin)
    const asked = ask(pool)
    await server.asked(1)
    asked.onData = () => {
      const connection = asked.connection!
      connection.pause()
      setImmediate(() => connection.resume(asked))
    }
    const pieces = Array.from({ length: 50 }, (_, i) => String(i).padStart(i + 2, '-'))
    server.last.write(`${ok}Transfer-Encoding: chunked\r\n\r\n`)
    for (const piece of pieces) {
      server.last.write(`${piece.length.toString(16)}\r`)
      await new Promise(setImmediate)
      server.last.write(`\n${piece}\r\n`)
    }
    server.last.write('0\r\n\r\n')
    expect(await asked.outcome).toMatchObject({ body: pieces.join(''), error: undefined })
    // A pause does not outlast its request.
    expect(asked.connection).toMatchObject({ isPaused: false, isFree: true })
  })

  it('who paused an answer that is over does not resume that of another', async () => {
    const server = await Manual.start()
    const pool = openPool(server.origin)
    const answer = `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n`
    const first = ask(pool)
    first.onData = () => first.connection!.pause()
    await server.asked(1)
    server.last.write(`${answer}0\r\n\r\n`)
    await first.outcome
    const second = ask(pool)
    const paused = new Promise<void>((resolve) => {
      second.onData = () => {
        second.connection!.pause()
        resolve()
      }
    })
    await server.asked(2)
    server.last.write(answer)
    await paused
    expect(second.connection).toBe(first.connection)
    first.connection!.resume(first)
    expect(second.connection!.isPaused).toBe(true)
    second.connection!.resume(second)
    server.last.write('0\r\n\r\n')
    expect(await second.outcome).toMatchObject({ body: 'hi', error: undefined })
  })

  it('a body waits while the server takes nothing, and goes on when it does', async () => {
    const server = await Manual.start()
    server.server.once('connection', (socket: Socket) => socket.pause())
    const pool = openPool(server.origin)
    const body = new Upload()
    const asked = ask(pool, { method: 'POST', body })
    const out = await body.started
    const piece = Buffer.alloc(65_536, 'x')
    let sent = 0
    while (out.write(piece) || asked.connection!.socket.writableLength < piece.length) {
      sent += piece.length
      expect(sent).toBeLessThan(64 * 1024 * 1024)
      await new Promise(setImmediate)
    }
    const resumed = new Promise<void>((resolve) => {
      body.onResume = resolve
    })
    await server.until(() => server.sockets.length === 1)
    server.last.resume()
    await resumed
    out.end()
    await server.until(() => server.received.endsWith('0\r\n\r\n'))
    server.last.write(`${ok}Content-Length: 0\r\n\r\n`)
    expect(await asked.outcome).toMatchObject({ status: 200, error: undefined })
  })
})

describe('times', () => {
  const late = { code: 'RESPONSE_HEAD_TIMEOUT' }

  it('an answer that does not begin', async () => {
    const server = await Manual.start()
    const pool = openPool(server.origin)
    expect(await ask(pool, { headersTimeout: 30 }).outcome).toMatchObject({ error: late })
    const half = ask(pool, { headersTimeout: 30 })
    await server.asked(2)
    server.last.write('HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200')
    expect(await half.outcome).toMatchObject({ interim: [103], error: late })
    await server.left()
    expect(pool.isUnused).toBe(true)
  })

  it('an answer that stands still', async () => {
    const server = await Manual.start()
    const pool = openPool(server.origin)
    const asked = ask(pool, { bodyTimeout: 30 })
    await server.asked(1)
    server.last.write(`${ok}Content-Length: 5\r\n\r\nhi`)
    expect(await asked.outcome).toMatchObject({ status: 200, body: 'hi', error: { code: 'RESPONSE_BODY_TIMEOUT' } })
    await server.left()
    expect(pool.isUnused).toBe(true)
  })

  it('not one that its handler has paused', async () => {
    const server = await Manual.start()
    const pool = openPool(server.origin)
    const asked = ask(pool, { bodyTimeout: 20 })
    const paused = new Promise<void>((resolve) => {
      asked.onData = () => {
        asked.connection!.pause()
        resolve()
      }
    })
    await server.asked(1)
    server.last.write(`${ok}Content-Length: 4\r\n\r\nhi`)
    await paused
    // Longer than the time for the answer, which another request measures.
    await ask(openPool(server.origin), { headersTimeout: 60 }).outcome
    expect(asked.ends).toBe(0)
    asked.connection!.resume(asked)
    server.sockets[0]!.write('hi')
    expect(await asked.outcome).toMatchObject({ body: 'hihi', error: undefined })
  })

  it('a server that takes no more of a body, but not a client that sends none', async () => {
    const server = await Manual.start()
    server.server.once('connection', (socket: Socket) => socket.pause())
    const pool = openPool(server.origin)
    const body = new Upload()
    const asked = ask(pool, { method: 'POST', body, headersTimeout: 30 })
    const out = await body.started
    await ask(openPool(server.origin), { headersTimeout: 90 }).outcome
    expect(asked.ends).toBe(0)
    const piece = Buffer.alloc(1024 * 1024)
    // The first of what the kernel does not take.
    while (out.write(piece) || asked.connection!.socket.writableLength === 0) await new Promise(setImmediate)
    expect(await asked.outcome).toMatchObject({ error: late })
    expect(body.stops).toBe(1)
  })

  it('a connection that cannot be made in time', async () => {
    // Nobody answers the question for the address.
    const lookup = (() => undefined) as LookupFunction
    const pool = openPool('http://nowhere.example', { connectTimeout: 30, lookup })
    expect(await ask(pool).outcome).toMatchObject({ error: { code: 'CONNECT_TIMEOUT' } })
    expect(pool.isUnused).toBe(true)
  })

  it('a connection that nobody uses goes, even one that was never used', async () => {
    const server = await Manual.start()
    const pool = openPool(server.origin, { connectionAge: 40 })
    // What cannot be sent leaves a connection behind, and so does who is gone before it is there.
    expect(await ask(pool, { headers: ['a', '\0'] }).outcome).toMatchObject({ error: { code: 'REQUEST_INVALID' } })
    const gone = new Recorded()
    pool.dispatch(requestOf(), gone, true)
    expect(pool.withdraw(gone)).toBe(true)
    await server.until(() => server.sockets.length === 2)
    await server.left()
    expect([server.received, gone.ends, pool.isUnused]).toEqual(['', 0, true])
  })
})

/** Where a request can be when it is given up. */
const stages = ['waiting', 'dialling', 'head sent', 'body half sent', 'head received', 'body half received'] as const

/** A request that has come so far, and whoever occupies the pool meanwhile. */
async function bringTo(stage: (typeof stages)[number]) {
  const server = await Manual.start()
  const pool = openPool(server.origin)
  const others: Recorded[] = []
  if (stage === 'waiting') {
    others.push(ask(pool))
    await server.asked(1)
  }
  const body = stage === 'body half sent' ? new Upload(10) : undefined
  const asked = ask(pool, { method: 'POST', body })
  if (stage === 'waiting' || stage === 'dialling') return { server, pool, asked, others, body }
  if (body !== undefined) (await body.started).write(Buffer.from('half.'))
  await server.until(() => server.received.endsWith(body === undefined ? '\r\n\r\n' : 'half.'))
  if (stage === 'head received' || stage === 'body half received') {
    const begun = new Promise<void>((resolve) => {
      if (stage === 'head received') asked.onHead = () => resolve()
      else asked.onData = () => resolve()
    })
    server.last.write(`${ok}Content-Length: 9\r\n\r\n${stage === 'head received' ? '' : 'half'}`)
    await begun
  }
  return { server, pool, asked, others, body }
}

describe('a request that is given up', () => {
  it.each(stages)('%s: leaves nothing behind', async (stage) => {
    const { server, pool, asked, others, body } = await bringTo(stage)
    const gone = new Error('gone')
    const isSent = asked.connection !== undefined
    asked.connection?.abort(asked, gone)
    expect(isSent ? (await asked.outcome).error : pool.withdraw(asked)).toBe(isSent ? gone : true)
    expect(pool.withdraw(asked)).toBe(false)
    expect(body?.stops ?? 1).toBe(1)
    // The next one is served as if nothing had been.
    const next = ask(pool, { path: '/next' })
    if (stage === 'waiting') server.last.write(`${ok}Content-Length: 0\r\n\r\n`)
    await server.until(() => server.received.includes('GET /next'))
    server.last.write(`${ok}Content-Length: 4\r\n\r\nnext`)
    expect(await next.outcome).toMatchObject({ body: 'next', error: undefined })
    for (const { outcome } of others) expect(await outcome).toMatchObject({ status: 200 })
    expect(asked.ends).toBe(asked.connection === undefined ? 0 : 1)
    expect(server.sockets.filter(({ destroyed }) => !destroyed).length).toBeLessThanOrEqual(2)
    await pool.close()
    await server.left()
    expect(pool.isUnused).toBe(true)
  })

  it('does nothing when it is another one that is under way', async () => {
    const server = await Manual.start()
    const pool = openPool(server.origin)
    const first = ask(pool)
    await server.asked(1)
    server.last.write(`${ok}Content-Length: 0\r\n\r\n`)
    await first.outcome
    const second = ask(pool)
    await server.asked(2)
    first.connection!.abort(first, new Error('gone'))
    server.last.write(`${ok}Content-Length: 2\r\n\r\nhi`)
    expect(await second.outcome).toMatchObject({ body: 'hi', error: undefined })
  })
})

describe('a pool that closes', () => {
  it.each(stages)('%s: ends at once when told so', async (stage) => {
    const { server, pool, asked, others, body } = await bringTo(stage)
    await pool.close(true)
    for (const { outcome } of [asked, ...others]) expect((await outcome).error).toBeInstanceOf(Error)
    expect([asked.ends, body?.stops ?? 1]).toEqual([1, 1])
    await server.left()
  })

  it.each(stages.filter((stage) => stage !== 'waiting'))('%s: lets it end otherwise', async (stage) => {
    const { server, pool, asked, body } = await bringTo(stage)
    const closed = pool.close()
    if (stage === 'dialling') await server.asked(1)
    body?.out!.write(Buffer.from('other'))
    body?.out!.end()
    if (body !== undefined) await server.until(() => server.received.endsWith('half.other'))
    const rest = stage === 'head received' ? 'half-done' : stage === 'body half received' ? '-done' : undefined
    server.last.write(rest ?? `${ok}Content-Length: 9\r\n\r\nhalf-done`)
    expect(await asked.outcome).toMatchObject({ status: 200, body: 'half-done', error: undefined })
    await closed
    await server.left()
    expect(pool.isUnused).toBe(true)
  })

  it('refuses who waits', async () => {
    const { server, pool, asked, others } = await bringTo('waiting')
    const closed = pool.close()
    expect(await asked.outcome).toMatchObject({ error: { code: 'overloaded' } })
    server.last.write(`${ok}Content-Length: 0\r\n\r\n`)
    await closed
    expect(await others[0]!.outcome).toMatchObject({ status: 200 })
  })

  it('can be told twice, the second time to hurry', async () => {
    const { pool, asked } = await bringTo('head sent')
    const orderly = pool.close()
    await pool.close(true)
    await orderly
    expect((await asked.outcome).error).toBeInstanceOf(Error)
  })
})

describe('the limit of connections', () => {
  it('holds for those that are made for nobody', async () => {
    const questions: (() => void)[] = []
    const server = await Manual.start()
    const lookup = ((_name, _options, callback) => {
      questions.push(() => callback(null, [{ address: '127.0.0.1', family: 4 }]))
    }) as LookupFunction
    const pool = openPool(server.origin.replace('127.0.0.1', 'upstream.example'), { connections: 2, lookup })
    for (let i = 0; i < 10; i++) {
      const gone = ask(pool)
      expect(pool.withdraw(gone)).toBe(true)
    }
    expect(questions).toHaveLength(2)
    expect(pool.isUnused).toBe(false)
    const served = ask(pool, { path: '/served' })
    for (const answer of questions) answer()
    await server.asked(1)
    expect(server.received).toMatch(/^GET \/served /)
    server.sockets.find((socket) => socket.bytesRead > 0)!.write(`${ok}Content-Length: 0\r\n\r\n`)
    expect(await served.outcome).toMatchObject({ status: 200 })
    expect(questions).toHaveLength(2)
  })

  it('holds when a WebSocket takes the place of a connection', async () => {
    const server = await Manual.start()
    const pool = openPool(server.origin)
    const first = ask(pool)
    await server.asked(1)
    const socket = ask(pool, { path: '/socket', upgrades: true })
    const others = [ask(pool, { path: '/other' }), ask(pool, { path: '/other' })]
    server.last.write(`${ok}Content-Length: 0\r\n\r\n`)
    await first.outcome
    for (const { outcome } of [socket, ...others]) {
      const open = server.sockets.length
      await server.until(() => /(\/socket|\/other) HTTP[^]*\r\n\r\n$/.test(server.received))
      expect(server.sockets.filter(({ destroyed }) => !destroyed).length).toBeLessThanOrEqual(open)
      server.received = ''
      expect(server.sockets.at(-2)?.destroyed ?? true).toBe(true)
      server.last.write(`${ok}Content-Length: 0\r\n\r\n`)
      expect(await outcome).toMatchObject({ status: 200 })
    }
  })
})
