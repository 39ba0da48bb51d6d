import type { Setup, Shared } from './contract/setup.ts'

/** See `Setup.shared`. One per gateway. */
export function createShared(parts: Pick<Setup, 'clock' | 'http' | 'log'>): Shared {
  const made = new Map<unknown, unknown>()
  return (make) => {
    if (!made.has(make)) made.set(make, make(parts))
    // What stands under a function was made by it.
    return made.get(make) as ReturnType<typeof make>
  }
}
