import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../src/errors.ts'
import { ConfigError } from '../../../src/pipeline/contract/config_error.ts'
import { jsonnetMapper } from '../../../src/tokens/claims/jsonnet.ts'

const many = "local o = { ['k' + i]: i for i in std.range(1, 3000) };"
const long = (unit: string, count: number): string => `local s = std.repeat('${unit}', ${count});`
const times = (count: number, work: string): string => `{ claims: { a: [${work} for i in std.range(1, ${count})] } }`

/** Programs that would take for ever, or all memory, or both. */
const hostile: Readonly<Record<string, string>> = {
  'recursion without end': 'local f(x) = f(x + 1); { claims: { a: f(0) } }',
  'recursion without end in both hands': 'local f(n) = [f(n - 1), f(n - 1)]; { claims: { a: f(30) } }',
  'a value that holds itself': 'local a = [a, a]; { claims: { a: a } }',
  'an object that holds itself': 'local o = { a: self }; { claims: o }',
  'exponential calls': 'local f(n) = if n < 2 then 1 else f(n - 1) + f(n - 2); { claims: { a: f(60) } }',
  'a comprehension of nine million': times(3000, '[1 for b in std.range(1, 3000)]'),
  'a huge list': '{ claims: { a: std.makeArray(1e9, function(i) i) } }',
  'a huge range': '{ claims: { a: std.range(1, 1e12) } }',
  'a huge text': "{ claims: { a: std.repeat('x', 1e9) } }",
  'a text that doubles': "local d(s, n) = if n == 0 then s else d(s + s, n - 1); { claims: { a: d('x', 60) } }",
  'a list that doubles': 'local d(s, n) = if n == 0 then s else d(s + s, n - 1); { claims: { a: d([1], 60) } }',
  'a huge width': "{ claims: { a: '%100000000d' % 1 } }",
  'a huge precision': "{ claims: { a: '%.100000000f' % 1 } }",
  'a list that holds itself a thousand times':
    '{ claims: { a: std.foldl(function(a, i) a + [i, a], std.range(1, 100000), []) } }',
  'layers of objects': "{ claims: std.foldl(function(a, i) a + { ['k' + i]: i }, std.range(1, 5000), {}) }",
  'depth in the output': 'local f(n) = if n == 0 then {} else { a: f(n - 1) }; { claims: { a: f(3900) } }',
  'much output': "{ claims: { a: std.repeat(['x'], 300000) } }",
  'sorting much': '{ claims: { a: std.sort([-i for i in std.range(1, 400000)]) } }',
  'joining much': "{ claims: { a: std.join('', std.makeArray(100000, function(i) std.toString(i))) } }",
  'flattening much': '{ claims: { a: std.flatMap(function(i) std.range(1, 1000), std.range(1, 100000)) } }',
  'comparing much': `local a = std.range(1, 300000); ${times(100, 'a == a + []')}`,
  'searching much': `${long('a', 500_000)} ${times(200, "std.length(std.findSubstr('ab', s + i))")}`,
  'splitting much': `${long('a,', 250_000)} ${times(100, "std.length(std.split(s + i, ','))")}`,
  'formatting much': `${long('%(k1)10.3f ', 3000)} ${many} ${times(300, 'std.length(std.format(s, o + { x: i }))')}`,
  'comparing long texts': `${long('x', 500_000)} ${times(90_000, "(s + 'a') == (s + 'b')")}`,
  'looking for long names': `${long('x', 500_000)} local o = { a: 1 }; ${times(90_000, "(s + 'b') in o")}`,
  'counting many fields': `${many} ${times(250_000, 'std.length(o)')}`,
  'looking through layers': `local d(o, n) = if n == 0 then o else d(o + o, n - 1); local o = d({}, 19); ${times(90_000, "'z' in o")}`,
  'reading long numbers': `${long('9', 500_000)} ${times(10_000, 'std.parseInt(s)')}`,
  'writing sections of INI': `local o = { sections: { ['k' + i]: { a: i } for i in std.range(1, 1000) } }; ${times(10_000, 'std.length(std.manifestIni(o))')}`,
  'writing a text of INI many times': `${long('x', 500_000)} { claims: { a: std.manifestIni({ sections: { a: { k: std.repeat([s], 10000) } } }) } }`,
  'writing a text of XML many times': `${long('x', 500_000)} { claims: { a: std.manifestXmlJsonml(['a'] + std.repeat([s], 10000)) } }`,
  'indenting TOML far': "{ claims: { a: std.manifestTomlEx({ a: std.range(1, 10000) }, std.repeat(' ', 500000)) } }",
  'hashing much': `${long('a', 500_000)} ${times(100, 'std.md5(s + i)')}`,
  'writing much JSON': `${many} ${times(100, "std.length(std.manifestJsonEx(o + { x: i }, ''))")}`,
  'writing much YAML': `${many} ${times(100, 'std.length(std.manifestYamlDoc(o + { x: i }))')}`,
  'writing much TOML': `${many} ${times(100, "std.length(std.manifestTomlEx(o + { x: i }, ''))")}`,
  'writing much INI': `${many} ${times(100, 'std.length(std.manifestIni({ sections: { a: o + { x: i } } }))')}`,
  'writing much Python': `${many} ${times(100, 'std.length(std.manifestPython(o + { x: i }))')}`,
  'reading much JSON': `local s = '[' + std.join(',', ['1' for i in std.range(1, 100000)]) + ']'; ${times(100, 'std.length(std.parseJson(s))')}`,
  'reading deep JSON': "{ claims: { a: std.parseJson(std.repeat('[', 100000)) } }",
  'reading deep YAML': "{ claims: { a: std.parseYaml(std.repeat('- ', 100000)) } }",
}

/** Sources that no compiler should be left alone with. */
const malicious: Readonly<Record<string, string>> = {
  'deep brackets': `{ claims: { a: ${'['.repeat(10_000)}${']'.repeat(10_000)} } }`,
  'deep parentheses': `{ claims: { a: ${'('.repeat(10_000)}1${')'.repeat(10_000)} } }`,
  'deep negation': `{ claims: { a: ${'!'.repeat(10_000)}true } }`,
  'a very long program': `{ claims: { a: '${'x'.repeat(100_000)}' } }`,
  'an import': "{ claims: import 'x.libsonnet' }",
  'a file': "{ claims: { a: importstr '/etc/passwd' } }",
}

/** Milliseconds of CPU time, however busy the machine is. Quiet machines take a third of a second at most. */
const CPU_LIMIT = 1500

function cpuTimeOf(work: () => void): number {
  const before = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}

describe('a mapper that', () => {
  it.each(Object.entries(hostile))('is %s is stopped, soon and with an error', (_name, source) => {
    let error: unknown
    const taken = cpuTimeOf(() => {
      try {
        jsonnetMapper(source, 'mapper.jsonnet').map({}, { sub: 'a' })
      } catch (caught) {
        error = caught
      }
    })
    expect(error).toBeInstanceOf(GatewayError)
    expect(error).toMatchObject({ code: 'template_failed', reason: expect.stringMatching(/\w/) as string })
    expect(taken).toBeLessThan(CPU_LIMIT)
  })

  it.each(Object.entries(malicious))('has %s is refused when it is loaded', (_name, source) => {
    let error: unknown
    const taken = cpuTimeOf(() => {
      try {
        jsonnetMapper(source, 'mapper.jsonnet')
      } catch (caught) {
        error = caught
      }
    })
    expect(error).toBeInstanceOf(ConfigError)
    expect(taken).toBeLessThan(CPU_LIMIT)
  })

  it('is a very long chain of operators works', () => {
    const source = `{ claims: { a: ${'1 + '.repeat(10_000)}1 } }`
    expect(jsonnetMapper(source, 'mapper.jsonnet').map({}, { sub: 'a' })).toEqual({ sub: 'a', a: 10_001 })
  })
})
