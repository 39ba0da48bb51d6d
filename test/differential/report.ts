/** Says in few words what differed: open differences one by one, declared ones as counts. */
import type { Comparison } from './compare.ts'
import { deliberate } from './deliberate.ts'
import type { Context } from './deliberate/context.ts'
import { requestBytes } from './exchange.ts'
import { readableTokens } from './tokens.ts'

export interface Report {
  scenario(): void
  add(index: number, context: Context, comparison: Comparison): void
  /** Exchanges with an open difference so far. */
  open(): number
  finish(): void
}

const longest = 600
const formal = new Set(deliberate.filter((entry) => entry.formal === true).map(({ name }) => name))

export function createReport(write: (text: string) => void): Report {
  let [configs, requests, equal, differing, open] = [0, 0, 0, 0, 0]
  const declared = new Map<string, number>()
  const outcomes = new Map<string, number>()
  const count = (counts: Map<string, number>, name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1)
  return {
    scenario: () => void configs++,
    add(index, context, comparison) {
      requests++
      count(outcomes, `${context.request.plane} ${context.theirs.facets.get('status') ?? ''}`)
      for (const name of comparison.declared) count(declared, name)
      if (comparison.open.length > 0) {
        open++
        write(describe(index, context, comparison))
      } else if ([...comparison.declared].every((name) => formal.has(name))) equal++
      else differing++
    },
    open: () => open,
    finish() {
      write(
        `${configs} configs, ${requests} requests: ${equal} equal, ${differing} with declared differences, ${open} open\n` +
          `Declared differences by name; those marked with * are of form alone, and their requests count as equal:\n` +
          table(declared, (name) => (formal.has(name) ? `${name} *` : name)) +
          `Answers of Oathkeeper:\n${table(outcomes)}`,
      )
    },
  }
}

const table = (counts: ReadonlyMap<string, number>, label = (name: string): string => name): string =>
  [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, times]) => `${String(times).padStart(7)}  ${label(name)}\n`)
    .join('')

function describe(index: number, { scenario, request }: Context, { open }: Comparison): string {
  const shorten = (text: string | undefined): string =>
    text === undefined ? '(none)' : JSON.stringify(text).slice(0, longest)
  const lines = open.map(
    ({ facet, theirs, ours }) => `    ${facet}\n      theirs ${shorten(theirs)}\n      ours   ${shorten(ours)}\n`,
  )
  return `${scenario.id} #${index} ${request.plane} ${shorten(readableTokens(requestBytes(request)))}\n${lines.join('')}\n`
}
