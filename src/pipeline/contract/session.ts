/** Who a request comes from. */
import type { JsonObject } from './values.ts'

/**
 * Who the request comes from. Immutable and shared by all requests that were answered by the same answer of the
 * session store, so that whatever is derived from it can be remembered beside it.
 */
export interface Session {
  /** Empty for `noop`. */
  readonly subject: string
  readonly extra: JsonObject | null
  /** The session store's id of this session; absent for credentials that have none. */
  readonly id?: string
  /** The session store's id of the user; absent when it does not say. */
  readonly identity?: string
  /** Epoch milliseconds; absent when the session has no known end. */
  readonly expiresAt?: number
  /** Epoch milliseconds at which the user's data changed last; absent when the session store does not say. */
  readonly changedAt?: number
  /** Absent when the session store says nothing of it. */
  readonly authentication?: SessionAuthentication
  /** Known from before an outage of the session store, which cannot be asked. */
  readonly stale?: true
}

/** How the user proved who they are, as the session store tells it. */
export interface SessionAuthentication {
  /** Assurance level: `aal0` to `aal3`. */
  readonly aal?: string
  /** Epoch milliseconds of the last factor. */
  readonly at?: number
  /** Such as `password` or `totp`. */
  readonly methods: readonly string[]
  /** Channels (`email`, `sms`) of which an address is verified. */
  readonly verified: readonly string[]
}
