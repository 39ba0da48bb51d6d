/** Reading a zod schema through its JSON Schema: the one description that needs no knowledge of zod's inside. */
import { z } from 'zod'
import type { Path } from './problem.ts'

/** The parts of JSON Schema (draft 2020-12) that zod writes and that are read here. */
export interface JsonSchema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: JsonSchema | boolean
  readonly items?: JsonSchema | boolean
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, JsonSchema>>
  readonly default?: unknown
  readonly description?: string
}

// Deriving one takes tens of milliseconds, and a thousand broken rules ask for the same one. A schema never changes.
const derived = new WeakMap<z.ZodType, JsonSchema>()

/** What a schema takes (not what it gives); parts that JSON Schema cannot say are left open. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const known = derived.get(schema)
  if (known !== undefined) return known
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema
  derived.set(schema, json)
  return json
}

/** The schema itself, or its alternatives when it is a union. Recursive schemas are followed once. */
export function alternatives(schema: JsonSchema, root: JsonSchema): readonly JsonSchema[] {
  const found: JsonSchema[] = []
  const queue = [schema]
  const seen = new Set<JsonSchema>()
  for (let current = queue.pop(); current !== undefined; current = queue.pop()) {
    if (seen.has(current)) continue
    seen.add(current)
    const nested = [...(current.anyOf ?? []), ...(current.oneOf ?? []), ...(current.allOf ?? [])]
    const target = current.$ref === undefined ? undefined : resolve(current.$ref, root)
    if (target !== undefined) queue.push(target)
    else if (nested.length > 0) queue.push(...nested.toReversed())
    else found.push(current)
  }
  return found
}

function resolve(reference: string, root: JsonSchema): JsonSchema | undefined {
  if (reference === '#') return root
  return root.$defs?.[reference.replace(/^#\/\$defs\//, '')]
}

/** Every schema that can apply to the value at a path. */
function schemasAt(root: JsonSchema, path: Path): readonly JsonSchema[] {
  let current = alternatives(root, root)
  for (const step of path) {
    const next = current.map((schema) => child(schema, step)).filter((schema) => schema !== undefined)
    current = next.flatMap((schema) => alternatives(schema, root))
  }
  return current
}

function child(schema: JsonSchema, step: string | number): JsonSchema | undefined {
  if (typeof step === 'number') return typeof schema.items === 'object' ? schema.items : undefined
  const { properties, additionalProperties } = schema
  if (properties !== undefined && Object.hasOwn(properties, step)) return properties[step]
  return typeof additionalProperties === 'object' ? additionalProperties : undefined
}

/** Names of the keys that a map at this path may have; empty when it may have any. */
export function keysAt(root: JsonSchema, path: Path): readonly string[] {
  const keys = new Set<string>()
  for (const schema of schemasAt(root, path)) for (const key of Object.keys(schema.properties ?? {})) keys.add(key)
  return [...keys]
}

/** Names of the keys that a map at this path must have. */
export function requiredAt(root: JsonSchema, path: Path): readonly string[] {
  return [...new Set(schemasAt(root, path).flatMap((schema) => schema.required ?? []))]
}
