/** A server that answers with exactly given bytes, and handlers that remember what they were told. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { HttpConnection, HttpRequest, ResponseHandler } from '../../../src/outbound/http1/connection.ts'
import type { ResponseHead } from '../../../src/outbound/http1/response_head.ts'
import { OriginPool, type PoolLimits } from '../../../src/outbound/origin_pool.ts'

export interface Script {
  /** What is written, each in its turn of the event loop; one character a byte. */
  readonly segments: readonly string[]
  /** What happens to the connection then. */
  readonly after: 'open' | 'end' | 'reset'
  /** Answers as soon as the head of the request is there, not when its body is. */
  readonly early?: boolean
}

export interface ScriptedServer {
  readonly origin: string
  readonly sockets: Set<Socket>
  /** Sockets accepted so far. */
  readonly accepted: () => number
  /** Answers to `/name/…`. */
  readonly scripts: Map<string, Script>
  close(): Promise<void>
}

/** Answers each request (with Content-Length, or without a body) as the first segment of its path says. */
export async function startScripted(): Promise<ScriptedServer> {
  const scripts = new Map<string, Script>()
  const sockets = new Set<Socket>()
  let accepted = 0
  const server = createServer((socket) => {
    accepted++
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined)
    answerRequests(socket, scripts)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sockets,
    accepted: () => accepted,
    scripts,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function answerRequests(socket: Socket, scripts: ReadonlyMap<string, Script>): void {
  let received = ''
  const look = (): void => {
    const end = received.indexOf('\r\n\r\n')
    if (end === -1) return
    const script = scripts.get(received.split('/', 2)[1]!.split(' ')[0]!)
    if (script === undefined) throw new Error('there is no such script')
    const length = Number(/content-length: (\d+)/i.exec(received.slice(0, end))?.[1] ?? 0)
    if (received.length < end + 4 + length && script.early !== true) return
    received = received.slice(end + 4 + length)
    void play(socket, script)
  }
  socket.on('data', (data: Buffer) => {
    received += data.toString('latin1')
    look()
  })
}

async function play(socket: Socket, { segments, after }: Script): Promise<void> {
  for (const segment of segments) {
    if (socket.destroyed) return
    socket.write(segment, 'latin1')
    await new Promise(setImmediate)
  }
  if (after === 'end') socket.end()
  else if (after === 'reset') socket.resetAndDestroy()
}

/** What came of a request. */
export interface Outcome {
  readonly status: number
  /** Flat list: name, value…; one character a byte. */
  readonly fields: readonly string[]
  readonly body: string
  readonly trailers: readonly string[]
  /** Statuses of the interim responses. */
  readonly interim: readonly number[]
  readonly error: Error | undefined
  /** What `onResponseError` said. */
  readonly reused: boolean
}

export class Recorded implements ResponseHandler {
  readonly outcome: Promise<Outcome>
  connection: HttpConnection | undefined
  head: ResponseHead | undefined
  readonly body: Buffer[] = []
  /** How often it was told of the end, in whatever way. */
  ends = 0
  /** Called with each piece of the body. */
  onData: ((bytes: Buffer) => void) | undefined
  onHead: ((head: ResponseHead) => void) | undefined
  readonly #interim: number[] = []
  #settle!: (outcome: Outcome) => void

  constructor() {
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve
    })
  }

  onRequestStart(connection: HttpConnection): void {
    this.connection = connection
  }

  onInformation({ status }: ResponseHead): void {
    this.#interim.push(status)
  }

  onResponseStart(head: ResponseHead): void {
    this.head = head
    this.onHead?.(head)
  }

  onResponseData(bytes: Buffer): void {
    this.body.push(bytes)
    this.onData?.(bytes)
  }

  onResponseEnd(trailers: readonly string[]): void {
    this.#end([...trailers], undefined, false)
  }

  onResponseError(error: Error, reused: boolean): void {
    this.#end([], error, reused)
  }

  #end(trailers: readonly string[], error: Error | undefined, reused: boolean): void {
    this.ends++
    this.#settle({
      status: this.head?.status ?? 0,
      fields: this.head?.fields ?? [],
      body: Buffer.concat(this.body).toString('latin1'),
      trailers,
      interim: this.#interim,
      error,
      reused,
    })
  }
}

export function poolTo(origin: string, limits: Partial<PoolLimits> = {}): OriginPool {
  return new OriginPool(origin, {
    connections: 1,
    waiting: 100,
    waitTimeout: 20_000,
    connectTimeout: 5000,
    connectionAge: 300_000,
    addressInterval: 300_000,
    ...limits,
  })
}

export const requestOf = (rest: Partial<HttpRequest> = {}): HttpRequest => ({
  path: '/',
  method: 'GET',
  headers: [],
  body: undefined,
  upgrades: false,
  headersTimeout: 0,
  bodyTimeout: 0,
  ...rest,
})

/** Sends a request at once. */
export function ask(pool: OriginPool, rest: Partial<HttpRequest> = {}, fresh = false): Recorded {
  const recorded = new Recorded()
  pool.dispatch(requestOf(rest), recorded, fresh)
  return recorded
}
