import { builtins } from './builtins.ts'
import type { FunctionSpec, FunctionTable } from './spec.ts'

const groups: readonly Readonly<Record<string, FunctionSpec>>[] = [builtins]

/** Every function that is always there. */
const safe: FunctionTable = new Map(groups.flatMap((group) => Object.entries(group)))

/** The functions of a template that allows these unsafe ones. */
export function functionsFor(_allowed: ReadonlySet<string>): FunctionTable {
  return safe
}

/** Why a function cannot be used; undefined when it can. */
export function refusal(name: string, table: FunctionTable): string | undefined {
  return table.has(name) ? undefined : `function ${JSON.stringify(name)} not defined`
}
