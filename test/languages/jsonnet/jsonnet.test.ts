import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compileJsonnet,
  JsonnetLimitError,
  JsonnetRuntimeError,
  JsonnetSyntaxError,
} from '../../../src/languages/jsonnet/index.ts'

const run = (source: string): unknown => compileJsonnet(source).evaluate()

describe('places of errors', () => {
  it.each([
    ['{\n  a: x,\n}', JsonnetSyntaxError, 2, 6, 'Unknown variable: x'],
    ['{ a: 1', JsonnetSyntaxError, 1, 7, 'Expected a comma before next field'],
    ["import 'x'", JsonnetSyntaxError, 1, 1, 'import not available'],
    ['local o = {};\no.missing', JsonnetRuntimeError, 2, 3, 'Field does not exist: missing'],
    ["1 +\n error 'no'", JsonnetRuntimeError, 2, 2, 'no'],
    ['std.length(\n  std.parseJson(1))', JsonnetRuntimeError, 2, 7, 'Unexpected type number, expected string'],
    ['{ a: function(x) x }', JsonnetRuntimeError, 1, 1, "couldn't manifest function as JSON"],
  ] as const)('%j', (source, type, line, column, reason) => {
    expect(() => compileJsonnet(source, { file: 'm.jsonnet' }).evaluate()).toThrow(
      expect.objectContaining({ line, column, reason, file: 'm.jsonnet' }),
    )
    expect(() => run(source)).toThrow(type)
  })
})

describe('external variables', () => {
  it('are data, never code', () => {
    const program = compileJsonnet("std.extVar('x')")
    expect(program.evaluate({ extVars: { x: "{ a: error 'evaluated' }" } })).toBe("{ a: error 'evaluated' }")
  })

  it('come out as they went in, whatever their names', () => {
    const program = compileJsonnet("std.extVar('x')")
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (given) => {
        const data = JSON.parse(JSON.stringify(given)) as string
        const result = program.evaluate({ extVars: { x: data } })
        expect(sorted(result)).toEqual(sorted(wellFormed(data)))
      }),
    )
  })

  it('have no members of a prototype', () => {
    const x = JSON.parse('{"__proto__":{"admin":true},"toString":1}') as string
    expect(
      compileJsonnet("[std.extVar('x').__proto__.admin, std.objectFields(std.extVar('x'))]").evaluate({
        extVars: { x },
      }),
    ).toEqual([true, ['__proto__', 'toString']])
    expect(() => compileJsonnet("std.extVar('x').admin").evaluate({ extVars: { x } })).toThrow('does not exist: admin')
    expect(() => run("std.extVar('constructor')")).toThrow('Undefined external variable: constructor')
  })

  it('are not changed', () => {
    const x = { list: [3, 1, 2], inner: { a: 1 } }
    const program = compileJsonnet("local x = std.extVar('x'); [std.sort(x.list), x + { inner+: { a: 2 } }]")
    program.evaluate({ extVars: { x } })
    expect(x).toEqual({ list: [3, 1, 2], inner: { a: 1 } })
  })
})

/** JSON text with the members of objects in one order. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member
    return Object.entries(member).sort(([one], [other]) => (one < other ? -1 : 1))
  })
}

const wellFormed = (data: unknown): unknown => JSON.parse(JSON.stringify(data).toWellFormed())

describe('programs without end', () => {
  it.each([
    ['recursion', 'local f(x) = f(x + 1) + 1; f(0)'],
    ['tail recursion', 'local f(x) = f(x + 1) tailstrict; f(0)'],
    ['a value that needs itself', 'local a = b, b = a; a'],
    ['a field that needs itself', '{ a: self.b, b: self.a }.a'],
    ['exponential work', 'local fib(n) = if n < 2 then n else fib(n - 1) + fib(n - 2); fib(60)'],
    [
      'nested comprehensions',
      '[x + y + z for x in std.range(1, 999) for y in std.range(1, 999) for z in std.range(1, 999)]',
    ],
    ['a huge array', 'std.makeArray(1e9, function(i) i)'],
    ['a huge range', 'std.range(1, 1e15)'],
    ['a huge string', "std.repeat('a', 1e12)"],
    ['a doubling string', "std.foldl(function(a, b) a + a, std.range(1, 99), 'x')"],
    ['a doubling array', 'std.foldl(function(a, b) a + a, std.range(1, 99), [1])'],
    ['a result without end', 'local f(n) = { a: f(n + 1) }; f(0)'],
    ['a list that contains itself', 'local a = [a]; a == a'],
    ['text of a list that contains itself', "local a = [a]; '' + a"],
    ['sorting that recurses', 'local f(n) = std.sort([1, 2], function(x) f(n + 1)); f(0)'],
    ['formatting that recurses', "local f(n) = '%s' % [[f(n + 1)]]; f(0)"],
    ['YAML that recurses', 'local f(n) = [f(n + 1)]; std.manifestYamlDoc(f(0))'],
    ['brackets', '['.repeat(50_000)],
    ['parentheses', `${'('.repeat(30_000)}1`],
    ['objects', '{a:'.repeat(20_000)],
    ['signs', `${'!'.repeat(50_000)}true`],
    ['conditions', `${'if true then 1 else '.repeat(3000)}1`],
    ['locals', `${'local a = 1; '.repeat(5000)}a`],
    ['fields', `{}${'.a'.repeat(30_000)}`],
    ['calls', `(function(x) x)${'(1)'.repeat(20_000)}`],
    ['a long source', `"${'a'.repeat(70_000)}"`],
  ])('%s ends at a limit', (_, source) => {
    expect(() => run(source)).toThrow(JsonnetLimitError)
  })

  it.each([
    ['a long sum', `0${'+1'.repeat(30_000)}`, 30_000],
    ['a long conjunction', `true${'&&true'.repeat(9000)}`, true],
  ])('%s is no problem', (_, source, expected) => {
    expect(run(source)).toBe(expected)
  })

  it.each([
    ['a huge width', "'%99999999d' % 1"],
    ['deep JSON', `std.parseJson('${'['.repeat(10_000)}')`],
    ['deep YAML', `std.parseYaml('${'- '.repeat(3000)}')`],
    ['deep flow YAML', `std.parseYaml('${'['.repeat(5000)}')`],
  ])('%s is refused', (_, source) => {
    expect(() => run(source)).toThrow(JsonnetRuntimeError)
  })

  it('does not write more than it may', () => {
    const program = compileJsonnet("std.repeat('a', 101)", { limits: { output: 100 } })
    expect(() => program.evaluate()).toThrow('the result is longer than the limit of 100 characters')
  })
})

describe('sources of any content', () => {
  const words = [
    '{',
    '}',
    '[',
    ']',
    '(',
    ')',
    ':',
    '::',
    '+:',
    ',',
    ';',
    '.',
    'a',
    'b',
    "'s'",
    '1',
    '0.5',
    '+',
    '-',
    '%',
    '!',
  ]
  const keywords = [
    'local',
    'if',
    'then',
    'else',
    'for',
    'in',
    'self',
    'super',
    '$',
    'assert',
    'error',
    'function',
    'std',
  ]
  const tail = [
    '=',
    '==',
    '&&',
    'null',
    'true',
    'tailstrict',
    '|||',
    '"',
    '@',
    '\n',
    ' ',
    '.length',
    '.map',
    '.format',
    '.sort',
  ]
  const source = fc
    .array(fc.constantFrom(...words, ...keywords, ...tail), { maxLength: 30 })
    .map((list) => list.join(' '))

  it('give a value or one of the three errors', () => {
    fc.assert(
      fc.property(fc.oneof(source, fc.string({ unit: 'binary' })), (text) => {
        expect(outcome(text)).toMatch(/^(?:value|JsonnetSyntaxError|JsonnetRuntimeError|JsonnetLimitError)$/)
      }),
      { numRuns: 500 },
    )
  })

  it('keep what a string says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(run(JSON.stringify(text))).toBe(text)
        expect(run(`std.parseJson(std.manifestJsonEx(${JSON.stringify(text)}, ' '))`)).toBe(text)
        expect(run(`std.base64Decode(std.base64(std.encodeUTF8(${JSON.stringify(text)})))`)).toBe(text)
      }),
    )
  })

  it('write every number so that it reads back', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (any) => {
        // Source text has no negative zero.
        const number = any + 0
        expect(run(`std.parseJson(std.toString(${number}))`)).toBe(number)
        expect(run(`std.parseJson(std.manifestJson(${number}))`)).toBe(number)
      }),
    )
  })
})

function outcome(source: string): string {
  try {
    run(source)
    return 'value'
  } catch (error) {
    return error instanceof Error ? error.name : String(error)
  }
}
