/**
 * The connections to one origin: one request at a time on each connection, the connection used last first, so that those too
 * many can go; a bounded number of connections and of requests that wait for one.
 *
 * A pool of our own, because undici's looks at every connection for every request.
 * Longer than most files because connections, those who use them and those who wait for them share one state.
 */
import { lookup } from 'node:dns'
import { isIP } from 'node:net'
import type { LookupFunction, Socket } from 'node:net'
import { buildConnector, Client } from 'undici'
import type { Dispatcher } from 'undici'
import { GatewayError } from '../errors.ts'
import type { UpstreamConnection } from '../pipeline/contract.ts'

export interface PoolLimits {
  /** Connections per pool. */
  readonly connections: number
  /** Requests per pool that wait for a connection; more are refused at once. */
  readonly waiting: number
  /** Milliseconds that a request waits for a connection. */
  readonly waitTimeout: number
  /** Milliseconds for name look-up, TCP and TLS together, unless the connection's own settings say otherwise; 0 for no limit. */
  readonly connectTimeout: number
  /** Milliseconds after which a connection is not used again, so that new instances behind an address get their share. */
  readonly connectionAge: number
  /** Milliseconds between two looks at the addresses of the origin's name. */
  readonly addressInterval: number
  /** How names become addresses; the system's way unless given. */
  readonly lookup?: LookupFunction
}

/** What is sent, and how long to wait for what. */
export interface PoolRequest {
  readonly path: string
  readonly method: string
  /** Flat list: name, value… */
  readonly headers: string[]
  readonly body: Dispatcher.DispatchOptions['body']
  /** Milliseconds until the response begins; 0 for no limit. */
  readonly headersTimeout: number
  /** Milliseconds for which it may stand still; 0 for no limit. */
  readonly bodyTimeout: number
  readonly upgrade: string | null
}

/** One connection, or the place for one: undici's client connects anew when it has lost its socket. */
interface Line {
  readonly client: Client
  socket: Socket | undefined
  /** Whether it has no request. */
  free: boolean
  /** Not to be used for another one. */
  retired: boolean
}

interface Waiting {
  readonly request: PoolRequest
  readonly since: number
}

/** Shorter than what servers usually keep, so that we hang up first (undici takes a shorter `Keep-Alive` hint). */
const keepAlive = 4000

export class OriginPool {
  readonly origin: string
  /** Set while a socket reports its error: tells a body that ended from one that was broken off. */
  breaking = false
  #inFlight = 0
  readonly #limits: PoolLimits
  readonly #hostname: string
  readonly #connect: buildConnector.connector
  readonly #lines = new Set<Line>()
  /** Lines without a request; the one used last at the end. */
  readonly #free: Line[] = []
  readonly #waiting = new Map<Dispatcher.DispatchHandler, Waiting>()
  #waitTimer: NodeJS.Timeout | undefined
  #addressTimer: NodeJS.Timeout | undefined
  readonly #fromUsedSocket = new WeakSet<Error>()

  constructor(origin: string, defaults: PoolLimits, connection?: UpstreamConnection) {
    const limits = { ...defaults, ...connection?.limits }
    this.origin = origin
    this.#limits = limits
    this.#hostname = new URL(origin).hostname.replace(/^\[|\]$/g, '')
    const { connectTimeout: timeout = limits.connectTimeout, tls } = connection ?? {}
    this.#connect = buildConnector({
      timeout,
      allowH2: false,
      ...(tls !== undefined && { secureContext: tls }),
      ...(limits.lookup !== undefined && { lookup: limits.lookup }),
    })
  }

  /** Whether one more request is too many. The caller counts with `enter` and `leave`. */
  get isFull(): boolean {
    return this.#inFlight >= this.#limits.connections + this.#limits.waiting
  }

  /** Whether it has neither requests nor connections. */
  get isUnused(): boolean {
    if (this.#inFlight > 0) return false
    for (const { socket } of this.#lines) if (socket !== undefined) return false
    return true
  }

  enter(): void {
    this.#inFlight++
  }

  leave(): void {
    this.#inFlight--
  }

  /**
   * Sends a request as soon as there is a connection; errors come to the handler, `overloaded` when none became free in
   * time. `fresh` asks for a connection that nobody has used before, whatever the limits.
   */
  dispatch(request: PoolRequest, handler: Dispatcher.DispatchHandler, fresh = false): void {
    const mayOpen = fresh || this.#lines.size < this.#limits.connections
    const line = (fresh ? undefined : this.#takeFree()) ?? (mayOpen ? this.#open() : undefined)
    if (line === undefined) {
      this.#wait(request, handler)
      return
    }
    line.retired = fresh
    this.#use(line, request, handler)
  }

  /** Takes back a request that still waits for a connection; answers whether it did. */
  withdraw(handler: Dispatcher.DispatchHandler): boolean {
    return this.#waiting.delete(handler)
  }

  /** Whether the error came from a connection that had answered before: its server may just have closed it for idleness. */
  isFromUsedSocket(error: Error): boolean {
    if (this.#fromUsedSocket.has(error)) return true
    const { socket } = error as { socket?: { bytesRead?: number } | null }
    return (socket?.bytesRead ?? 0) > 0
  }

  /** Ends all connections: those in use when their request is done, or with `now` at once. Those who wait are refused. */
  async close(now = false): Promise<void> {
    clearInterval(this.#addressTimer)
    clearTimeout(this.#waitTimer)
    for (const handler of this.#waiting.keys()) this.#giveUp(handler)
    const clients = [...this.#lines].map(({ client }) => client)
    this.#lines.clear()
    await Promise.all(clients.map((client) => (now ? client.destroy() : client.close())))
  }

  #open(): Line {
    const client = new Client(this.origin, {
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: keepAlive,
      connect: (options, callback) => this.#connectLine(line, options, callback),
    })
    const line: Line = { client, socket: undefined, free: false, retired: false }
    client.on('drain', () => this.#release(line))
    this.#lines.add(line)
    return line
  }

  #connectLine(line: Line, options: buildConnector.Options, callback: buildConnector.Callback): void {
    // TLS has no server names that are addresses (RFC 6066 section 3).
    const { servername = '' } = options
    const named = isIP(servername) === 0 ? options : { ...options, servername: '' }
    this.#connect(named, (...result) => {
      if (result[0] === null) this.#watch(line, result[1])
      callback(...result)
    })
  }

  #watch(line: Line, socket: Socket): void {
    line.socket = socket
    // No two connections end at the same time because they began together.
    const age = this.#limits.connectionAge * (1 - Math.random() / 10)
    const timer = setTimeout(() => this.#retire(line, socket), age).unref()
    socket.on('close', () => {
      clearTimeout(timer)
      if (line.socket === socket) line.socket = undefined
    })
    // Runs before undici's own listener.
    socket.on('error', (error: Error) => {
      if (socket.bytesRead > 0) this.#fromUsedSocket.add(error)
      this.breaking = true
      queueMicrotask(() => {
        this.breaking = false
      })
    })
    if (isIP(this.#hostname) !== 0) return
    this.#addressTimer ??= setInterval(() => this.#checkAddresses(), this.#limits.addressInterval).unref()
  }

  #takeFree(): Line | undefined {
    for (let line = this.#free.pop(); line !== undefined; line = this.#free.pop()) {
      line.free = false
      if (!line.retired) return line
      this.#discard(line)
    }
    return undefined
  }

  #use(line: Line, request: PoolRequest, handler: Dispatcher.DispatchHandler): void {
    const { path, method, headers, body, headersTimeout, bodyTimeout, upgrade } = request
    const sent = {
      path,
      method,
      headers,
      body,
      headersTimeout,
      bodyTimeout,
      upgrade,
      // A handshake leaves its connection behind, whatever comes of it.
      reset: line.retired || upgrade !== null,
      // Named explicitly: undici would take the name from a Host header that the client chose (preserve_host).
      servername: this.#hostname,
    }
    line.client.dispatch(sent as Dispatcher.DispatchOptions, handler)
    // A request that undici refuses never takes the line, and no 'drain' follows.
    if (line.client.stats.size === 0) this.#release(line)
  }

  #release(line: Line): void {
    if (line.free || !this.#lines.has(line)) return
    const next = this.#nextWaiting()
    if (line.retired) {
      this.#discard(line)
      if (next !== undefined) this.#use(this.#open(), ...next)
    } else if (next === undefined) {
      line.free = true
      this.#free.push(line)
    } else this.#use(line, ...next)
  }

  /** Lets its request finish, if it has one, and closes it. */
  #discard(line: Line): void {
    this.#lines.delete(line)
    void line.client.close()
  }

  #wait(request: PoolRequest, handler: Dispatcher.DispatchHandler): void {
    this.#waiting.set(handler, { request, since: performance.now() })
    this.#waitTimer ??= setTimeout(() => this.#endWaiting(), this.#limits.waitTimeout)
  }

  #nextWaiting(): [PoolRequest, Dispatcher.DispatchHandler] | undefined {
    if (this.#waiting.size === 0) return undefined
    for (const [handler, { request }] of this.#waiting) {
      this.#waiting.delete(handler)
      return [request, handler]
    }
    return undefined
  }

  /** Gives up those who have waited too long; they wait in the order in which they came. */
  #endWaiting(): void {
    this.#waitTimer = undefined
    const now = performance.now()
    for (const [handler, { since }] of this.#waiting) {
      const left = since + this.#limits.waitTimeout - now
      if (left > 0) {
        this.#waitTimer = setTimeout(() => this.#endWaiting(), left)
        return
      }
      this.#giveUp(handler)
    }
  }

  #giveUp(handler: Dispatcher.DispatchHandler): void {
    this.#waiting.delete(handler)
    const reason = 'no connection to the upstream became free in time'
    const error = new GatewayError('overloaded', { reason, headers: [['Retry-After', '1']] })
    // No request has begun, so there is nothing to control, as in undici's own refusals.
    handler.onResponseError?.(null as unknown as Dispatcher.DispatchController, error)
  }

  #retire(line: Line, socket: Socket): void {
    // The place may have another connection by now.
    if (line.socket !== socket) return
    line.retired = true
    const at = this.#free.indexOf(line)
    if (at === -1) return
    this.#free.splice(at, 1)
    this.#discard(line)
  }

  /** Connections to addresses that the name no longer has are not used again. */
  #checkAddresses(): void {
    const connected = [...this.#lines].filter(({ socket }) => socket !== undefined)
    if (connected.length === 0) {
      clearInterval(this.#addressTimer)
      this.#addressTimer = undefined
      return
    }
    const resolve = this.#limits.lookup ?? lookup
    resolve(this.#hostname, { all: true }, (error, found) => {
      // A name server that fails says nothing about the origin.
      if (error !== null || !Array.isArray(found) || found.length === 0) return
      const addresses = new Set(found.map(({ address }) => address))
      for (const line of connected) {
        const { socket } = line
        if (socket?.remoteAddress !== undefined && !addresses.has(socket.remoteAddress)) this.#retire(line, socket)
      }
    })
  }
}
