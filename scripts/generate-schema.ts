// Writes schema/*.schema.json, by which editors check and complete config and rule files; with --check says which are out of date.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { configSchema } from '../src/config/schema.ts'
import { builtinHandlers } from '../src/pipeline/builtin.ts'
import type { AnyHandler } from '../src/pipeline/contract/handler.ts'
import { rulesSchema } from '../src/rules/rule.ts'

type Schema = z.core.JSONSchema.BaseSchema

/** The JSON Schema (draft 7, which editors know best) of config files, as text. */
export function configJsonSchema(): string {
  return asText({ title: 'Mintkeeper config', ...toJsonSchema(configSchema(builtinHandlers)) })
}

/** The JSON Schema of rule files, as text; each handler's `config` is that of the handler that is named beside it. */
export function rulesJsonSchema(): string {
  const rules = toJsonSchema(rulesSchema)
  const properties = (rules.items as Schema).properties as Record<string, Schema>
  for (const [section, kind] of sections) {
    const property = properties[section] as Schema
    for (const form of property.anyOf ?? [property]) {
      const reference = (form.items ?? form) as Schema
      Object.assign(reference, withHandlers(reference, kind))
    }
  }
  return asText(rules)
}

const sections = [
  ['authenticators', 'authenticators'],
  ['before_authorizer', 'mutators'],
  ['authorizer', 'authorizers'],
  ['mutators', 'mutators'],
  ['errors', 'errors'],
] as const

function withHandlers(reference: Schema, kind: AnyHandler['kind']): Schema {
  const handlers = builtinHandlers.filter((handler) => handler.kind === kind)
  const handler = reference.properties?.['handler'] as Schema
  return {
    properties: { ...reference.properties, handler: { ...handler, enum: handlers.map(({ name }) => name) } },
    allOf: handlers.map(({ name, config }) => ({
      if: { properties: { handler: { const: name } } },
      // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
      then: { properties: { config: withoutRequired(toJsonSchema(config)) } },
    })),
  }
}

/** A rule's config is laid over the global one, which may hold what is required; a list is replaced as a whole. */
function withoutRequired(schema: Schema): Schema {
  const entries = Object.entries(schema).filter(([key]) => key !== 'required' && key !== '$schema')
  return Object.fromEntries(
    entries.map(([key, value]) => [
      key,
      key === 'properties' ? mapValues(value as Record<string, Schema>, withoutRequired) : value,
    ]),
  )
}

function mapValues<From, To>(object: Readonly<Record<string, From>>, change: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]))
}

function toJsonSchema(schema: z.ZodType): Schema {
  return z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    override({ jsonSchema }) {
      // In the place of a number or a switch there may stand a variable.
      const { type } = jsonSchema
      if ((type === 'integer' || type === 'number' || type === 'boolean') && jsonSchema.const === undefined) {
        Object.assign(jsonSchema, { type: [type, 'string'], pattern: '^\\$\\{[A-Z_][A-Za-z0-9_]*(:-[^}]*)?\\}$' })
      }
    },
  })
}

function asText(schema: object): string {
  return `${JSON.stringify(schema, null, 2)}\n`
}

function main(check: boolean): void {
  const folder = path.join(import.meta.dirname, '..', 'schema')
  mkdirSync(folder, { recursive: true })
  const texts = { 'config.schema.json': configJsonSchema(), 'rules.schema.json': rulesJsonSchema() }
  for (const [name, text] of Object.entries(texts)) {
    const file = path.join(folder, name)
    if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
    if (check) {
      process.stderr.write(`schema/${name} is out of date: run node scripts/generate-schema.ts\n`)
      process.exitCode = 1
    } else {
      writeFileSync(file, text)
      process.stdout.write(`wrote schema/${name}\n`)
    }
  }
}

if (import.meta.main) main(process.argv.includes('--check'))
