import { describe, expect, it } from 'vitest'
import { compileJsonnet } from '../../../src/languages/jsonnet/index.ts'

const run = (source: string): unknown => compileJsonnet(source).evaluate()

describe('the language', () => {
  it.each([
    ['local a = 1, f(x, y=x + a) = x * y; f(2)', 6],
    ['(function(x, y) [x, y])(y=1, x=2)', [2, 1]],
    ['{ a: 1, b: self.a + 1, c: $.b + 1 }', { a: 1, b: 2, c: 3 }],
    ['{ a: { b: $.x }, x: 1 }.a', { b: 1 }],
    ["{ local x = 1, a: x, ['b' + 1]: x, [null]: 2, hidden:: 3 }", { a: 1, b1: 1 }],
    ['{ a: 1, b: self.a } + { a: 2 }', { a: 2, b: 2 }],
    ['{ a: 1 } + { a: super.a + 1 } + { a+: 1 }', { a: 3 }],
    ['{ a:: 1 } + { a: 2 }', {}],
    ['{ a:: 1 } + { a::: 2 }', { a: 2 }],
    ["{ a: 1 } + { has: 'a' in super, hasNot: 'b' in super }", { a: 1, has: true, hasNot: false }],
    ["['a' in { a:: 1 }, 'b' in {}]", [true, false]],
    ['{ [k]: k + self.z for k in ["x", "y"] if k != "y" } + { z:: 1 }', { x: 'x1' }],
    ['[x + y for x in [1, 2] if x > 1 for y in [10, 20]]', [12, 22]],
    ['{ a: error "never looked at" } + { a: 1 }', { a: 1 }],
    ["[1, error 'never looked at'][0]", 1],
    ['local f(n) = if n == 0 then 0 else f(n - 1) tailstrict; f(20000)', 0],
    ['[1, 2, 3, 4][1:3] + [1, 2, 3, 4][::2] + [1, 2, 3][-1:]', [2, 3, 1, 3, 3]],
    ["'h\u00e9llo\u{1f600}'[4:6]", 'o\u{1f600}'],
    ['1 + 2 * 3 - 4 / 2 % 3', 5],
    ['[5 & 3, 5 | 3, 5 ^ 3, ~5, 1 << 4, 256 >> 4]', [1, 7, 6, -6, 16, 16]],
    ['[1 == 1.0, [1] == [1], { a: 1, b:: 2 } == { a: 1 }, "a" < "b", [1, 2] < [1, 3]]', [true, true, true, true, true]],
    ['(false && error "x") || true', true],
    ['if false then 1', null],
    ["'\\u00e9\\n' + @'\\n' + \"it's\"", "\u00e9\n\\nit's"],
    ['|||\n  a\n    b\n\n  c\n|||', 'a\n  b\n\nc\n'],
    ['|||-\n  a\n|||', 'a'],
    ['local x = 1; assert x == 1 : "no"; x', 1],
    ['std.length(function(a, b, c=1) 1)', 2],
    ['1_000_000', 1_000_000],
    ["local std = { length(x): 'mine' }; std.length('a')", 'mine'],
  ])('%s', (source, expected) => {
    expect(run(source)).toEqual(expected)
  })
})

describe('the standard library', () => {
  it.each([
    ["std.splitLimit('a,b,c', ',', 1)", ['a', 'b,c']],
    ["std.splitLimitR('a,b,c', ',', 1)", ['a,b', 'c']],
    ["std.lstripChars('xxaxx', 'x') + std.rstripChars('xxaxx', 'x')", 'axxxxa'],
    ['std.escapeStringXML(\'<a b="c">\')', '&lt;a b=&quot;c&quot;&gt;'],
    ["std.escapeStringBash(\"it's\") + std.escapeStringDollars('$')", `'it'"'"'s'$$`],
    ["std.parseHex('ff') + std.parseOctal('17') + std.parseInt('-1')", 269],
    ["std.equalsIgnoreCase('Ab', 'aB')", true],
    ["std.set(['b', 'a', 'b'])", ['a', 'b']],
    ['std.setUnion([1, 2], [2, 3]) + std.setInter([1, 2], [2, 3]) + std.setDiff([1, 2], [2, 3])', [1, 2, 3, 2, 1]],
    ['std.setMember(2, [1, 2])', true],
    ['std.sort([{ n: 2 }, { n: 1 }], function(x) x.n)', [{ n: 1 }, { n: 2 }]],
    ['std.minArray([3, 1, 2]) + std.maxArray([3, 1, 2], keyF=function(x) -x)', 2],
    ["std.minArray([], onEmpty='none')", 'none'],
    ['std.foldr(function(x, acc) acc + [x], [1, 2], [])', [2, 1]],
    ['std.filterMap(function(x) x > 1, function(x) x * 2, [1, 2, 3])', [4, 6]],
    ['std.mapWithIndex(function(i, x) i + x, [1, 1])', [1, 2]],
    ['std.mapWithKey(function(k, v) k + v, { a: 1 })', { a: 'a1' }],
    [
      'std.objectKeysValues({ b: 1, a: 2, h:: 3 })',
      [
        { key: 'a', value: 2 },
        { key: 'b', value: 1 },
      ],
    ],
    ["std.objectRemoveKey({ a: 1, b: 2 }, 'a')", { b: 2 }],
    ["{ a: 1 } + std.objectRemoveKey({ a: 2, b: super.a }, 'a')", { a: 1, b: 1 }],
    ['std.flattenDeepArray([1, [2, [3]]])', [1, 2, 3]],
    ["std.join('-', ['a', null, 'b']) + std.lines(['x'])", 'a-bx\n'],
    ['std.remove([1, 2, 1], 1) + std.removeAt([7, 8], 0)', [2, 1, 8]],
    ['[std.round(2.5), std.sign(-3), std.clamp(5, 1, 3), std.mod(7, 4)]', [3, -1, 3, 3]],
    ['[std.round(-2.5), std.round(-2.4), std.isEven(2.5), std.isOdd(-3.9)]', [-3, -2, true, true]],
    ["std.mod('%d', 7)", '7'],
    ["std.manifestYamlDoc({ a: [1, { b: 'x' }], 'n o': null }, quote_keys=false)", 'a:\n- 1\n- b: "x"\n"n o": null'],
    ['std.manifestToml({ a: 1, t: { b: [true] } })', 'a = 1\n\n[t]\n  b = [\n    true\n  ]'],
    ['std.manifestIni({ main: { a: 1 }, sections: { s: { b: [1, 2] } } })', 'a = 1\n[s]\nb = 1\nb = 2\n'],
    ['std.manifestPython({ a: null, b: [true] })', '{"a": None, "b": [True]}'],
    ["std.manifestXmlJsonml(['a', { h: 'x' }, ['b'], 't'])", '<a h="x"><b></b>t</a>'],
    ["std.parseYaml('a: 1\\nb: [x, yes]')", { a: 1, b: ['x', 'yes'] }],
    ["std.parseYaml('--- 1\\n--- 2')", [1, 2]],
    ["std.base64DecodeBytes('AQI=') + std.encodeUTF8('\u00e9')", [1, 2, 195, 169]],
    // Text is UTF-8 on both ways, as go-jsonnet has it.
    ["[std.base64('h\u00e9'), std.base64Decode('aMOp')]", ['aMOp', 'h\u00e9']],
    ["std.sha1('a')", '86f7e437faa5a7fce15d1ddcb9eaeaea377667b8'],
    [
      "'%05.1f|%+d|%x|%o|%e|%g|%c|%-3s|' % [3.14159, 5, 255, 8, 12345.678, 1e-7, 'z', 'a']",
      '003.1|+5|ff|10|1.234568e+04|1e-07|z|a  |',
    ],
    ["'%(a)s %%' % { a: [1] }", '[1] %'],
    [
      'std.toString(0.1) + std.toString(1e20) + std.toString(-1.5e-9)',
      '0.10000000000000001100000000000000000000-1.5e-09',
    ],
    ["std.get({ a:: 1 }, 'a', 0) + std.get({ a:: 1 }, 'a', 0, inc_hidden=false)", 1],
    ['std.prune({ a: [], b: { c: null }, d: [null, 1] })', { d: [1] }],
    ["[std.trim(' a\\n'), std.isEmpty(''), std.contains([1], 1), std.avg([1, 3])]", ['a', true, true, 2]],
  ])('%s', (source, expected) => {
    expect(run(source)).toEqual(expected)
  })

  it('says where a trace goes', () => {
    const messages: string[] = []
    const program = compileJsonnet("std.trace('seen', 1)")
    expect(program.evaluate({ trace: (message) => messages.push(message) })).toBe(1)
    expect(messages).toEqual(['seen'])
  })

  it('knows the file', () => {
    expect(compileJsonnet('std.thisFile', { file: 'a/b.jsonnet' }).evaluate()).toBe('a/b.jsonnet')
  })
})

describe('imports', () => {
  const files: Readonly<Record<string, string>> = {
    'lib.libsonnet': "local other = import 'other.libsonnet'; { a: 1, b: other }",
    'other.libsonnet': "(import 'lib.libsonnet').a",
    'text.txt': '{ not code',
  }
  const importer = (path: string): { file: string; bytes: Uint8Array } | undefined => {
    const text = files[path]
    return text === undefined ? undefined : { file: path, bytes: Buffer.from(text) }
  }

  it('come from where the caller says, and may refer to each other', () => {
    const source = "[(import 'lib.libsonnet').b, importstr 'text.txt', (importbin 'text.txt')[0]]"
    expect(compileJsonnet(source, { importer }).evaluate()).toEqual([1, '{ not code', 123])
  })

  it('that are missing are told', () => {
    expect(() => compileJsonnet("import 'x'", { importer }).evaluate()).toThrow('couldn\'t open import "x"')
  })
})
