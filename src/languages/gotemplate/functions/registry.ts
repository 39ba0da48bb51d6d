import { builtins } from './builtins.ts'
import { caseFunctions } from './case.ts'
import { dates } from './dates.ts'
import { defaults } from './defaults.ts'
import { dicts } from './dicts.ts'
import { encoding } from './encoding.ts'
import { lists } from './lists.ts'
import { math } from './math.ts'
import { paths } from './paths.ts'
import { random } from './random.ts'
import { regexps } from './regexps.ts'
import type { FunctionSpec, FunctionTable } from './spec.ts'
import { strings } from './strings.ts'
import { refusalOf, unsafe } from './unsafe/unsafe.ts'
import { urls } from './urls.ts'
import { versions } from './versions.ts'

const groups = [
  builtins,
  strings,
  caseFunctions,
  regexps,
  lists,
  dicts,
  defaults,
  math,
  encoding,
  paths,
  random,
  dates,
  urls,
  versions,
]

/** Every function that is always there. */
const safe = new Map<string, FunctionSpec>(groups.flatMap((group) => Object.entries(group)))

/** One table for each choice of unsafe functions, as thousands of templates share them. */
const tables = new Map<string, FunctionTable>([['', safe]])

/** The functions of a template that allows these unsafe ones. */
export function functionsFor(allowed: ReadonlySet<string>): FunctionTable {
  const chosen = Object.entries(unsafe).filter(([name]) => allowed.has(name))
  const key = chosen.map(([name]) => name).join(' ')
  let table = tables.get(key)
  if (table === undefined) tables.set(key, (table = new Map([...safe, ...chosen])))
  return table
}

/** Why a function cannot be used and what to do about it; undefined when it can. */
export function refusal(name: string, table: FunctionTable): string | undefined {
  if (table.has(name)) return undefined
  return refusalOf(name) ?? `function ${JSON.stringify(name)} not defined`
}
