import type { Revocation } from '../pipeline/contract/revocations.ts'
import type { Session } from '../pipeline/contract/session.ts'

/** Finds whatever is remembered of sessions by what a revocation names. */
export interface OwnerIndex<Item extends object> {
  add(item: Item, session: Owner): void
  /** Takes the session with which the item was added. */
  delete(item: Item, session: Owner): void
  /** All that the revocation ends, and all that nobody can tell it from: items of sessions without an id. */
  of(revocation: Revocation): readonly Item[]
}

type Owner = Pick<Session, 'id' | 'identity'>

/** Under which items stand whose session or user has no id. */
const UNKNOWN = ''

export function createOwnerIndex<Item extends object>(): OwnerIndex<Item> {
  const bySession: Index<Item> = new Map()
  const byIdentity: Index<Item> = new Map()

  return {
    add(item, { id, identity }) {
      addTo(bySession, id ?? UNKNOWN, item)
      addTo(byIdentity, identity ?? UNKNOWN, item)
    },
    delete(item, { id, identity }) {
      deleteFrom(bySession, id ?? UNKNOWN, item)
      deleteFrom(byIdentity, identity ?? UNKNOWN, item)
    },
    of(revocation) {
      if ('everything' in revocation) return [...bySession.keys()].flatMap((id) => itemsOf(bySession, id))
      const [index, id] = 'session' in revocation ? [bySession, revocation.session] : [byIdentity, revocation.identity]
      return id === UNKNOWN ? itemsOf(index, id) : [...itemsOf(index, id), ...itemsOf(index, UNKNOWN)]
    },
  }
}

/** Most have one item, which a set of its own would make several times as large. */
type Index<Item> = Map<string, Item | Set<Item>>

function itemsOf<Item extends object>(index: Index<Item>, id: string): readonly Item[] {
  const items = index.get(id)
  return items === undefined ? [] : items instanceof Set ? [...items] : [items]
}

function addTo<Item extends object>(index: Index<Item>, id: string, item: Item): void {
  const items = index.get(id)
  if (items === undefined) index.set(id, item)
  else if (items instanceof Set) items.add(item)
  else index.set(id, new Set([items, item]))
}

function deleteFrom<Item extends object>(index: Index<Item>, id: string, item: Item): void {
  const items = index.get(id)
  if (items === item) index.delete(id)
  else if (items instanceof Set && items.delete(item) && items.size === 0) index.delete(id)
}
