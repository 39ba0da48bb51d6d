import type { RevocationListener, Revocations } from '../pipeline/contract/revocations.ts'
import type { Log } from '../pipeline/contract/runtime.ts'

/** See `Revocations`. A listener that fails is told of in the log and keeps no other from its turn. */
export function createRevocations(log: Pick<Log, 'error'>): Revocations {
  const listeners = new Set<RevocationListener>()
  return {
    publish(revocation, layer) {
      for (const listener of listeners) {
        try {
          listener(revocation, layer)
        } catch (error) {
          log.error({ err: error, layer }, 'A revocation was not carried out everywhere')
        }
      }
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
