import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileGlob, quoteGlob } from '../../src/languages/glob/index.ts'
import { splitPattern, UnbalancedPatternError } from '../../src/rules/delimiters.ts'
import { compilePattern, PatternError, PatternStepLimitError } from '../../src/rules/pattern.ts'
import type { MatchingStrategy } from '../../src/rules/prefixes.ts'
import { canonicalUrl, vectors } from './vectors.ts'

const match = (source: string, url: string, strategy: MatchingStrategy = 'regexp'): readonly string[] | null =>
  compilePattern(source, strategy).match(url, { steps: 100_000 })

describe('vectors: capture_groups', () => {
  it.each(vectors('capture_groups').map((vector) => [vector.id, vector] as const))('%s', (_, vector) => {
    const { pattern, strategy } = vector.given as { pattern: string; strategy: MatchingStrategy }
    const { input, url } = vector.when as { input?: string; url?: string }
    const groups = match(pattern, input ?? canonicalUrl(url ?? ''), strategy)
    expect(groups).toEqual(vector.expect['error'] === true ? null : vector.expect['groups'])
  })
})

describe('vectors: pattern_delimiters', () => {
  const all = vectors('pattern_delimiters')

  it.each(all.filter((vector) => 'error' in vector.expect).map(({ id, when }) => [id, when['pattern'] as string]))(
    '%s',
    (_, pattern) => {
      expect(() => splitPattern(pattern)).toThrow(UnbalancedPatternError)
      expect(() => splitPattern(pattern)).toThrow('unbalanced pattern')
    },
  )

  it.each(all.filter((vector) => 'first_level_indices' in vector.expect).map((vector) => [vector.id, vector] as const))(
    '%s',
    (_, vector) => {
      const expressions = splitPattern(vector.when['pattern'] as string).filter(({ kind }) => kind === 'expression')
      expect(expressions.flatMap(({ text, offset }) => [offset - 1, offset + text.length + 1])).toEqual(
        vector.expect['first_level_indices'],
      )
    },
  )
})

describe('compilePattern', () => {
  it('numbers capture groups by their opening parenthesis, those of <…> included', () => {
    expect(match('http://h/<(a|b)(c)?>/<[0-9]+>', 'http://h/b/7')).toEqual(['b', 'b', '', '7'])
  })

  it('has no captures with glob', () => {
    expect(match('http://h/<*>', 'http://h/a', 'glob')).toEqual([])
  })

  it('matches a literal pattern also before a newline at the very end, as `$` does', () => {
    expect(match('http://h/a', 'http://h/a\n')).toEqual([])
    expect(match('http://h/<a>b', 'http://h/ab\n')).toEqual(['a'])
    expect(match('http://h/a', 'http://h/a\n', 'glob')).toBeNull()
  })

  it('puts globs together before it reads them', () => {
    expect(match('http://h/<{a>,b<}>', 'http://h/b', 'glob')).toEqual([])
    expect(match('http://h/*<*>', 'http://h/*x', 'glob')).toEqual([])
  })

  it.each([
    ['http://h/<', 'regexp', 9],
    ['http://h/a>', 'glob', 10],
    ['http://h/<a><[>', 'regexp', 14],
    ['http://h/<a*{2}>', 'regexp', 12],
    ['http://h/<a)(b>', 'regexp', 11],
    ['http://h/<a>/<[a-zA-Z]>', 'glob', 18],
    ['http://h/*<[>', 'glob', 12],
  ] as const)('tells where %j (%s) is wrong', (source, strategy, offset) => {
    const compile = (): unknown => compilePattern(source, strategy)
    expect(compile).toThrow(PatternError)
    expect(compile).toThrow(expect.objectContaining({ offset }))
  })

  it.each(['regexp', 'glob'] as const)('gives up a %s that takes too many steps', (strategy) => {
    const source = strategy === 'regexp' ? 'http://h/<(a+)+[bc]+x>' : `http://h/<${'{**,*}a'.repeat(100)}>`
    const pattern = compilePattern(source, strategy)
    expect(() => pattern.match(`http://h/${'a'.repeat(3000)}`, { steps: 100_000 })).toThrow(PatternStepLimitError)
  })
})

describe('steps', () => {
  it('are taken off the budget', () => {
    for (const strategy of ['regexp', 'glob'] as const) {
      const budget = { steps: 1000 }
      compilePattern('http://h/<*>'.replace('*', strategy === 'regexp' ? '[^/]*' : '*'), strategy).match(
        'http://h/abc',
        budget,
      )
      expect(budget.steps).toBeGreaterThan(800)
      expect(budget.steps).toBeLessThan(1000)
    }
  })

  it('never turn into a match when they run out in the middle of a long run', () => {
    const pattern = compilePattern('http://h/<a[^/]*c>', 'regexp')
    const url = `http://h/a${'b'.repeat(800)}`
    for (let steps = 1; steps < 150; steps++) {
      expect(resultOf(() => pattern.match(url, { steps }))).not.toBeInstanceOf(Array)
    }
  })
})

describe('prefixes', () => {
  it.each([
    ['http://h/a', 'regexp', ['http://h/a'], true],
    ['http://h/a/<.*>', 'regexp', ['http://h/a/'], false],
    ['http://h/a</.*|>', 'regexp', ['http://h/a'], false],
    ['<http|https>://h/<.*>', 'regexp', ['http://h/', 'https://h/'], false],
    ['<https?>://h/<.*>', 'regexp', ['http://h/', 'https://h/'], false],
    ['http://h/<a|ab>', 'regexp', ['http://h/a'], true],
    ['http://h/<a|>/b', 'regexp', ['http://h//b', 'http://h/a/b'], true],
    ['<.*>://h/', 'regexp', [''], false],
    ['http://<127.0.0.1|localhost>/x', 'regexp', ['http://'], false],
    ['<(?i)http>://h', 'regexp', [''], false],
    ['<{http,https}>://h/<**>', 'glob', ['http://h/', 'https://h/'], false],
    ['<http|https>://h/<**>', 'glob', ['http|https://h/'], false],
    ['http://h/<{a,b{c,d}}>', 'glob', ['http://h/'], false],
    [
      'http://h/<a|b|c|d|e|f><a|b|c|d|e|f>',
      'regexp',
      ['http://h/a', 'http://h/b', 'http://h/c', 'http://h/d', 'http://h/e', 'http://h/f'],
      false,
    ],
  ] as const)('%j (%s)', (source, strategy, prefixes, literal) => {
    const pattern = compilePattern(source, strategy)
    expect([...pattern.prefixes].toSorted()).toEqual([...prefixes].toSorted())
    expect(pattern.literal).toBe(literal)
  })

  it('leave out no URL that the pattern matches', () => {
    const segment = fc.oneof(
      fc.constantFrom('http', 'https', '://', 'a', '/', 'ab'),
      fc.constantFrom('<a|ab>', '<https?>', '<a|>', '<.*>', '<[^/]+>', '<(a|b)c>', '<>', '<a?b?>', '<a??>', '<a|b+>'),
    )
    const url = fc.array(fc.constantFrom('http', 's', '://', 'a', 'b', '/', 'ab', 'c', '?'), { maxLength: 6 })
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 4 }), url, (segments, parts) => {
        const pattern = compilePattern(segments.join(''), 'regexp')
        const text = parts.join('')
        const matched = pattern.match(text, { steps: 100_000 }) !== null
        const prefixed = pattern.prefixes.some((prefix) => text.startsWith(prefix))
        expect(matched && !prefixed).toBe(false)
      }),
      { numRuns: 3000 },
    )
  })

  it('splits any text or says that it is unbalanced', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('<', '>', 'a', '/') }), (source) => {
        const segments = resultOf(() => splitPattern(source)) as ReturnType<typeof splitPattern> | undefined
        const rebuilt = segments?.map(({ kind, text }) => (kind === 'literal' ? text : `<${text}>`))
        expect(rebuilt?.join('') ?? source).toBe(source)
      }),
    )
  })
})

/** Undefined when the pattern's own errors are thrown. */
function resultOf(action: () => unknown): unknown {
  try {
    return action()
  } catch (error) {
    if (error instanceof UnbalancedPatternError || error instanceof PatternStepLimitError) return undefined
    throw error
  }
}

describe('the literal text of globs', () => {
  it.each(['<**>://host/<**>', '<*>/b', '<**>.example.com/api/<*>', 'https://h/<**>/edit'])(
    '%s: a URL that lacks it costs no step',
    (source) => {
      const budget = { steps: 0 }
      expect(compilePattern(source, 'glob').match('https://h/a', budget)).toBeNull()
      expect(() => compilePattern(source, 'glob').match(source.replaceAll(/<.*?>/g, 'https://h/'), budget)).toThrow(
        PatternStepLimitError,
      )
    },
  )

  it('changes nothing about what matches', () => {
    const literal = fc.constantFrom('a', 'ab', '/', '.', ',', '*', '://')
    const expression = fc.constantFrom('*', '**', '?', '[ab]', '[', 'b]', '{a,b}', '{a', 'b}', '}', '\\', '\\a', 'b')
    const segment = fc.oneof(
      literal.map((text) => ({ text, glob: false })),
      expression.map((text) => ({ text, glob: true })),
    )
    const url = fc.array(fc.constantFrom('a', 'b', 'ab', '/', '.', ',', '*', '://', '{', '}'), { maxLength: 8 })
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), url, (segments, parts) => {
        const source = segments.map(({ text, glob }) => (glob ? `<${text}>` : text)).join('')
        const joined = segments.map(({ text, glob }) => (glob ? text : quoteGlob(text))).join('')
        const matches = (pattern: () => boolean): boolean | 'no pattern' => {
          try {
            return pattern()
          } catch {
            return 'no pattern'
          }
        }
        expect(matches(() => match(source, parts.join(''), 'glob') !== null)).toBe(
          matches(() => compileGlob(joined, ['.', '/']).test(parts.join(''), { steps: 100_000 })),
        )
      }),
      { numRuns: 2000 },
    )
  })
})
