/**
 * Whether a refusal can be believed. Kratos answers 401 also when it cannot reach its database, and only its readiness
 * tells the two apart.
 */
import { exchange } from '../outbound/call.ts'
import type { OriginPools } from '../outbound/origin_pools.ts'

/** Milliseconds: whoever is refused waits for it. */
const TIMEOUT = 500

/** Those who ask at the same time share one check. Never rejects: no answer is a no. */
export function createHealthCheck(pools: OriginPools): (url: string) => Promise<boolean> {
  const running = new Map<string, Promise<boolean>>()

  const check = async (url: string): Promise<boolean> => {
    try {
      const { status } = await exchange(pools, { method: 'GET', url, headers: [] }, { timeout: TIMEOUT, maxBody: 0 })
      return status === 200
    } catch {
      return false
    }
  }

  return (url) => {
    const shared = running.get(url)
    if (shared !== undefined) return shared
    const checking = check(url).finally(() => running.delete(url))
    running.set(url, checking)
    return checking
  }
}

/** Where a Kratos at this base URL says whether it is ready; the public and the admin API both do. */
export function healthUrl(base: string): string {
  return new URL('health/ready', base.endsWith('/') ? base : `${base}/`).href
}
