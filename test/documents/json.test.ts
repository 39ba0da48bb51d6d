import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ParsedDocument, parseDocument } from '../../src/documents/document.ts'
import type { Path } from '../../src/documents/problem.ts'

const env = { PORT: '8080', HOST: 'db' }
const read = (text: string): ParsedDocument => parseDocument(text, 'rules.json', { env })
/** JSON has no comments, so one makes YAML of it. */
const readAsYaml = (text: string): ParsedDocument => parseDocument(`${text}\n# YAML`, 'rules.json', { env })
const told = (text: string): string[] =>
  read(text).problems.map(({ message, place }) => {
    const spot = typeof place === 'object' ? `${place.line}:${place.column}` : 'nowhere'
    return `${spot} ${message}`
  })

function pathsOf(value: unknown): Path[] {
  if (typeof value !== 'object' || value === null) return [[]]
  const parts: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  return [[], ...parts.flatMap(([step, part]) => pathsOf(part).map((path) => [step, ...path]))]
}

function places({ document }: ParsedDocument): unknown[] {
  return pathsOf(document?.value).flatMap((path) =>
    ([path, [...path, 'missing']] as const).flatMap((each) => [document?.locate(each), document?.locate(each, 'key')]),
  )
}

const key = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom('id', '1', '0', 'a"b', '\\', '{', ']', ':', ',', 'constructor', 'toString', '<<'),
)
const scalar = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    0,
    -1.5,
    1e21,
    '',
    '${PORT}',
    '${HOST}:${PORT}',
    '${NONE:-7}',
    '$${PORT}',
    '"}]\\',
  ),
  fc.string(),
  fc.integer(),
)
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
  ),
}))
const container = fc.oneof(fc.array(tree), fc.dictionary(key, tree))

/** JSON texts with keys given twice, and other things that a document does not allow. */
const { flaw, map } = fc.letrec<{ flaw: string; map: string }>((tie) => ({
  flaw: fc.oneof({ maxDepth: 3 }, fc.constantFrom('1', '1e999', '"x"', '"${NOT_SET}"'), tie('map')),
  map: fc
    .array(fc.tuple(fc.constantFrom('"a"', '"b"', '"c"', '"__proto__"'), tie('flaw')), { maxLength: 4 })
    .map((pairs) => `{${pairs.map(([name, value]) => `${name}: ${value}`).join(',\n')}}`),
}))
const flawed = fc.oneof(
  map,
  fc.array(flaw).map((items) => `[${items.join(', ')}]`),
)

describe('JSON', () => {
  it('is read as the YAML that it is, with the same values and places', () => {
    fc.assert(
      fc.property(container, fc.nat(3), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        fc.pre(!text.includes('__proto__'))
        const json = read(text)
        const yaml = readAsYaml(text)
        expect(json.problems).toEqual([])
        expect(json.document?.value).toEqual(yaml.document?.value)
        expect(places(json)).toEqual(places(yaml))
      }),
    )
  })

  it('is found wrong where it is as YAML', () => {
    const errors = ({ problems }: ParsedDocument) => problems.map(({ message, place }) => ({ message, place }))
    fc.assert(
      fc.property(flawed, (text) => {
        const found = errors(read(text))
        for (const error of errors(readAsYaml(text))) expect(found).toContainEqual(error)
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    ['a repeated key', '{"a": 1,\n "b": {"a": 1, "\\u0061": 2}}', ['2:16 This key is given twice in the same map']],
    ['each of several', '[{"a": 1, "a": 2, "a": {"b": 1, "b": 1}}]', ['1:11', '1:19', '1:33']],
    ['a key that reaches a prototype', '{"a": {"__proto__": {"x": 1}}}', ['1:8 The key "__proto__" is not allowed']],
    ['infinity', '{"a": [1, 1e400]}', ['1:11 This value must be text, a finite number, true, false or null']],
    ['a missing variable', '{"a": ["x", "b ${NOT_SET}"]}', ['1:16 The environment variable NOT_SET is not set']],
    ['endless nesting', `${'['.repeat(5_000)}${']'.repeat(5_000)}`, ['1:101 The text is nested too deeply']],
  ])('tells of %s', (_, text, expected) => {
    const problems = told(text)
    expect(problems).toHaveLength(expected.length)
    for (const [index, start] of expected.entries()) expect(problems[index]).toMatch(new RegExp(`^${escape(start)}`))
    expect(read(text).document).toBeUndefined()
  })

  it('with mistakes keeps the rest as a draft, without the key that is not allowed', () => {
    const { draft } = read('{"a": 1, "__proto__": {"b": 2}, "c": "${PORT}"}')
    expect(draft?.value).toEqual({ a: 1, c: 8080 })
    expect(Object.keys(draft?.value as object)).toEqual(['a', 'c'])
  })

  it('of a size that YAML would need seconds for is located as well', () => {
    const rules = Array.from({ length: 5_000 }, (_, index) => ({ id: `rule-${index}`, methods: ['GET', '"]}'] }))
    const { document } = read(JSON.stringify(rules, null, 2))
    expect(document?.value).toEqual(rules)
    expect(document?.locate([4_999, 'methods', 1])).toMatchObject({
      line: 5_000 * 7 - 1,
      column: 7,
      text: '      "\\"]}"',
    })
  })
})

const escape = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
