import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileGjson, GjsonLimitError, GjsonPathError } from '../../../src/languages/gjson/index.ts'

const session = {
  id: 's1',
  identity: { id: 'u1', traits: { email: 'ada@example.com', 'fav.movie': 'Metropolis', roles: ['admin', 'ops'] } },
  teams: [
    { name: 'red', size: 3, tags: ['x', 'y'], lead: true },
    { name: 'blue', size: 11, tags: [], lead: null },
    { name: 'green "1"', size: 7 },
  ],
}

function find(path: string, document: unknown = session): unknown {
  return compileGjson(path).get(document)
}

describe('a gjson path', () => {
  it.each([
    [
      'multipath of an object',
      '{id:identity.id,traits:identity.traits.email}',
      { id: 'u1', traits: 'ada@example.com' },
    ],
    ['names taken from the paths', '{identity.id,teams.#}', { id: 'u1', _: 3 }],
    ['quoted and plain names', '{"a b":id,c d:id,nope}', { 'a b': 's1', 'c d': 's1' }],
    ['multipath of an array, without what is missing', '[id,nope,identity.id]', ['s1', 'u1']],
    ['path behind a multipath', '{a:identity}.a.id', 'u1'],
    ['multipath for each element', 'teams.#.{name,size}|1', { name: 'blue', size: 11 }],
    ['multipath behind a dot', 'identity.traits.[email]', ['ada@example.com']],
    ['literals in a multipath', '{v:!1,t:!"x",b:!false,o:!{"k":[1]}}', { v: 1, t: 'x', b: false, o: { k: [1] } }],
    ['query with an escaped quote', 'teams.#(name=="green \\"1\\"").size', 7],
    ['query on a nested array', 'teams.#(tags.#(=="y")).name', 'red'],
    ['query in brackets', 'teams.#[size>=7]#.name', ['blue', 'green "1"']],
    ['query by existence', 'teams.#(lead)#.name', ['red', 'blue']],
    ['query by falsehood', 'teams.#(lead=~false)#.name', ['blue', 'green "1"']],
    ['query by existence spelt out', 'teams.#(tags=~*)#.name', ['red', 'blue']],
    ['@keys', 'identity.@keys', ['id', 'traits']],
    ['@values', 'teams.0.@values|0', 'red'],
    ['@values of nothing', 'nope|@values', []],
    ['@reverse of an object', 'identity.@reverse.@keys', ['traits', 'id']],
    ['@flatten', '[teams.#.tags,id]|@flatten|@flatten', ['x', 'y', 's1']],
    ['@flatten deep', '[teams.#.tags,id]|@flatten:{"deep":true}', ['x', 'y', 's1']],
    ['@join', 'teams.@join.name', 'green "1"'],
    ['@group', '{a:identity.traits.roles,b:teams.#.size}|@group|0', { a: 'admin', b: 3 }],
    ['@dig', '@dig:name', ['red', 'blue', 'green "1"']],
    ['@tostr and back', 'identity.traits.roles.@tostr|@fromstr|1', 'ops'],
    ['@fromstr of what is no JSON', 'id.@fromstr', undefined],
    ['@valid', '@valid.id', 's1'],
    ['a modifier that does not exist is a name', 'identity.@nope', undefined],
    ['JSON lines', '..0.id', 's1'],
    ['JSON lines counted', '..#', 1],
    ['a wildcard that has to look further', '*.traits.email', 'ada@example.com'],
  ])('%s: %s', (_, path, expected) => {
    expect(find(path)).toEqual(expected)
  })

  it('compares text by code points', () => {
    expect(find('#(>"\uffff")', ['\u{1f600}'])).toBe('\u{1f600}')
  })

  it('takes nothing from prototypes', () => {
    for (const path of [
      'constructor',
      '__proto__',
      'toString.name',
      '*.constructor',
      '[__proto__]',
      'a.hasOwnProperty',
    ]) {
      expect(find(path, { a: {} }) ?? []).toEqual([])
    }
    expect(find('__proto__.x', JSON.parse('{"__proto__":{"x":1}}'))).toBe(1)
  })

  it('keeps a member named __proto__ a member', () => {
    const made = find('{"__proto__":identity}') as object
    expect(Object.keys(made)).toEqual(['__proto__'])
    expect(Object.getPrototypeOf(made)).toBe(Object.prototype)
    const joined = find('@join', JSON.parse('[{"__proto__":{"admin":true}}]')) as { admin?: unknown }
    expect(joined.admin).toBeUndefined()
  })

  it('never looks into a text', () => {
    expect(find('#.a', ['{"a":1}'])).toEqual([])
    expect(find('a', '{"a":1}')).toBeUndefined()
  })

  it('ends at a limit, not at a full stack or a full hour', () => {
    let deep: unknown = 'x'
    for (let i = 0; i < 50_000; i++) deep = [deep]
    expect(() => find('@dig:a', deep)).toThrow(GjsonLimitError)
    expect(() => find('@flatten:{"deep":true}', deep)).toThrow(GjsonLimitError)
    let chain: unknown = 'x'
    for (let i = 0; i < 300; i++) chain = { list: chain }
    expect(() => find('@dig:@dig:@dig:list', chain)).toThrow(GjsonLimitError)
    expect(() => compileGjson('a'.repeat(4097))).toThrow(GjsonPathError)
  })
})

const names = fc.constantFrom('a', 'b', 'x y', '0', '1', '')
const documents = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(1, 'a', true, null, 'b1'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(names, tie('value'), { maxKeys: 4 }),
  ),
})).value

describe('any path', () => {
  it('finds the same on the plain walk and interpreted', () => {
    fc.assert(
      fc.property(documents, fc.array(names, { minLength: 1, maxLength: 4 }), (document, parts) => {
        const path = parts.join('.')
        fc.pre(!path.startsWith('..'))
        expect(find(`${path}|@this`, document)).toEqual(find(path, document))
      }),
    )
  })

  it('never fails on a small document', () => {
    const pieces = fc.constantFrom(
      ...'a b 0 1 # * ? . . | \\ " ( ) [ ] { } ! = < > % ~ : , @this @keys @dig: @flatten: #(a=="b")'.split(' '),
    )
    const paths = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.array(pieces, { maxLength: 12 }).map((list) => list.join('')),
    )
    fc.assert(
      fc.property(documents, paths, (document, path) => {
        const found = find(path, document)
        expect(found === undefined || JSON.stringify(found) !== undefined).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})
