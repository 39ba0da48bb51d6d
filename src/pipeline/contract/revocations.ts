/** The news that sessions have ended. */

/**
 * What no longer holds: a session, which has ended, or of which a credential has (`inDoubt`); whatever is remembered of a user
 * (the session store's id of the identity), whose sessions have ended or say something else now; or everything, because news
 * may have been missed. Whoever remembers something of it forgets it, and asks anew before it counts again.
 */
export type Revocation =
  { readonly session: string; readonly inDoubt?: true } | { readonly identity: string } | { readonly everything: true }

/** Where the news of a revocation came from. */
export type RevocationLayer =
  'observed' | 'refused' | 'admin_api' | 'webhook' | 'database' | 'revalidation' | 'redis' | 'worker'

export type RevocationListener = (revocation: Revocation, layer: RevocationLayer) => void

/** The one bus over which everything that remembers a session hears that it has ended. One per gateway. */
export interface Revocations {
  /** Tells everybody, at once: when it returns, nothing that was revoked is remembered in this process any more. */
  publish(revocation: Revocation, layer: RevocationLayer): void
  /** Returns the function that ends the subscription. */
  subscribe(listener: RevocationListener): () => void
}
