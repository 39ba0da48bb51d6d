import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, LookupFunction, Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { HttpRequest, ResponseHandler } from '../../src/outbound/http1/connection.ts'
import type { ResponseHead } from '../../src/outbound/http1/response_head.ts'
import { OriginPool, type PoolLimits } from '../../src/outbound/origin_pool.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

interface Upstream {
  readonly port: number
  readonly sockets: Socket[]
  /** Requests that have not been answered. */
  readonly held: ServerResponse[]
  readonly paths: string[]
  /** Resolves when so many requests have come in all. */
  asked(count: number): Promise<void>
}

/** Answers with 200, but for paths that begin with /hold. */
async function startUpstream(host = '127.0.0.1', port = 0): Promise<Upstream> {
  const upstream = { port, sockets: [] as Socket[], held: [] as ServerResponse[], paths: [] as string[] }
  const waiting = new Set<() => void>()
  const server: Server = createServer((request, response) => {
    upstream.paths.push(request.url ?? '')
    if (request.url?.startsWith('/hold') === true) upstream.held.push(response)
    else response.end('yes')
    for (const look of waiting) look()
  })
  server.on('connection', (socket) => upstream.sockets.push(socket))
  server.listen(port, host)
  await once(server, 'listening')
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const asked = (count: number): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (upstream.paths.length < count) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })
  return Object.assign(upstream, { port: (server.address() as AddressInfo).port, asked })
}

function openPool(origin: string, limits: Partial<PoolLimits> = {}): OriginPool {
  const pool = new OriginPool(origin, {
    connections: 1,
    waiting: 10,
    waitTimeout: 20_000,
    connectTimeout: 2000,
    connectionAge: 300_000,
    addressInterval: 300_000,
    ...limits,
  })
  closing.push(() => pool.close(true))
  return pool
}

class Asked implements ResponseHandler {
  readonly outcome: Promise<number | Error>
  #settle!: (outcome: number | Error) => void
  #status = 0

  constructor() {
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve
    })
  }

  onRequestStart(): void {
    // There is nothing to control.
  }

  onResponseStart({ status }: ResponseHead): void {
    this.#status = status
  }

  onResponseData(): void {
    // The status is enough.
  }

  onResponseEnd(): void {
    this.#settle(this.#status)
  }

  onResponseError(error: Error): void {
    this.#settle(error)
  }
}

function ask(pool: OriginPool, path: string, rest: Partial<HttpRequest> = {}, fresh = false): Asked {
  const asked = new Asked()
  const limits = { headersTimeout: 0, bodyTimeout: 0 }
  pool.dispatch(
    { path, method: 'GET', headers: [], body: undefined, upgrades: false, ...limits, ...rest },
    asked,
    fresh,
  )
  return asked
}

describe('a pool', () => {
  it('uses one connection again, and a new one where that is asked for', async () => {
    const upstream = await startUpstream()
    const pool = openPool(`http://127.0.0.1:${upstream.port}`)
    for (let i = 0; i < 3; i++) expect(await ask(pool, '/').outcome).toBe(200)
    expect(upstream.sockets).toHaveLength(1)
    expect(await ask(pool, '/', {}, true).outcome).toBe(200)
    expect(upstream.sockets).toHaveLength(2)
    expect(await ask(pool, '/').outcome).toBe(200)
    expect(upstream.sockets).toHaveLength(2)
  })

  it('opens no more connections than it may, and lets the others wait in order', async () => {
    const upstream = await startUpstream()
    const pool = openPool(`http://127.0.0.1:${upstream.port}`, { connections: 2 })
    const all = ['/hold/0', '/hold/1', '/2', '/3', '/4'].map((path) => ask(pool, path).outcome)
    await upstream.asked(2)
    expect(upstream.paths).toEqual(expect.arrayContaining(['/hold/0', '/hold/1']))
    for (const response of upstream.held) response.end()
    expect(await Promise.all(all)).toEqual([200, 200, 200, 200, 200])
    expect(upstream.paths.slice(2)).toEqual(['/2', '/3', '/4'])
    expect(upstream.sockets).toHaveLength(2)
  })

  it('refuses who has waited too long, and nobody else', async () => {
    const upstream = await startUpstream()
    const pool = openPool(`http://127.0.0.1:${upstream.port}`, { waitTimeout: 50 })
    const first = ask(pool, '/hold').outcome
    await upstream.asked(1)
    const late = await ask(pool, '/late').outcome
    expect(late).toMatchObject({ code: 'overloaded', headers: [['Retry-After', '1']] })
    upstream.held[0]!.end()
    expect(await first).toBe(200)
    expect(await ask(pool, '/next').outcome).toBe(200)
    expect(upstream.paths).toEqual(['/hold', '/next'])
  })

  it('forgets a request that is taken back while it waits', async () => {
    const upstream = await startUpstream()
    const pool = openPool(`http://127.0.0.1:${upstream.port}`)
    const first = ask(pool, '/hold').outcome
    const gone = ask(pool, '/gone')
    expect(pool.withdraw(gone)).toBe(true)
    expect(pool.withdraw(gone)).toBe(false)
    await upstream.asked(1)
    upstream.held[0]!.end()
    expect(await first).toBe(200)
    expect(await ask(pool, '/next').outcome).toBe(200)
    expect(upstream.paths).toEqual(['/hold', '/next'])
  })

  it('loses no connection to what cannot be sent, is not answered or cannot be reached', async () => {
    const upstream = await startUpstream()
    const pool = openPool(`http://127.0.0.1:${upstream.port}`)
    for (let i = 0; i < 3; i++) {
      expect(await ask(pool, '/', { headers: ['x', 'a\nb'] }).outcome).toBeInstanceOf(Error)
      const cut = ask(pool, '/hold').outcome
      await upstream.asked(2 * i + 1)
      upstream.sockets.at(-1)!.destroy()
      expect(await cut).toBeInstanceOf(Error)
      expect(await ask(pool, '/').outcome).toBe(200)
    }
    const nobody = openPool('http://127.0.0.1:1')
    for (let i = 0; i < 3; i++) expect(await ask(nobody, '/').outcome).toMatchObject({ code: 'ECONNREFUSED' })
    expect(nobody.isUnused).toBe(true)
  })

  it('does not use a connection again that is too old', async () => {
    const upstream = await startUpstream()
    const pool = openPool(`http://127.0.0.1:${upstream.port}`, { connectionAge: 20 })
    expect(await ask(pool, '/').outcome).toBe(200)
    // The pool hangs up by itself.
    await once(upstream.sockets[0]!, 'close')
    expect(await ask(pool, '/').outcome).toBe(200)
    expect(upstream.sockets).toHaveLength(2)
  })

  it('rel-041: goes where the name leads now', async () => {
    const before = await startUpstream('127.0.0.1')
    const after = await startUpstream('127.0.0.2', before.port)
    let address = '127.0.0.1'
    const lookup = ((_name, options, callback) => {
      if (options.all === true) callback(null, [{ address, family: 4 }])
      else callback(null, address, 4)
    }) as LookupFunction
    const pool = openPool(`http://upstream.example:${before.port}`, { lookup, addressInterval: 20 })
    const long = ask(pool, '/hold').outcome
    await before.asked(1)
    address = '127.0.0.2'
    before.held[0]!.end()
    expect(await long).toBe(200)
    await once(before.sockets[0]!, 'close')
    expect(await ask(pool, '/moved').outcome).toBe(200)
    expect(before.paths).toEqual(['/hold'])
    expect(after.paths).toEqual(['/moved'])
  })

  it('stays where it is while the name cannot be looked up', async () => {
    const upstream = await startUpstream()
    let looks = 0
    let tell = (): void => undefined
    const looked = new Promise<void>((resolve) => {
      tell = resolve
    })
    const lookup = ((_name, options, callback) => {
      if (options.all !== true) callback(null, '127.0.0.1', 4)
      else if (looks++ === 0) callback(null, [{ address: '127.0.0.1', family: 4 }])
      else {
        callback(Object.assign(new Error('no answer'), { code: 'EAI_AGAIN' }), [])
        tell()
      }
    }) as LookupFunction
    const pool = openPool(`http://upstream.example:${upstream.port}`, { lookup, addressInterval: 20 })
    expect(await ask(pool, '/').outcome).toBe(200)
    await looked
    expect(await ask(pool, '/').outcome).toBe(200)
    expect(upstream.sockets).toHaveLength(1)
  })
})
