import { lookup } from 'node:dns/promises'
import { GoError, TemplateSuspended } from '../../errors.ts'
import { randomBelow } from '../random.ts'
import { type FunctionSpec, type Host, volatile } from '../spec.ts'

/** Milliseconds for which an answer of the DNS counts, a failure among them. */
const remembered = 30_000
/** Names may come from clients. */
const maxNames = 1000

/** Addresses by name; until they are there, what ends when they are. */
export function createLookup(): Host['lookup'] {
  const known = new Map<string, { readonly answer: readonly string[] | Promise<void>; readonly until: number }>()
  const keep = (name: string, answer: readonly string[] | Promise<void>, until: number): void => {
    known.delete(name)
    known.set(name, { answer, until })
    const [oldest] = known.keys()
    if (known.size > maxNames && oldest !== undefined) known.delete(oldest)
  }
  const ask = async (name: string): Promise<void> => {
    const found = await lookup(name, { all: true }).catch(() => [])
    keep(
      name,
      found.map(({ address }) => address),
      performance.now() + remembered,
    )
  }
  return (name) => {
    const before = known.get(name)
    if (before !== undefined && performance.now() < before.until) return before.answer
    const asked = ask(name)
    keep(name, asked, Infinity)
    return asked
  }
}

export const lookups: Readonly<Record<string, FunctionSpec>> = {
  getHostByName: volatile(['string'], ({ host }, [name]) => {
    const addresses = host.lookup(name as string)
    if (addresses instanceof Promise) throw new TemplateSuspended(addresses)
    const chosen = addresses[addresses.length > 1 ? randomBelow(addresses.length, host) : 0]
    if (chosen === undefined) throw new GoError('the DNS has no address of this host')
    return chosen
  }),
}
