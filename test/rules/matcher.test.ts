import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Locate } from '../../src/documents/problem.ts'
import { createMatcher, type CreatedMatcher } from '../../src/rules/matcher.ts'
import { compilePattern, PatternError, PatternStepLimitError } from '../../src/rules/pattern.ts'
import type { MatchingStrategy } from '../../src/rules/prefixes.ts'
import { atOnce } from '../support/pace.ts'
import { canonicalUrl, vectors } from './vectors.ts'

interface TestRule {
  readonly url: string
  readonly methods: readonly string[]
  readonly priority?: number
}

function matcherOf(rules: readonly TestRule[], strategy: MatchingStrategy = 'regexp'): CreatedMatcher<number> {
  const entries = rules.map((rule, index) => {
    const text = `    url: ${rule.url}`
    const locate: Locate = (path) => ({
      file: 'rules.yaml',
      line: index + 1,
      column: path.at(-1) === 'url' ? 10 : 5,
      text,
    })
    return { priority: 0, ...rule, id: `rule-${index}`, value: index, locate }
  })
  return atOnce(createMatcher(entries, strategy))
}

const ruleOf = (url: string, methods: readonly string[] = ['GET'], priority = 0): TestRule => ({
  url,
  methods,
  priority,
})

describe.each(['regexp', 'glob'] as const)('vectors: rule_matching_%s', (strategy) => {
  it.each(vectors(`rule_matching_${strategy}`).map((vector) => [vector.id, vector] as const))('%s', (_, vector) => {
    const { pattern, methods = ['GET'] } = vector.given as { pattern: string; methods?: string[] }
    const { method = 'GET', url, input } = vector.when as { method?: string; url?: string; input?: string }
    const { matcher } = matcherOf([ruleOf(pattern, methods)], strategy)
    const found = matcher.match(method, input ?? canonicalUrl(url ?? ''))
    const expected = vector.expect['error'] === true ? 'failed' : vector.expect['match'] === true ? 'one' : 'none'
    expect(found.kind).toBe(expected)
  })
})

describe('vectors: matcher_result', () => {
  const outcomes: Readonly<Record<string, unknown>> = {
    'matcher-result-001': { kind: 'none' },
    'matcher-result-002': { kind: 'several', values: [0, 1] },
    'matcher-result-005': { kind: 'failed', value: 1, error: expect.any(PatternError) as unknown },
    'matcher-result-006': { kind: 'one', value: 0, captures: [] },
    // A rule whose handlers are broken still matches; it is its pipeline that answers 500.
    'matcher-result-008': { kind: 'one', value: 0, captures: [] },
  }

  it.each(vectors('matcher_result').map((vector) => [vector.id, vector] as const))('%s', (id, vector) => {
    const rules = (vector.given['rules'] as { match: TestRule }[]).map(({ match }) => match)
    const { method, url } = vector.when as { method: string; url: string }
    expect(matcherOf(rules).matcher.match(method, canonicalUrl(url))).toEqual(outcomes[id])
  })
})

describe('match', () => {
  const { matcher } = matcherOf([
    ruleOf('http://h/a/<[0-9]+>', ['GET', 'post']),
    ruleOf('<http|https>://h/b</.*|>'),
    ruleOf('http://h/b/<special>', ['GET', 'PUT']),
    ruleOf('http://<[a-z]+>.example.com/<.*>'),
    ruleOf('', ['GET']),
  ])

  it('gives the captures of the only rule that matches', () => {
    expect(matcher.match('GET', 'http://h/a/12')).toEqual({ kind: 'one', value: 0, captures: ['12'] })
    expect(matcher.match('GET', 'https://h/b')).toEqual({ kind: 'one', value: 1, captures: ['https', ''] })
    expect(matcher.match('GET', 'http://api.example.com/x/y')).toEqual({
      kind: 'one',
      value: 3,
      captures: ['api', 'x/y'],
    })
  })

  it('compares methods in any case', () => {
    expect(matcher.match('POST', 'http://h/a/1').kind).toBe('one')
    expect(matcher.match('get', 'http://h/a/1').kind).toBe('one')
    expect(matcher.match('PUT', 'http://h/a/1').kind).toBe('none')
    expect(matcher.match('constructor', 'http://h/a/1').kind).toBe('none')
  })

  it('names all rules that match, in their order', () => {
    expect(matcher.match('GET', 'http://h/b/special')).toEqual({ kind: 'several', values: [1, 2] })
    expect(matcher.match('PUT', 'http://h/b/special')).toEqual({ kind: 'one', value: 2, captures: ['special'] })
  })

  it('counts a pattern once, however many of its alternatives fit', () => {
    const { matcher: single } = matcherOf([ruleOf('http://h/<a|ab><.*>')])
    expect(single.match('GET', 'http://h/abc').kind).toBe('one')
  })

  it('fails only requests that start with the literal text of a broken pattern', () => {
    const broken = matcherOf([ruleOf('http://h/a'), ruleOf('http://h/x/<[>'), ruleOf('http://h/<.*>')])
    expect(broken.broken).toEqual([1])
    expect(broken.matcher.match('GET', 'http://h/a').kind).toBe('several')
    expect(broken.matcher.match('GET', 'http://h/x')).toEqual({ kind: 'one', value: 2, captures: ['x'] })
    expect(broken.matcher.match('GET', 'http://h/x/1')).toMatchObject({ kind: 'failed', value: 1 })
    expect(broken.matcher.match('POST', 'http://h/x/1').kind).toBe('none')
  })

  it('fails a request that needs too many steps, and none after it', () => {
    const { matcher: hostile } = matcherOf([ruleOf('http://h/<(a+)+[bc]+x>'), ruleOf('http://h/fine')])
    const found = hostile.match('GET', `http://h/${'a'.repeat(64)}`)
    expect(found).toMatchObject({ kind: 'failed', value: 0, error: expect.any(PatternStepLimitError) as unknown })
    expect(hostile.match('GET', 'http://h/fine')).toEqual({ kind: 'one', value: 1, captures: [] })
  })

  it('bounds the steps of all rules together', () => {
    // Each alone stays below its own limit.
    const { matcher: many } = matcherOf(
      Array.from({ length: 400 }, (_, index) => ruleOf(`http://h/<(a+)+[bc]+${index}x>`)),
    )
    expect(many.match('GET', `http://h/${'a'.repeat(12)}`).kind).toBe('failed')
    expect(many.match('GET', 'http://h/aab7x')).toEqual({ kind: 'one', value: 7, captures: ['aab7x', 'aa'] })
  })

  it('looks at few of many rules', () => {
    // Every candidate fails the request, so that any rule that is looked at in vain is seen.
    const rules = Array.from({ length: 2000 }, (_, index) => ruleOf(`http://h/service-${index}/<[>`))
    const { matcher: large } = matcherOf([...rules, ruleOf('http://h/service-1999</.*|>x')])
    expect(large.match('GET', 'http://h/service-1999x')).toMatchObject({ kind: 'one', value: 2000 })
    expect(large.match('GET', 'http://h/service-77/x')).toMatchObject({ kind: 'failed', value: 77 })
    expect(large.match('GET', 'http://h/service/x').kind).toBe('none')
  })

  it('is the same as asking every rule', () => {
    const pattern = fc.constantFrom(
      'http://h/', 'http://h/a', 'http://h/a/b', 'http://h/a<.*>', 'http://h/<a|ab>', 'http://h/<[ab]+>/b', '<https?>://h/a',
      '<.*>', 'http://<.*>/b', 'http://h/a/<(?!b).*>', 'http://h</.*|>', 'https://h/<.*>/a', 'http://h/ab', 'http://i/<.*>',
    ) // prettier-ignore
    const methods = fc.subarray(['GET', 'POST', 'PUT'])
    const url = fc
      .tuple(
        fc.constantFrom('http://h', 'https://h', 'http://i'),
        fc.array(fc.constantFrom('/a', '/b', '/ab', '/ba'), { maxLength: 3 }),
      )
      .map(([origin, path]) => origin + (path.join('') || '/'))
    fc.assert(
      fc.property(fc.array(fc.record({ url: pattern, methods }), { maxLength: 8 }), url, (rules, text) => {
        const naive = rules.flatMap((rule, index) =>
          rule.methods.includes('GET') && compilePattern(rule.url, 'regexp').match(text, { steps: 1e6 }) !== null
            ? [index]
            : [],
        )
        const found = matcherOf(rules).matcher.match('GET', text)
        const values = found.kind === 'one' ? [found.value] : found.kind === 'several' ? found.values : []
        expect(found.kind).not.toBe('failed')
        expect(values).toEqual(naive)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('priority', () => {
  const rules = [
    ruleOf('http://h/<.*>'),
    ruleOf('http://h/a<.*>', ['GET'], 10),
    ruleOf('http://h/ab<.*>', ['GET'], 10),
    ruleOf('http://h/abc', ['GET'], 11),
    ruleOf('http://h/z', ['GET'], -1),
  ]
  const { matcher } = matcherOf(rules)

  it.each([
    ['http://h/x', { kind: 'one', value: 0, captures: ['x'] }],
    ['http://h/ax', { kind: 'one', value: 1, captures: ['x'] }],
    ['http://h/abc', { kind: 'one', value: 3, captures: [] }],
    ['http://h/z', { kind: 'one', value: 0, captures: ['z'] }],
    ['http://h/abd', { kind: 'several', values: [1, 2] }],
  ])('decides about %s', (url, found) => {
    expect(matcher.match('GET', url)).toEqual(found)
  })

  it('does not depend on the order of the rules', () => {
    const priorities = fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(priorities, (list) => {
        const highest = Math.max(...list)
        const wanted = list.flatMap((priority, index) => (priority === highest ? [index] : []))
        const found = matcherOf(list.map((priority, index) => ruleOf(`http://h/<a.*|${index}>`, ['GET'], priority)))
        const result = found.matcher.match('GET', 'http://h/abc')
        expect(result.kind === 'one' ? [result.value] : result.kind === 'several' ? result.values : []).toEqual(wanted)
      }),
    )
  })

  it('is told by explain', () => {
    const explained = matcher.explain('GET', 'http://h/abc').filter(({ matches }) => matches)
    expect(explained.map(({ value, priority, overruled }) => [value, priority, overruled])).toEqual([
      [3, 11, false],
      [2, 10, true],
      [1, 10, true],
      [0, 0, true],
    ])
  })

  it('says a few words of rules that overlap with very many', () => {
    const same = Array.from({ length: 2_000 }, (_, priority) => ruleOf('http://h/a', ['GET'], priority))
    expect(matcherOf(same).problems).toHaveLength(1_999)
    const general = Array.from({ length: 50 }, (_, index) => ruleOf(`http://h/<.*>${'<.*>'.repeat(index)}`, ['GET'], 1))
    const literal = Array.from({ length: 10 }, (_, index) => ruleOf(`http://h/${index}`))
    expect(matcherOf([...general, ...literal]).problems).toHaveLength(30)
  })

  it('turns overlap warnings into warnings of rules that get nothing', () => {
    const messages = (list: readonly TestRule[]): readonly string[] =>
      matcherOf(list).problems.map(({ message }) => message)
    const general = ruleOf('http://h/<.*>', ['GET'], 1)
    expect(messages([general, ruleOf('http://h/a', ['GET'], 2)])).toEqual([])
    expect(messages([general, ruleOf('http://h/a')])).toEqual([expect.stringMatching(/^Rule "rule-1" gets no request/)])
    expect(messages([ruleOf('http://h/<.*>'), general])).toEqual([
      expect.stringMatching(/^Rule "rule-0" gets no request/),
    ])
    expect(messages([ruleOf('http://h/<.*>'), general, general])).toEqual([
      expect.stringMatching(/^Rule "rule-0" gets no request/),
      expect.stringMatching(/^Rules "rule-2" and "rule-1".* are answered with 500$/),
    ])
  })
})

describe('explain', () => {
  const { matcher } = matcherOf([
    ruleOf('https://example.com/api/<.*>'),
    ruleOf('http://example.com/api/<[0-9]+>'),
    ruleOf('http://example.com/api/<.*>', ['POST']),
    ruleOf('http://other.example/api/<.*>', ['PUT']),
    ruleOf('http://example.com/<[>'),
    ruleOf('http://example.com/api/<x>'),
  ])

  it('says of each rule by what it differs, the nearest first', () => {
    expect(
      matcher
        .explain('GET', 'http://example.com/api/x')
        .map(({ value, matches, differs }) => [value, matches, differs]),
    ).toEqual([
      [5, true, []],
      [1, false, ['path']],
      [2, false, ['method']],
      [0, false, ['scheme']],
      [3, false, ['method', 'host']],
      [4, false, []],
    ])
  })

  it('carries the error of a pattern that does not compile', () => {
    const broken = matcher.explain('GET', 'http://example.com/api/x').find(({ value }) => value === 4)
    expect(broken?.error).toBeInstanceOf(PatternError)
  })

  it('agrees with match', () => {
    fc.assert(
      fc.property(fc.constantFrom('GET', 'POST'), fc.constantFrom('x', '1', 'y/z'), (method, rest) => {
        const url = `https://example.com/api/${rest}`
        const matching = matcher.explain(method, url).filter(({ matches }) => matches)
        const found = matcher.match(method, url)
        expect(matching.map(({ value }) => value)).toEqual(found.kind === 'one' ? [found.value] : [])
      }),
    )
  })

  it('tells a pattern without recognisable parts by its path', () => {
    const [only] = matcherOf([ruleOf('<.*>x')]).matcher.explain('GET', 'http://h/y')
    expect(only).toMatchObject({ matches: false, differs: ['path'] })
  })
})

describe('problems', () => {
  it('points at the character at which a pattern is wrong', () => {
    const [problem] = matcherOf([ruleOf('http://h/<a>/<[>')]).problems
    expect(problem).toMatchObject({ severity: 'error', place: { line: 1, column: 10 + 15 } })
    expect(problem?.message).toContain('Value "http://h/<a>/<[>" of "match.url" is not a valid pattern')
  })

  it.each([
    ['http://h/api/', ['GET'], 'trailing slash'],
    ['/api/<.*>', ['GET'], 'no scheme and host'],
    ['http://h/api', [], '"match.methods" is empty'],
    ['http://h/api?<.*>', ['GET'], 'a query is no part'],
    ['HTTP://h/api', ['GET'], 'schemes are compared in lower case'],
    ['Http<s|>://h/api', ['GET'], 'schemes are compared in lower case'],
    ['http://h/<[a-z]+>/../api', ['GET'], '"." or ".."'],
    ['http://h/.', ['GET'], '"." or ".."'],
  ])('warns that %j with %j matches nothing', (url, methods, message) => {
    expect(matcherOf([ruleOf(url, methods)]).problems).toEqual([
      expect.objectContaining({ severity: 'warning', message: expect.stringContaining(message) as unknown }),
    ])
  })

  it.each([
    ['methods in lower case', 'http://h/api', ['get', 'post']],
    ['expressions with capitals, question marks and dots', '<(?i)HTTPS?>://h/<.?>/a<..>', ['GET']],
    ['dots that are part of a segment', 'http://h/a..b/<.*>../.well-known', ['GET']],
  ])('has nothing to say about %s', (_, url, methods) => {
    expect(matcherOf([ruleOf(url, methods)]).problems).toEqual([])
  })

  it('has nothing to say about the root, about patterns that differ, or about other methods', () => {
    const rules = [ruleOf('http://h/'), ruleOf('http://h/<a>'), ruleOf('http://h/<b>'), ruleOf('http://h/<a>', ['PUT'])]
    expect(matcherOf(rules).problems).toEqual([])
  })

  it('warns of the same pattern twice, and of a literal pattern that another one matches', () => {
    const messages = matcherOf([
      ruleOf('http://h/<.+>', ['GET', 'PUT']),
      ruleOf('http://h/<.+>', ['PUT', 'GET']),
      ruleOf('http://i/<.*>'),
      ruleOf('http://i/a'),
      ruleOf('http://i/b', ['POST']),
    ]).problems.map(({ message, place }) => [message, place])
    expect(messages).toEqual([
      [expect.stringContaining('Rules "rule-1" and "rule-0" (rules.yaml:1:10)'), expect.objectContaining({ line: 2 })],
      [expect.stringContaining('Rules "rule-3" and "rule-2" (rules.yaml:3:10)'), expect.objectContaining({ line: 4 })],
    ])
  })
})
