/** Sets two exchanges side by side and looks up which of their differences are deliberate. */
import type { Exchange } from './exchange.ts'
import { deliberate } from './deliberate.ts'
import type { Context } from './deliberate/context.ts'

export interface Difference {
  readonly facet: string
  readonly theirs: string | undefined
  readonly ours: string | undefined
}

export interface Comparison {
  /** Names of the deliberate differences that were met. */
  readonly declared: ReadonlySet<string>
  /** Those that nobody has declared. */
  readonly open: readonly Difference[]
}

export function differences(theirs: Exchange, ours: Exchange): Difference[] {
  const names = new Set([...theirs.facets.keys(), ...ours.facets.keys()])
  return [...names].flatMap((facet) => {
    const [a, b] = [theirs.facets.get(facet), ours.facets.get(facet)]
    return a === b ? [] : [{ facet, theirs: a, ours: b }]
  })
}

export function compare(context: Context): Comparison {
  const all = differences(context.theirs, context.ours)
  if (all.length === 0) return { declared: new Set(), open: [] }
  // What makes the answer another one explains everything that follows from it.
  const cause = deliberate.find(({ decides }) => decides?.(context) === true)
  if (cause !== undefined) return { declared: new Set([cause.name]), open: [] }
  const declared = new Set<string>()
  const open = all.filter((difference) => {
    const known = deliberate.find(({ covers }) => covers?.(difference, context) === true)
    if (known !== undefined) declared.add(known.name)
    return known === undefined
  })
  return { declared, open }
}
