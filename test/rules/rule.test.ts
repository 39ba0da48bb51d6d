import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ruleSchema, rulesSchema, ruleToJson } from '../../src/rules/rule.ts'
import { ruleOf, soundRule } from './documents.ts'

describe('ruleToJson', () => {
  it('has the keys of Oathkeeper, and escapes as Go does', () => {
    const json = ruleToJson(ruleOf({ ...soundRule, description: 'a & b' }).rule)
    expect(json).toBe(
      String.raw`{"id":"sound","version":"v26.2.0","description":"a \u0026 b","match":{"methods":["GET"],"url":"http://h/\u003c.*\u003e"},"authenticators":[{"handler":"noop","config":null}],"authorizer":{"handler":"allow","config":null},"mutators":[{"handler":"noop","config":null}],"errors":null,"upstream":{"preserve_host":false,"strip_path":"","url":"http://u"}}`,
    )
  })

  it('shows the gRPC form as it was written', () => {
    const match = { authority: 'api', full_method: 'pkg.Service/Do' }
    expect(JSON.parse(ruleToJson(ruleOf({ ...soundRule, match }).rule))).toMatchObject({
      match: { ...match, allow_http_get: false },
    })
  })

  it('shows a priority only where the rule has one', () => {
    expect(ruleToJson(ruleOf({ ...soundRule, priority: 5 }).rule)).toContain('"priority":5')
  })

  it('shows authorizers as they were written, and mutators before them only where the rule has some', () => {
    const steps = {
      before_authorizer: [{ handler: 'hydrator' }],
      authorizer: [{ handler: 'allow' }, { handler: 'deny' }],
    }
    expect(JSON.parse(ruleToJson(ruleOf({ ...soundRule, ...steps }).rule))).toMatchObject(steps)
  })

  it('shows credentials only where the rule says something of them', () => {
    const upstream = { url: 'http://u', credentials: 'pass' }
    expect(ruleToJson(ruleOf({ ...soundRule, upstream }).rule)).toContain('"credentials":"pass"')
  })
})

describe('ruleSchema', () => {
  const schema = z.toJSONSchema(rulesSchema, { io: 'input' })

  it('tells editors what Oathkeeper requires', () => {
    expect(schema).toMatchObject({
      type: 'array',
      items: {
        required: ['id', 'match', 'authenticators', 'authorizer', 'mutators'],
        additionalProperties: false,
        properties: {
          match: { anyOf: [{ required: ['url', 'methods'] }, { required: ['full_method'] }] },
          authenticators: { minItems: 1, items: { required: ['handler'] } },
        },
      },
    })
  })

  it('describes every field', () => {
    const undescribed: string[] = []
    const visit = (node: unknown, path: string): void => {
      const { properties = {}, items } = node as {
        properties?: Record<string, { description?: string }>
        items?: unknown
      }
      for (const [key, value] of Object.entries(properties)) {
        if (value.description === undefined) undescribed.push(`${path}${key}`)
        visit(value, `${path}${key}.`)
      }
      if (items !== undefined) visit(items, path)
    }
    visit(schema, '')
    expect(undescribed).toEqual([])
  })

  it('takes a rule without anything, because what is missing is told in words of its own', () => {
    expect(ruleSchema.safeParse({}).success).toBe(true)
  })
})
