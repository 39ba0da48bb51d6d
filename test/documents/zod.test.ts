import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { parseDocument } from '../../src/documents/document.ts'
import { validate } from '../../src/documents/zod.ts'

function told(schema: z.ZodType, text: string, at: readonly (string | number)[] = []): string[] {
  const { document } = parseDocument(text, 'f.yaml')
  if (document === undefined) throw new Error('the test needs a readable text')
  return validate(schema, document.value, document.locate, at).problems.map(({ message, hint, place }) => {
    const spot = typeof place === 'object' ? `${place.line}:${place.column}` : 'nowhere'
    return `${spot} ${message}${hint === undefined ? '' : ` | ${hint}`}`
  })
}

describe('validate', () => {
  it('gives the parsed value', () => {
    const result = validate(z.strictObject({ a: z.number().default(1) }), {}, () => undefined)
    expect(result).toEqual({ valid: true, value: { a: 1 }, problems: [] })
  })

  it.each([
    [z.strictObject({ a: z.string() }), 'a: 1', '1:4 "a" must be text, not a number'],
    [z.strictObject({ a: z.string() }), 'a:', '1:3 "a" must be text, but is empty'],
    [z.strictObject({ a: z.boolean() }), 'a: yes', '1:4 "a" must be true or false, not text'],
    [z.strictObject({ a: z.array(z.string()) }), 'a: {}', '1:4 "a" must be a list, not a map'],
    [z.strictObject({ a: z.record(z.string(), z.string()) }), 'a: true', '1:4 "a" must be a map, not true'],
    [z.strictObject({ a: z.int() }), 'a: 1.5', '1:4 "a" must be a whole number'],
    [z.strictObject({ a: z.int().max(9) }), 'a: 10', '1:4 "a" must be at most 9'],
    [z.strictObject({ a: z.number().gt(0) }), 'a: 0', '1:4 "a" must be more than 0'],
    [z.strictObject({ a: z.number().multipleOf(5) }), 'a: 7', '1:4 "a" must be a multiple of 5'],
    [z.strictObject({ a: z.string().min(1) }), 'a: ""', '1:4 "a" must have at least 1 character'],
    [z.strictObject({ a: z.array(z.string()).min(2) }), 'a: [x]', '1:4 "a" must have at least 2 items'],
    [z.strictObject({ a: z.url() }), 'a: x', '1:4 "a" must be an absolute URL, such as "http://127.0.0.1:4433/"'],
    [
      z.strictObject({ a: z.enum(['regexp', 'glob']) }),
      'a: globs',
      '1:4 "a" must be "regexp" or "glob" | Did you mean "glob"?',
    ],
    [z.strictObject({ a: z.literal([301, 302]) }), 'a: 307', '1:4 "a" must be 301 or 302'],
    [z.strictObject({ a: z.string() }), '{}', '1:1 "a" is missing'],
    [z.strictObject({ a: z.strictObject({ b: z.string() }) }), 'c: 1\n', '1:1 "a" is missing | It needs "b".'],
    [z.array(z.strictObject({ id: z.string() })), '- id: 1', '1:7 "[0].id" must be text, not a number'],
    [z.array(z.string()), 'a: 1', '1:1 The document must be a list, not a map'],
    [z.strictObject({ a: z.string().regex(/x/, 'must hold an x') }), 'a: y', '1:4 "a" must hold an x'],
    [z.strictObject({ a: z.string().refine(() => false, 'Nothing is right') }), 'a: y', '1:4 Nothing is right'],
    [z.record(z.string().regex(/^x/, 'must begin with x'), z.string()), 'y: z', '1:1 The key "y" must begin with x'],
  ])('case %#', (schema, text, expected) => {
    expect(told(schema, text)[0]).toBe(expected)
  })

  it('suggests the key that was meant, at the key itself', () => {
    const schema = z.strictObject({
      cookie_session: z.strictObject({ only: z.string().optional(), extra_from: z.string().optional() }),
    })
    expect(told(schema, 'cookie_session:\n  onyl: x\n  zzz: 1\n')).toEqual([
      '2:3 Unknown key "onyl" in "cookie_session" | Did you mean "only"?',
      '3:3 Unknown key "zzz" in "cookie_session" | Allowed here: only, extra_from.',
    ])
  })

  it('names values by their path from further up', () => {
    expect(told(z.strictObject({ a: z.string() }), 'a: 1', ['rules', 0])).toEqual([
      '1:4 "rules[0].a" must be text, not a number',
    ])
  })

  describe('unions', () => {
    const tokenFrom = z.union([
      z.null(),
      z.strictObject({ header: z.string() }),
      z.strictObject({ cookie: z.string() }),
    ])

    it('speak of the branch that fits best', () => {
      expect(told(z.strictObject({ t: tokenFrom }), 't: {cookie: 1}')).toEqual([
        '1:13 "t.cookie" must be text, not a number',
      ])
      expect(told(z.strictObject({ t: tokenFrom }), 't: {cookie: x, headers: y}')).toEqual([
        '1:16 Unknown key "headers" in "t" | Did you mean "header"?',
      ])
    })

    it('name all kinds when none fits', () => {
      expect(told(z.strictObject({ t: tokenFrom }), 't: 1')).toEqual(['1:4 "t" must be null or a map'])
      const nested = z.union([z.string(), z.union([z.number(), z.boolean()])])
      expect(told(z.strictObject({ t: nested }), 't: []')).toEqual(['1:4 "t" must be text, a number or true or false'])
    })

    it('go by the key that tells the branches apart', () => {
      const schema = z.discriminatedUnion('enabled', [
        z.strictObject({ enabled: z.literal(true), config: z.strictObject({ url: z.string() }) }),
        z.strictObject({ enabled: z.literal(false).default(false) }),
      ])
      expect(told(schema, 'enabled: true')).toEqual(['1:1 "config" is missing | It needs "url".'])
      expect(told(schema, 'enabled: maybe')).toEqual(['1:10 "enabled" must be true or false'])
    })
  })

  it('follows a recursive schema', () => {
    interface Node {
      readonly next?: Node | undefined
    }
    const node: z.ZodType<Node> = z.strictObject({
      get next() {
        return node.optional()
      },
    })
    expect(told(node, 'next: {next: {nxt: {}}}')).toEqual([
      '1:15 Unknown key "nxt" in "next.next" | Did you mean "next"?',
    ])
  })

  it('never repeats a value, which may be a secret', () => {
    const schema = z.strictObject({ a: z.enum(['x', 'y']), b: z.url(), c: z.string().regex(/^x/), d: z.number() })
    const result = validate(schema, { a: 'hunter2', b: 'hunter2', c: 'hunter2', d: 'hunter2' }, () => undefined)
    expect(result.problems).toHaveLength(4)
    expect(JSON.stringify(result.problems)).not.toContain('hunter2')
  })
})
