import type { Revocation, Session } from '../pipeline/contract.ts'

/** Finds whatever is remembered of sessions by what a revocation names. */
export interface OwnerIndex<Item> {
  add(item: Item, session: Owner): void
  /** Takes the session with which the item was added. */
  delete(item: Item, session: Owner): void
  /** All that the revocation ends, and all that nobody can tell it from: items of sessions without an id. */
  of(revocation: Revocation): readonly Item[]
}

type Owner = Pick<Session, 'id' | 'identity'>

/** Under which items stand whose session or user has no id. */
const UNKNOWN = ''

export function createOwnerIndex<Item>(): OwnerIndex<Item> {
  const bySession = new Map<string, Set<Item>>()
  const byIdentity = new Map<string, Set<Item>>()

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
      if ('everything' in revocation) return [...bySession.values()].flatMap((items) => [...items])
      const [index, id] = 'session' in revocation ? [bySession, revocation.session] : [byIdentity, revocation.identity]
      return [...(index.get(id) ?? []), ...(id === UNKNOWN ? [] : (index.get(UNKNOWN) ?? []))]
    },
  }
}

function addTo<Item>(index: Map<string, Set<Item>>, id: string, item: Item): void {
  const items = index.get(id)
  if (items === undefined) index.set(id, new Set([item]))
  else items.add(item)
}

function deleteFrom<Item>(index: Map<string, Set<Item>>, id: string, item: Item): void {
  const items = index.get(id)
  if (items?.delete(item) === true && items.size === 0) index.delete(id)
}
