/** `cache` of cookie_session and bearer_token: whether and how long sessions are used again. */
import { z } from 'zod'
import { duration } from '../documents/duration.ts'
import type { SessionPolicy } from '../pipeline/contract/session_store.ts'
import type { Setup } from '../pipeline/contract/setup.ts'

export const cacheField = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('false: the session store is asked for each request, whatever it says about its answers.'),
    ttl: duration
      .optional()
      .describe(
        'How long a session is used again when the session store does not say it with Ory-Session-Cache-For; absent means not at all. A logout takes effect that much later.',
      ),
    max_entries: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(10_000)
      .describe('How many sessions are kept; never more than 64 MiB of them, or 2 KiB for each.'),
    stale_if_error: duration
      .optional()
      .describe(
        'How much longer a known session counts while the session store is unavailable; absent means not at all. Never beyond the end of the session.',
      ),
  })
  .prefault({})
  .describe('Memory of sessions. It delays the effect of a logout by as much as it keeps.')

type CacheConfig = z.output<typeof cacheField>

/** The policy that a config asks for. */
export function sessionPolicy(
  cache: CacheConfig,
  { sessionStoreHealth }: Pick<Setup, 'sessionStoreHealth'>,
): SessionPolicy {
  return {
    maxEntries: cache.enabled ? cache.max_entries : 0,
    ttl: cache.ttl,
    staleIfError: cache.enabled ? (cache.stale_if_error ?? 0) : 0,
    reuse: cache.enabled,
    healthUrl: sessionStoreHealth,
  }
}
