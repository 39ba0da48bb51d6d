/**
 * The connections to one origin: one request at a time on each connection, the connection used last first, so that those too
 * many can go; a bounded number of connections and of requests that wait for one.
 *
 * Longer than most files because connections, those who use them and those who wait for them share one state.
 */
import { lookup } from 'node:dns'
import { isIP } from 'node:net'
import type { LookupFunction } from 'node:net'
import { GatewayError } from '../errors.ts'
import type { UpstreamConnection } from '../pipeline/contract/upstream.ts'
import { connectorTo, type Connect } from './http1/connect.ts'
import type { ConnectionOwner, HttpConnection, HttpRequest, ResponseHandler } from './http1/connection.ts'

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

interface Waiting {
  readonly request: HttpRequest
  readonly since: number
}

/** Milliseconds; shorter than what servers usually keep, so that we hang up first. */
const keepAlive = 4000

export class OriginPool implements ConnectionOwner {
  readonly origin: string
  readonly #limits: PoolLimits
  readonly #hostname: string
  readonly #connect: Connect
  #inFlight = 0
  /** Connections that are being made, each for one request. */
  readonly #dialling = new Set<ResponseHandler>()
  /** Connections that are being made for requests that have been taken back: they serve others, and count like all. */
  #unwanted = 0
  /** Those that are there, with the time (milliseconds, monotonic) from which on they are not used again. */
  readonly #connections = new Map<HttpConnection, number>()
  /** Connections without a request; the one used last at the end. */
  readonly #free: HttpConnection[] = []
  /** Connections that have just become free: what is still on its way on them shows first. */
  #settling: HttpConnection[] = []
  readonly #waiting = new Map<ResponseHandler, Waiting>()
  #waitTimer: NodeJS.Timeout | undefined
  #addressTimer: NodeJS.Timeout | undefined
  #closed: (() => void) | undefined

  constructor(origin: string, defaults: PoolLimits, connection?: UpstreamConnection) {
    const limits = { ...defaults, ...connection?.limits }
    this.origin = origin
    this.#limits = limits
    this.#hostname = new URL(origin).hostname.replace(/^\[|\]$/g, '')
    this.#connect = connectorTo(origin, {
      timeout: connection?.connectTimeout ?? limits.connectTimeout,
      tls: connection?.tls,
      lookup: limits.lookup,
      idleTimeout: Math.min(keepAlive, limits.connectionAge),
    })
  }

  /** Whether one more request is too many. The caller counts with `enter` and `leave`. */
  get isFull(): boolean {
    return this.#inFlight >= this.#limits.connections + this.#limits.waiting
  }

  /** Whether it has neither requests nor connections. */
  get isUnused(): boolean {
    return this.#inFlight === 0 && this.#opened === 0
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
  dispatch(request: HttpRequest, handler: ResponseHandler, fresh = false): void {
    const free = fresh ? undefined : this.#takeFree(request)
    if (free !== undefined) free.send(request, handler)
    else if (fresh || this.#mayOpen()) this.#open(request, handler, fresh)
    else this.#wait(request, handler)
  }

  /** Takes back a request that has not begun; answers whether it did. */
  withdraw(handler: ResponseHandler): boolean {
    return this.#waiting.delete(handler) || this.#disown(handler)
  }

  /** Ends all connections: those in use when their request is done, or with `now` at once. Those who wait are refused. */
  async close(now = false): Promise<void> {
    clearInterval(this.#addressTimer)
    clearTimeout(this.#waitTimer)
    for (const handler of this.#waiting.keys()) this.#giveUp(handler)
    for (const handler of now ? this.#dialling : []) {
      this.#disown(handler)
      handler.onResponseError(new GatewayError('overloaded', { reason: 'the gateway is closing' }), false)
    }
    const closed = new Promise<void>((resolve) => {
      const before = this.#closed
      this.#closed = () => {
        before?.()
        resolve()
      }
    })
    for (const connection of this.#connections.keys()) {
      if (now || connection.isFree) connection.destroy()
      else connection.isLast = true
    }
    this.#checkClosed()
    await closed
  }

  onFree(connection: HttpConnection): void {
    if (connection.isLast || performance.now() > (this.#connections.get(connection) ?? 0)) {
      connection.destroy()
      return
    }
    if (this.#settling.push(connection) === 1) setImmediate(() => this.#settled())
  }

  onGone(connection: HttpConnection): void {
    this.#connections.delete(connection)
    const at = this.#free.lastIndexOf(connection)
    if (at !== -1) this.#free.splice(at, 1)
    this.#serveNext()
    this.#checkClosed()
  }

  #checkClosed(): void {
    if (this.#connections.size === 0 && this.#dialling.size === 0) this.#closed?.()
  }

  /** A connection is used again only a turn of the event loop later: more than the answer may have come with it. */
  #settled(): void {
    const settling = this.#settling
    this.#settling = []
    for (const connection of settling) {
      if (!connection.isFree) continue
      const [next] = this.#waiting
      if (next === undefined) this.#free.push(connection)
      // A WebSocket gets one of its own, for which there is room when this one is gone.
      else if (next[1].request.upgrades) connection.destroy()
      else {
        this.#waiting.delete(next[0])
        connection.send(next[1].request, next[0])
      }
    }
  }

  /** Connections that are there or on their way. */
  get #opened(): number {
    return this.#connections.size + this.#dialling.size + this.#unwanted
  }

  #mayOpen(): boolean {
    return this.#opened < this.#limits.connections
  }

  /** Answers whether a connection is being made for the request, which goes on without it. */
  #disown(handler: ResponseHandler): boolean {
    const isDialling = this.#dialling.delete(handler)
    if (isDialling) this.#unwanted++
    return isDialling
  }

  #open(request: HttpRequest, handler: ResponseHandler, isOnly: boolean): void {
    this.#dialling.add(handler)
    this.#connect(this, request.upgrades, (error, connection) => {
      // Taken back, perhaps: the connection can serve others.
      const isWanted = this.#dialling.delete(handler)
      if (!isWanted) this.#unwanted--
      if (connection === undefined) {
        this.#serveNext()
        this.#checkClosed()
        if (isWanted) handler.onResponseError(error!, false)
        return
      }
      // No two connections end at the same time because they began together.
      const age = this.#limits.connectionAge * (1 - Math.random() / 10)
      this.#connections.set(connection, performance.now() + age)
      connection.isLast = isOnly || request.upgrades || this.#closed !== undefined
      this.#watchAddresses()
      if (isWanted) connection.send(request, handler)
      else connection.rest()
    })
  }

  /** A WebSocket gets a connection of its own, for which one without a request may have to go. */
  #takeFree({ upgrades }: HttpRequest): HttpConnection | undefined {
    if (upgrades && this.#mayOpen()) return undefined
    for (let connection = this.#free.pop(); connection !== undefined; connection = this.#free.pop()) {
      if (connection.isFree && !upgrades) return connection
      connection.destroy()
      if (upgrades) return undefined
    }
    return undefined
  }

  /** There is room for one more connection. */
  #serveNext(): void {
    if (!this.#mayOpen()) return
    const [next] = this.#waiting
    if (next === undefined) return
    this.#waiting.delete(next[0])
    this.#open(next[1].request, next[0], false)
  }

  #wait(request: HttpRequest, handler: ResponseHandler): void {
    this.#waiting.set(handler, { request, since: performance.now() })
    // Who waits does so for a connection that keeps the process alive.
    this.#waitTimer ??= setTimeout(() => this.#endWaiting(), this.#limits.waitTimeout).unref()
  }

  /** Gives up those who have waited too long; they wait in the order in which they came. */
  #endWaiting(): void {
    this.#waitTimer = undefined
    const now = performance.now()
    for (const [handler, { since }] of this.#waiting) {
      const left = since + this.#limits.waitTimeout - now
      if (left > 0) {
        this.#waitTimer = setTimeout(() => this.#endWaiting(), left).unref()
        return
      }
      this.#giveUp(handler)
    }
  }

  #giveUp(handler: ResponseHandler): void {
    this.#waiting.delete(handler)
    const reason = 'no connection to the upstream became free in time'
    handler.onResponseError(new GatewayError('overloaded', { reason, headers: [['Retry-After', '1']] }), false)
  }

  #watchAddresses(): void {
    if (isIP(this.#hostname) !== 0) return
    this.#addressTimer ??= setInterval(() => this.#checkAddresses(), this.#limits.addressInterval).unref()
  }

  /** Connections to addresses that the name no longer has are not used again. */
  #checkAddresses(): void {
    if (this.#connections.size === 0) {
      clearInterval(this.#addressTimer)
      this.#addressTimer = undefined
      return
    }
    const resolve = this.#limits.lookup ?? lookup
    resolve(this.#hostname, { all: true }, (error, found) => {
      // A name server that fails says nothing about the origin.
      if (error !== null || !Array.isArray(found) || found.length === 0) return
      const addresses = new Set(found.map(({ address }) => address))
      for (const connection of this.#connections.keys()) {
        const { remoteAddress } = connection.socket
        if (remoteAddress === undefined || addresses.has(remoteAddress)) continue
        if (connection.isFree) connection.destroy()
        else connection.isLast = true
      }
    })
  }
}
