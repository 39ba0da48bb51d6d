/** TLS, names, addresses, and sockets that are handed on. */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, type LookupFunction, type Server, type Socket } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import path from 'node:path'
import { createSecureContext, createServer as createTlsServer, type SecureContext, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OriginPool } from '../../../src/outbound/origin_pool.ts'
import { createAuthority } from '../../support/certificates.ts'
import { ask, poolTo, Recorded, requestOf } from './support.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'mintkeeper-connect-'))
let trusting: SecureContext
let material: { readonly cert: Buffer; readonly key: Buffer }
let server: Server
let port = 0
/** The names that clients asked for, by SNI. */
const names: unknown[] = []
let answer: (socket: Socket) => unknown

const ok = 'HTTP/1.1 200 OK\r\n'
const hello = (socket: Socket): unknown => socket.write(`${ok}Content-Length: 5\r\n\r\nhello`)

const limits = { connections: 1, waiting: 10, waitTimeout: 20_000, connectTimeout: 10_000 } as const
const times = { connectionAge: 300_000, addressInterval: 300_000 } as const

/** Names all lead to this machine. */
const here = ((_name, options, callback) => {
  if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }])
  else callback(null, '127.0.0.1', 4)
}) as LookupFunction

const securely = (host: string, tls: SecureContext | undefined = trusting): OriginPool =>
  new OriginPool(`https://${host}:${port}`, { ...limits, ...times, lookup: here }, { key: host, tls })

async function listening(made: Server, host = '127.0.0.1'): Promise<number> {
  made.listen(0, host)
  await once(made, 'listening')
  return (made.address() as AddressInfo).port
}

beforeAll(async () => {
  const authority = createAuthority(folder)
  const own = authority.issue('server', 'upstream', 'DNS:upstream.example,IP:127.0.0.1')
  material = { cert: readFileSync(own.cert), key: readFileSync(own.key) }
  trusting = createSecureContext({ ca: readFileSync(authority.cert) })
  server = createTlsServer(material, (socket) => {
    names.push(socket.servername)
    socket.on('error', () => undefined).on('data', () => answer(socket))
  })
  port = await listening(server)
})
afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('TLS', () => {
  it.each([
    ['127.0.0.1', false],
    ['upstream.example', 'upstream.example'],
  ])('to %s asks for the name %s, and carries many requests on a connection', async (host, name) => {
    answer = hello
    names.length = 0
    const pool = securely(host)
    for (let i = 0; i < 3; i++) expect(await ask(pool).outcome).toMatchObject({ body: 'hello', error: undefined })
    expect(names).toEqual([name])
    await pool.close()
  })

  it('goes to nobody who cannot prove the name, or is not known', async () => {
    answer = hello
    const other = securely('other.example')
    expect(await ask(other).outcome).toMatchObject({ error: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } })
    const distrusting = securely('127.0.0.1', createSecureContext())
    expect(await ask(distrusting).outcome).toMatchObject({ error: { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' } })
    expect([other.isUnused, distrusting.isUnused]).toEqual([true, true])
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    '%s takes up sessions again, but none with the wrong server',
    async (version) => {
      const own = createTlsServer({ ...material, minVersion: version, maxVersion: version }, (socket) => {
        socket.on('error', () => undefined).on('data', () => hello(socket))
      })
      const at = await listening(own)
      const poolOf = (host: string): OriginPool =>
        new OriginPool(`https://${host}:${at}`, { ...limits, ...times, lookup: here }, { key: host, tls: trusting })
      const right = poolOf('upstream.example')
      expect(await ask(right).outcome).toMatchObject({ body: 'hello' })
      const again = ask(right, {}, true)
      let isReused: boolean | undefined
      again.onHead = () => {
        isReused = (again.connection!.socket as TLSSocket).isSessionReused()
      }
      expect(await again.outcome).toMatchObject({ body: 'hello' })
      expect(isReused).toBe(true)
      const wrong = poolOf('other.example')
      for (let i = 0; i < 3; i++)
        expect(await ask(wrong).outcome).toMatchObject({ error: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } })
      await right.close(true)
      await wrong.close(true)
      own.close()
    },
  )

  it('loses nothing of an answer that is paused at every piece, and sends large bodies', async () => {
    const body = Buffer.alloc(300_000, 'abcdefgh')
    let received = 0
    answer = (socket) => {
      socket.removeAllListeners('data')
      socket.on('data', (data: Buffer) => (received += data.length))
      socket.write(`${ok}Content-Length: ${body.length}\r\n\r\n`)
      socket.write(body)
    }
    const pool = securely('127.0.0.1')
    const asked = ask(pool, { method: 'POST', body })
    asked.onData = () => {
      const connection = asked.connection!
      connection.pause()
      setImmediate(() => connection.resume(asked))
    }
    const outcome = await asked.outcome
    expect([outcome.error, outcome.body === body.toString()]).toEqual([undefined, true])
    expect(received).toBeGreaterThan(0)
    await pool.close(true)
  })

  it('is given up when more than the answer comes', async () => {
    answer = (socket) => {
      socket.write(`${ok}Content-Length: 2\r\n\r\nhimore`)
    }
    const pool = securely('127.0.0.1')
    const first = ask(pool)
    expect(await first.outcome).toMatchObject({ body: 'hi', error: undefined })
    expect(first.connection!.socket.destroyed).toBe(true)
    await pool.close()
  })

  it('to a server that speaks none ends with an error', async () => {
    const plain = createServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const at = await listening(plain)
    const pool = new OriginPool(`https://127.0.0.1:${at}`, { ...limits, ...times })
    expect((await ask(pool).outcome).error).toBeInstanceOf(Error)
    expect(pool.isUnused).toBe(true)
    plain.close()
  })
})

describe('addresses', () => {
  const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))

  it.skipIf(!hasIpv6)('of version 6 are written in brackets (needs ::1)', async () => {
    let host = ''
    const six = createServer((socket) => {
      socket.on('data', (data: Buffer) => {
        host = /^host: (.*)\r$/m.exec(data.toString())![1]!
        hello(socket)
      })
    })
    const at = await listening(six, '::1')
    const pool = poolTo(`http://[::1]:${at}`)
    expect(await ask(pool).outcome).toMatchObject({ body: 'hello' })
    expect(host).toBe(`[::1]:${at}`)
    await pool.close()
    six.close()
  })

  it('are tried one after the other', async () => {
    const live = createServer((socket) => socket.on('data', () => hello(socket)))
    const at = await listening(live)
    // Nobody listens at the first.
    const lookup = ((_name, _options, callback) => {
      callback(null, [
        { address: '127.0.0.9', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ])
    }) as LookupFunction
    const pool = poolTo(`http://upstream.example:${at}`, { lookup })
    expect(await ask(pool).outcome).toMatchObject({ body: 'hello', error: undefined })
    await pool.close()
    live.close()
  })
})

describe('a request for another protocol', () => {
  const switching = `HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n`

  class Upgrading extends Recorded {
    readonly upgraded: Promise<Socket>
    received = ''
    #switch!: (socket: Socket) => void

    constructor() {
      super()
      this.upgraded = new Promise((resolve) => {
        this.#switch = resolve
      })
    }

    onUpgrade(_head: unknown, socket: Socket): void {
      socket.on('data', (data: Buffer) => {
        this.received += data.toString()
      })
      this.#switch(socket)
    }
  }

  /** A server that answers the head with `bytes` and echoes what comes then. */
  async function answering(bytes: string) {
    const echo = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .once('data', () => {
          socket.write(bytes)
          socket.on('data', (data: Buffer) => socket.write(data))
        })
    })
    const pool = poolTo(`http://127.0.0.1:${await listening(echo)}`)
    return { pool, close: () => Promise.all([pool.close(true), new Promise((resolve) => echo.close(resolve))]) }
  }

  it('hands on the socket, with what has come behind the head', async () => {
    const { pool, close } = await answering(`HTTP/1.1 103 Hints\r\n\r\n${switching}early `)
    const asked = new Upgrading()
    pool.dispatch(requestOf({ upgrades: true }), asked)
    const socket = await asked.upgraded
    // It is nobody's but the handler's.
    expect(pool.isUnused).toBe(true)
    socket.write('and late')
    while (asked.received !== 'early and late') await once(socket, 'data')
    socket.destroy()
    expect(asked.ends).toBe(0)
    await close()
  })

  it('takes an ordinary answer too, after which the connection ends', async () => {
    const { pool, close } = await answering(`${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n`)
    const asked = new Upgrading()
    asked.onData = () => {
      const connection = asked.connection!
      connection.pause()
      setImmediate(() => connection.resume(asked))
    }
    pool.dispatch(requestOf({ upgrades: true }), asked)
    expect(await asked.outcome).toMatchObject({ status: 200, body: 'no', error: undefined })
    expect(pool.isUnused).toBe(true)
    await close()
  })

  it('whose handler fails, or takes no socket, ends with an error', async () => {
    const { pool, close } = await answering(switching)
    const failing = new Upgrading()
    failing.onUpgrade = () => {
      throw new Error('no')
    }
    pool.dispatch(requestOf({ upgrades: true }), failing)
    expect(await failing.outcome).toMatchObject({ error: { message: 'no' } })
    const taking = ask(pool, { upgrades: true })
    expect(await taking.outcome).toMatchObject({ error: { code: 'RESPONSE_MALFORMED' } })
    for (const { connection } of [failing, taking]) expect(connection!.socket.destroyed).toBe(true)
    expect(pool.isUnused).toBe(true)
    await close()
  })

  it('is the only way to get one', async () => {
    const { pool, close } = await answering(switching)
    const asked = new Upgrading()
    pool.dispatch(requestOf(), asked)
    expect(await asked.outcome).toMatchObject({ error: { code: 'RESPONSE_MALFORMED' } })
    await close()
  })
})
