import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { configJsonSchema, rulesJsonSchema } from '../../scripts/generate-schema.ts'
import { configSchema } from '../../src/config/schema.ts'
import { alternatives, jsonSchemaOf, type JsonSchema } from '../../src/documents/json_schema.ts'
import { builtinHandlers } from '../../src/pipeline/builtin.ts'

const committed = (name: string): string => readFileSync(new URL(`../../schema/${name}`, import.meta.url), 'utf8')

describe('the JSON Schemas for editors', () => {
  it.each([
    ['config.schema.json', configJsonSchema],
    ['rules.schema.json', rulesJsonSchema],
  ])('%s is what the code says (else run `node scripts/generate-schema.ts`)', (name, generate) => {
    expect(committed(name)).toBe(generate())
  })

  it('know the config of the handler that a rule names', () => {
    const rules = JSON.parse(rulesJsonSchema()) as {
      items: { properties: { mutators: { items: { allOf: unknown[] } } } }
    }
    expect(rules.items.properties.mutators.items.allOf).toContainEqual(
      expect.objectContaining({ if: { properties: { handler: { const: 'id_token' } } } }),
    )
  })
})

describe('every key of the config', () => {
  const root = jsonSchemaOf(configSchema(builtinHandlers))

  it('is described', () => {
    const undescribed: string[] = []
    const visit = (schema: JsonSchema, path: string): void => {
      for (const branch of alternatives(schema, root)) {
        for (const [key, child] of Object.entries(branch.properties ?? {})) {
          const at = `${path}.${key}`
          // A handler's block and its `config` are described by what is in them.
          const isBlock = /^\.(authenticators|authorizers|mutators|errors\.handlers)\.[^.]+(\.config)?$/.test(at)
          if (child.description === undefined && !isBlock) undescribed.push(at)
          visit(child, at)
        }
      }
    }
    visit(root, '')
    expect([...new Set(undescribed)]).toEqual([])
  })

  it('has a name of its own among environment variables', () => {
    const names = new Map<string, string>()
    const visit = (schema: JsonSchema, path: readonly string[]): void => {
      for (const branch of alternatives(schema, root)) {
        for (const [key, child] of Object.entries(branch.properties ?? {})) {
          const at = [...path, key]
          const name = at.join('_').toUpperCase()
          expect(names.get(name) ?? at.join('.')).toBe(at.join('.'))
          names.set(name, at.join('.'))
          visit(child, at)
        }
      }
    }
    visit(root, [])
    expect(names.size).toBeGreaterThan(150)
  })
})
