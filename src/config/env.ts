/** Config from the environment, in Oathkeeper's form: the path of a key in capitals, with `_` between its parts, no prefix. */
import type { z } from 'zod'
import type { Environment } from '../documents/interpolate.ts'
import { alternatives, jsonSchemaOf, type JsonSchema } from '../documents/json_schema.ts'
import { type Layer, mergeLayers } from '../documents/layers.ts'
import type { Path, Problem } from '../documents/problem.ts'

/** A key that a variable can set, and the JSON types that its value may have. */
interface Key {
  readonly path: readonly string[]
  readonly types: ReadonlySet<string>
  readonly itemTypes: ReadonlySet<string>
}

export interface EnvironmentLayer {
  readonly layer: Layer
  readonly problems: readonly Problem[]
}

/**
 * Lays the variables that name a key of the schema over `base`. Variables that name none are not ours and are ignored.
 * A text that does not fit its key is kept as it is, for the schema to complain about at the variable's name.
 */
export function environmentLayer(env: Environment, schema: z.ZodObject, base: Layer): EnvironmentLayer {
  const keys = environmentKeys(schema, Object.keys(env))
  const problems: Problem[] = []
  let layer = base
  // Sorted by name, so that an item (…_0) is set after the list that it is part of, and shorter paths before longer ones.
  for (const name of Object.keys(env).sort()) {
    const text = env[name]
    if (text === undefined) continue
    const place = `environment variable ${name}`
    const key = keys.get(name)
    if (key !== undefined) {
      const value = readText(text, key.types, key.itemTypes)
      // A variable such as LOG or SERVE can be anyone's; only an object makes it ours.
      if (key.path.length === 1 && key.types.has('object') && typeof value === 'string') continue
      layer = mergeLayers([layer, { value: nest(key.path, value), locate: () => place }])
      continue
    }
    const item = indexed(name, keys)
    if (item === undefined) continue
    const list = valueAt(layer.value, item.key.path)
    const items: unknown[] = Array.isArray(list) ? [...list] : []
    if (item.index > items.length) {
      problems.push({ severity: 'error', message: `There is no item ${item.index - 1} before this one`, place })
      continue
    }
    items[item.index] = readText(text, item.key.itemTypes, new Set())
    const below = layer
    const at: Path = [...item.key.path, item.index]
    layer = mergeLayers([
      below,
      {
        value: nest(item.key.path, items),
        locate: (path, on) => (startsWith(path, at) ? place : below.locate(path, on)),
      },
    ])
  }
  return { layer, problems }
}

/** The keys that variables of these names can be meant for. */
function environmentKeys(schema: z.ZodObject, variables: readonly string[]): Map<string, Key> {
  const keys = new Map<string, Key>()
  function visit(inner: JsonSchema, root: JsonSchema, path: readonly string[]): void {
    const branches = alternatives(inner, root)
    const name = nameOf(path)
    const known = keys.get(name)
    const items = branches.flatMap(({ items: item }) => (typeof item === 'object' ? alternatives(item, root) : []))
    keys.set(name, {
      path,
      types: new Set([...(known?.types ?? []), ...typesOf(branches)]),
      itemTypes: new Set([...(known?.itemTypes ?? []), ...typesOf(items)]),
    })
    for (const { properties = {} } of branches) {
      for (const [key, child] of Object.entries(properties)) if (!reserved.has(key)) visit(child, root, [...path, key])
    }
  }
  for (const [section, inner] of Object.entries<z.ZodType>(schema.shape)) {
    if (reserved.has(section)) continue
    const name = nameOf([section])
    // Most environments name no section, and deriving all of them would take as long as a tenth of the start.
    if (!variables.some((variable) => variable === name || variable.startsWith(`${name}_`))) continue
    const root = jsonSchemaOf(inner)
    visit(root, root, [section])
  }
  return keys
}

const nameOf = (path: readonly string[]): string => path.join('_').toUpperCase()

/** A container's VERSION is hardly ever the config's, which says nothing but for which Oathkeeper a file was written. */
const reserved: ReadonlySet<string> = new Set(['version', '$schema'])

function typesOf(schemas: readonly JsonSchema[]): string[] {
  return schemas.map(({ type }) => type).filter((type) => type !== undefined)
}

function readText(text: string, types: ReadonlySet<string>, itemTypes: ReadonlySet<string>): unknown {
  if (types.has('string')) return text
  if (types.has('boolean') && booleans.has(text)) return booleans.get(text)
  if ((types.has('integer') || types.has('number')) && /^-?[0-9]+(\.[0-9]+)?$/.test(text)) return Number(text)
  if (types.has('array')) {
    const list = readJson(text)
    return Array.isArray(list) ? list : readCsv(text).map((item) => readText(item, itemTypes, new Set()))
  }
  return readJson(text) ?? text
}

/** What Go's strconv.ParseBool takes. */
const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false] as const),
])

/** Objects and lists only: a bare word, number or `null` in a variable is text. */
function readJson(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    return JSON.parse(text, (key, value: unknown) => (key === '__proto__' ? undefined : value))
  } catch {
    return undefined
  }
}

/** One line of CSV (RFC 4180): fields with commas stand in double quotes. */
function readCsv(text: string): string[] {
  if (text === '') return []
  return [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  )
}

/** `ACCESS_RULES_REPOSITORIES_0`: one item of a list. */
function indexed(
  name: string,
  keys: ReadonlyMap<string, Key>,
): { readonly key: Key; readonly index: number } | undefined {
  const [, list, index] = /^(.+)_(\d{1,4})$/.exec(name) ?? []
  const key = list === undefined ? undefined : keys.get(list)
  return key?.types.has('array') === true ? { key, index: Number(index) } : undefined
}

function nest(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value)
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let current = value
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return undefined
    current = (current as Record<string, unknown>)[step]
  }
  return current
}

function startsWith(path: Path, prefix: Path): boolean {
  return prefix.every((step, index) => path[index] === step)
}
