/**
 * Sessions by the words that told of them. A session store that is asked at each request says the same of a session each
 * time: what has been read once needs no second reading, and whatever is remembered beside the session, such as its token,
 * is found at once. Nothing counts because it is here: it has just been said again, byte for byte.
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../pipeline/contract/runtime.ts'
import type { Revocation } from '../pipeline/contract/revocations.ts'
import type { Session } from '../pipeline/contract/session.ts'
import type { SessionReader } from '../pipeline/contract/session_store.ts'
import { createOwnerIndex } from './owner_index.ts'

export interface KnownAnswers {
  /** The session of which a reader like this one has read in the same body; undefined also when it has ended since. */
  recall(reader: SessionReader, body: string): Session | undefined
  keep(reader: SessionReader, body: string, session: Session): void
  /** Whatever the revocation may end is read anew, and gets new tokens, should it be told of again. */
  revoke(revocation: Revocation): void
}

interface Known {
  readonly place: string
  readonly body: string
  readonly session: Session
}

const MAX_ENTRIES = 10_000
/** Bytes, about: a character may take two, and what was read of a body as much again. */
const MAX_SIZE = 24 * 1024 * 1024
const OVERHEAD = 1024
/** Characters by which a body is looked for before it is compared: Kratos begins with the ID of the session. */
const BEGINNING = 96

export function createKnownAnswers(clock: Pick<Clock, 'now'>): KnownAnswers {
  const owners = createOwnerIndex<Known>()
  const answers = new LRUCache<string, Known>({
    max: MAX_ENTRIES,
    maxSize: MAX_SIZE,
    sizeCalculation: ({ body }) => 3 * body.length + OVERHEAD,
    dispose: (known) => owners.delete(known, known.session),
  })
  const placeOf = ({ key }: SessionReader, body: string): string => key + body.slice(0, BEGINNING)

  return {
    recall(reader, body) {
      const known = answers.get(placeOf(reader, body))
      if (known?.body !== body) return undefined
      const { expiresAt } = known.session
      return expiresAt !== undefined && expiresAt <= clock.now() ? undefined : known.session
    },
    keep(reader, body, session) {
      const place = placeOf(reader, body)
      const known: Known = { place, body, session }
      answers.set(place, known)
      // An answer too large to be kept is not there.
      if (answers.peek(place) === known) owners.add(known, session)
    },
    revoke(revocation) {
      for (const { place } of owners.of(revocation)) answers.delete(place)
    },
  }
}
