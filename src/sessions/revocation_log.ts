/**
 * Tells whether an answer of the session store is older than a revocation of the session in it: such an answer says what
 * was, and must not undo what has been heard since.
 */
import { LRUCache } from 'lru-cache'
import type { Revocation } from '../pipeline/contract/revocations.ts'
import type { Session } from '../pipeline/contract/session.ts'

export interface RevocationLog {
  /** Grows with every revocation; to be noted when a question is asked. */
  readonly moment: number
  add(revocation: Revocation): void
  /** Whether the session was revoked after that moment. */
  revokedSince(moment: number, session: Pick<Session, 'id' | 'identity'>): boolean
}

/** Far more than are heard of while a call is under way. */
const MAX_REMEMBERED = 10_000

export function createRevocationLog(): RevocationLog {
  let moment = 0
  /** Whoever asked before this moment may have missed a revocation that is no longer remembered. */
  let horizon = 0
  const heard = new LRUCache<string, number>({
    max: MAX_REMEMBERED,
    dispose: (at, _id, reason) => {
      if (reason === 'evict') horizon = Math.max(horizon, at)
    },
  })

  return {
    get moment() {
      return moment
    },
    add(revocation) {
      moment++
      if ('everything' in revocation) horizon = moment
      else if ('session' in revocation) heard.set(`session:${revocation.session}`, moment)
      else heard.set(`identity:${revocation.identity}`, moment)
    },
    revokedSince(since, { id, identity }) {
      if (since === moment) return false
      if (since < horizon || id === undefined || identity === undefined) return true
      return (heard.peek(`session:${id}`) ?? 0) > since || (heard.peek(`identity:${identity}`) ?? 0) > since
    },
  }
}
