/** Connections to any number of origins: one pool per origin and way of connecting, so that a slow one costs the others nothing. */
import type { UpstreamConnection } from '../pipeline/contract/upstream.ts'
import { OriginPool, type PoolLimits } from './origin_pool.ts'

const defaultLimits: PoolLimits = {
  // Streams that say little keep one each: those of one kind of client must not keep out all others.
  connections: 1024,
  waiting: 1024,
  waitTimeout: 1000,
  connectTimeout: 2000,
  connectionAge: 300_000,
  addressInterval: 15_000,
}

/** Pools at which it is worth looking for unused ones. */
const leastSweep = 64

export class OriginPools {
  readonly #limits: PoolLimits
  readonly #pools = new Map<string, OriginPool>()
  #sweepAt = leastSweep

  constructor(limits: Partial<PoolLimits> = {}) {
    this.#limits = { ...defaultLimits, ...limits }
  }

  /** The pool of an origin, which always comes from configuration. */
  open(origin: string, connection?: UpstreamConnection): OriginPool {
    const key = connection?.key ?? origin
    let pool = this.#pools.get(key)
    if (pool === undefined) {
      if (this.#pools.size >= this.#sweepAt) this.#sweep()
      pool = new OriginPool(origin, this.#limits, connection)
      this.#pools.set(key, pool)
    }
    return pool
  }

  /** A pool without connections holds nothing; after reloads with other certificates it may never be asked for again. */
  #sweep(): void {
    for (const [key, pool] of this.#pools) {
      if (!pool.isUnused) continue
      this.#pools.delete(key)
      void pool.close()
    }
    this.#sweepAt = Math.max(leastSweep, 2 * this.#pools.size)
  }

  /** Ends all connections: those in use when their request is done, or with `now` at once. */
  async close(now = false): Promise<void> {
    const pools = [...this.#pools.values()]
    this.#pools.clear()
    await Promise.all(pools.map((pool) => pool.close(now)))
  }
}
