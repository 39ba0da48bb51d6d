/** The connections to all upstreams: one pool per origin and way of connecting, so that a slow one costs the others nothing. */
import type { UpstreamTarget } from '../pipeline/contract.ts'
import { Upstream } from './upstream.ts'
import type { UpstreamLimits } from './upstream.ts'

export const defaultLimits: UpstreamLimits = {
  connections: 256,
  waiting: 1024,
  waitTimeout: 5000,
  connectTimeout: 2000,
  connectionAge: 300_000,
  addressInterval: 15_000,
}

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
