/**
 * Connections to upstreams: one pool per origin and way of connecting, capped, so that one slow upstream costs the others
 * nothing.
 */
import { isIP } from 'node:net'
import { buildConnector, Pool } from 'undici'
import type { Dispatcher } from 'undici'
import type { UpstreamTarget } from '../pipeline/contract.ts'

export interface UpstreamLimits {
  /** Connections per pool. */
  readonly connections: number
  /** Requests per pool that wait for a connection; more are refused at once. */
  readonly waiting: number
  /** Milliseconds for name look-up, TCP and TLS together, unless the upstream's own settings say otherwise; 0 for no limit. */
  readonly connectTimeout: number
}

export const defaultLimits: UpstreamLimits = { connections: 256, waiting: 1024, connectTimeout: 2000 }

/** Milliseconds after which a connection is not used again, so that a changed DNS record is noticed. */
const connectionAge = 300_000
/** Shorter than what servers usually keep, so that we hang up first (undici takes a shorter `Keep-Alive` hint). */
const keepAlive = 4000

/** Pools at which it is worth looking for unused ones. */
const leastSweep = 64

export class Upstreams {
  readonly #limits: UpstreamLimits
  readonly #pools = new Map<string, Upstream>()
  #sweepAt = leastSweep

  constructor(limits: Partial<UpstreamLimits> = {}) {
    this.#limits = { ...defaultLimits, ...limits }
  }

  /** The pool of an upstream, which always comes from configuration. */
  open({ origin, connection }: Pick<UpstreamTarget, 'origin' | 'connection'>): Upstream {
    const key = connection?.key ?? origin
    let upstream = this.#pools.get(key)
    if (upstream === undefined) {
      if (this.#pools.size >= this.#sweepAt) this.#sweep()
      upstream = new Upstream(origin, this.#limits, connection)
      this.#pools.set(key, upstream)
    }
    return upstream
  }

  /** A pool without connections holds nothing; after reloads with other certificates it may never be asked for again. */
  #sweep(): void {
    for (const [key, upstream] of this.#pools) {
      if (!upstream.isUnused) continue
      this.#pools.delete(key)
      void upstream.close()
    }
    this.#sweepAt = Math.max(leastSweep, 2 * this.#pools.size)
  }

  /** Ends all connections, also those in use. */
  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((upstream) => upstream.close()))
    this.#pools.clear()
  }
}

type Options = Dispatcher.DispatchOptions & { servername?: string }

export class Upstream {
  readonly origin: string
  /** Set while a socket reports its error: tells a body that ended from one that was broken off. */
  breaking = false
  #inFlight = 0
  readonly #limits: UpstreamLimits
  readonly #connection: UpstreamTarget['connection']
  readonly #servername: string | undefined
  readonly #pool: Pool
  readonly #connect: buildConnector.connector
  // For retries: every request gets a connection of its own, which is not kept.
  #fresh: Pool | undefined
  readonly #fromUsedSocket = new WeakSet<Error>()

  constructor(origin: string, limits: UpstreamLimits, connection?: UpstreamTarget['connection']) {
    this.origin = origin
    this.#limits = limits
    this.#connection = connection
    const url = new URL(origin)
    // Named explicitly: undici would take the name from a Host header that the client chose (preserve_host).
    this.#servername = url.protocol === 'https:' ? url.hostname.replace(/^\[|\]$/g, '') : undefined
    this.#connect = this.#connector()
    this.#pool = this.#open()
  }

  /** Whether one more request is too many. The caller counts with `enter` and `leave`. */
  get isFull(): boolean {
    return this.#inFlight >= this.#limits.connections + this.#limits.waiting
  }

  /** Whether it has neither requests nor connections. */
  get isUnused(): boolean {
    return this.#inFlight === 0 && this.#pool.stats.connected === 0
  }

  enter(): void {
    this.#inFlight++
  }

  leave(): void {
    this.#inFlight--
  }

  /** Sends a request; errors come to the handler. `fresh` asks for a connection that nobody has used before. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler, fresh = false): void {
    // A handshake leaves its connection behind, whatever comes of it.
    const sent: Options = { ...options, reset: fresh || typeof options.upgrade === 'string' }
    if (this.#servername !== undefined) sent.servername = this.#servername
    const pool = fresh ? (this.#fresh ??= this.#open()) : this.#pool
    pool.dispatch(sent, handler)
  }

  /** Whether the error came from a connection that had answered before: its server may just have closed it for idleness. */
  isFromUsedSocket(error: Error): boolean {
    if (this.#fromUsedSocket.has(error)) return true
    const { socket } = error as { socket?: { bytesRead?: number } | null }
    return (socket?.bytesRead ?? 0) > 0
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.destroy(), this.#fresh?.destroy()])
  }

  #open(): Pool {
    return new Pool(this.origin, {
      connections: this.#limits.connections,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: keepAlive,
      clientTtl: connectionAge,
      connect: this.#connect,
    })
  }

  #connector(): buildConnector.connector {
    const { connectTimeout: timeout = this.#limits.connectTimeout, tls } = this.#connection ?? {}
    const connect = buildConnector({ timeout, allowH2: false, ...(tls !== undefined && { secureContext: tls }) })
    return (options, callback) => {
      // TLS has no server names that are addresses (RFC 6066 section 3).
      const { servername = '' } = options
      const named = isIP(servername) === 0 ? options : { ...options, servername: '' }
      connect(named, (...result) => {
        const [, socket] = result
        // Runs before undici's own listener.
        socket?.on('error', (error: Error) => {
          if (socket.bytesRead > 0) this.#fromUsedSocket.add(error)
          this.breaking = true
          queueMicrotask(() => {
            this.breaking = false
          })
        })
        callback(...result)
      })
    }
  }
}
