import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compileRegexp,
  literalPrefix,
  quoteMeta,
  RegexpStepLimitError,
  RegexpSyntaxError,
} from '../../../src/languages/regexp/index.ts'

function exec(source: string, input: string): readonly string[] | null {
  return compileRegexp(source).exec(input)
}

describe('what matches', () => {
  it.each<[string, string, readonly string[] | null]>([
    ['b+', 'aabbc', ['bb']],
    ['a|ab', 'ab', ['a']],
    ['(?:a|ab)c', 'abc', ['abc']],
    ['^a$', 'a\n', ['a']],
    ['^a\\z', 'a\n', null],
    ['^a\\Z', 'a\n', ['a']],
    ['(?m)^b$', 'a\nb\nc', ['b']],
    ['a.c', 'a\nc', null],
    ['(?s)a.c', 'a\nc', ['a\nc']],
    ['(?x) a b # both\n c', 'abc', ['abc']],
    ['a(?i)B(?-i)C', 'abC', ['abC']],
    ['(?i:É)é', 'éé', ['éé']],
    ['(?i)[[:^alpha:]]', 'k', null],
    ['(?n)(a)(?<b>b)', 'ab', ['ab', 'b']],
    ['(a)(?<n>b)(c)', 'abc', ['abc', 'a', 'c', 'b']],
    ['(?<7>a)(b)', 'ab', ['ab', 'b', 'a']],
    ['(?P<n>a)\\k<n>', 'aa', ['aa', 'a']],
    ["(?'n'a)\\k'n'", 'aa', ['aa', 'a']],
    ['(?i)(a)\\1', 'aA', ['aA', 'a']],
    ['(a)?\\1b', 'b', null],
    ['(?:(a)|b)*', 'ab', ['ab', 'a']],
    ['(?>a+)ab', 'aaab', null],
    ['(?<=a)b', 'ab', ['b']],
    ['(?<!a)b', 'ab', null],
    ['(?<=(\\d)(\\w+))x', '1abx', ['x', '1', 'ab']],
    ['(?<=a{2,3}?)b', 'aaab', ['b']],
    ['(?=(a+))a', 'aa', ['a', 'aa']],
    ['(?!(a))b', 'b', ['b', '']],
    ['^(a)?(?(1)b|c)$', 'ab', ['ab', 'a']],
    ['^(a)?(?(1)b|c)$', 'c', ['c', '']],
    ['^(?(?=a)ab|c)$', 'ab', ['ab']],
    ['^(?:(?<o>\\()|(?<-o>\\))|x)*(?(o)(?!))$', '((x))', ['((x))', '']],
    ['^(?:(?<o>\\()|(?<-o>\\))|x)*(?(o)(?!))$', '((x)', null],
    ['[a-z-[aeiou]]+', 'abcd', ['bcd']],
    ['[^\\d-[x]]', 'x1y', ['y']],
    ['[]a]+', 'a]', ['a]']],
    ['[[:alpha:][:digit:]]+', 'a1é', ['a1']],
    ['\\p{Greek}\\P{L}', 'α1', ['α1']],
    ['\\d', '٣', ['٣']],
    ['\\bé\\b', 'a é b', ['é']],
    ['a{2}b{1,}c{0,1}d{,2}', 'aabcd{,2}', ['aabcd{,2}']],
    ['(?:a{2}){3}', 'aaaaaa', ['aaaaaa']],
    ['(ab){2,3}?c', 'ababababc', ['abababc', 'ab']],
    ['(?:a?){3}b', 'ab', ['ab']],
    ['(?:)*x', 'x', ['x']],
    ['\\x41\\u0042\\x{43}\\104\\cA\\e', 'ABCD\u0001\u001b', ['ABCD\u0001\u001b']],
    ['^.$', '\u{1f600}', ['\u{1f600}']],
    ['(.)(.)', '\u{1f600}é', ['\u{1f600}é', '\u{1f600}', 'é']],
    ['(?#comment)a', 'a', ['a']],
    ['', '', ['']],
  ])('%s on %j', (source, input, expected) => {
    expect(exec(source, input)).toEqual(expected)
    expect(compileRegexp(source).test(input)).toBe(expected !== null)
  })
})

describe('what is no pattern', () => {
  it.each([
    ['(a', 2],
    ['a)', 1],
    ['ab**', 3],
    ['*a', 0],
    ['a{2,1}', 6],
    ['[a', 2],
    ['[z-a]', 4],
    ['[a-\\d]', 4],
    ['[[:nope:]]', 7],
    ['\\', 1],
    ['\\Qa\\E', 2],
    ['\\1', 2],
    ['\\k<n>', 5],
    ['(?<n', 4],
    ['(?(2)a)', 5],
    ['(?z)', 2],
    ['\\p{Nope}', 8],
    ['\\x4', 3],
    ['a{100001}', 9],
    ['é\u{1f600}(', 4],
  ])('%s', (source, offset) => {
    const error = caught(() => compileRegexp(source))
    expect(error).toBeInstanceOf(RegexpSyntaxError)
    expect((error as RegexpSyntaxError).offset).toBe(offset)
  })

  it('has limits', () => {
    expect(() => compileRegexp('('.repeat(300) + ')'.repeat(300))).toThrow(RegexpSyntaxError)
    expect(() => compileRegexp('[a-'.repeat(300))).toThrow(RegexpSyntaxError)
    expect(() => compileRegexp('a'.repeat(40_000))).toThrow(RegexpSyntaxError)
  })
})

describe('the step budget', () => {
  it.each([
    ['^(a+)+b$', 'a'.repeat(40)],
    ['^(a|aa)+$', `${'a'.repeat(60)}b`],
    ['^(?:ab|ab)*$', `${'ab'.repeat(40)}c`],
    ['^.*.*.*.*.*z$', 'a'.repeat(400)],
    ['^(?:a?b?){40}c', 'a'.repeat(39)],
    ['^(?=(a+)+b)', 'a'.repeat(40)],
    ['(?<=b(a+)+)c', `${'a'.repeat(40)}c`],
    ['((a{0,1000}){0,1000}){0,1000}b', 'a'.repeat(3000)],
    ['^(\\w+\\s?)*$', `${'word '.repeat(12)}!`],
    ['x*y', 'x'.repeat(20_000)],
    ['^((?:))*?$|(a*)*\\2b', 'a'.repeat(5000)],
  ])('ends %s', (source, input) => {
    expect(() => compileRegexp(source).exec(input)).toThrow(RegexpStepLimitError)
  })

  it('is taken off and can be shared', () => {
    const limits = { steps: 1000 }
    expect(compileRegexp('^a+$').test('aaa', limits)).toBe(true)
    expect(limits.steps).toBeGreaterThan(900)
    expect(limits.steps).toBeLessThan(1000)
    expect(() => compileRegexp('(a+)+b').test('a'.repeat(30), limits)).toThrow(RegexpStepLimitError)
    expect(limits.steps).toBe(0)
  })

  it('of any size gives the same answer or none', () => {
    for (const [source, input] of [
      ['^(a+)+b$', 'aaaaaaaaaa'],
      ['(\\w+) (\\w+)!', 'hello big world!'],
      ['^([a-z]+)([a-z]+)$', 'abcdefghijklmnopqrstuvwxyz'.repeat(3)],
    ] as const) {
      const regexp = compileRegexp(source)
      const expected = regexp.exec(input)
      for (let steps = 1; steps < 300; steps++) {
        const found = orLimit(() => regexp.exec(input, { steps }))
        expect([expected, 'limit']).toContainEqual(found)
      }
    }
  })
})

describe('what is known beforehand', () => {
  it.each([
    ['^http://x/(.*)$', 'http://x/'],
    ['^(http://(x))y*', 'http://x'],
    ['\\A(?:ab)c?', 'ab'],
    ['^(?i)ab', ''],
    ['^(?i)1/b', '1/'],
    ['^a|b', ''],
    ['ab', ''],
  ])('literalPrefix of %s', (source, prefix) => {
    expect(literalPrefix(compileRegexp(source))).toBe(prefix)
  })

  it('quoteMeta gives the pattern of a text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, other) => {
        const regexp = compileRegexp(`^${quoteMeta(text)}\\z`)
        expect(regexp.exec(text)).toEqual([text])
        expect(regexp.test(other)).toBe(other === text)
      }),
    )
  })
})

/** Patterns that mean the same to JavaScript: no captures in loops, ASCII, no `$`. */
const shared = fc.letrec<{ pattern: string; atom: string; quantified: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 4 },
    tie('quantified'),
    fc.tuple(tie('pattern'), tie('pattern')).map((pair) => pair.join('')),
    fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(?:${a}|${b})`),
    tie('pattern').map((inner) => `(${inner})`),
    tie('pattern').map((inner) => `(?=${inner})`),
    tie('pattern').map((inner) => `(?!${inner})`),
  ),
  quantified: fc
    .tuple(tie('atom'), fc.constantFrom('', '*', '+', '?', '*?', '+?', '{2}', '{1,2}?'))
    .map((pair) => pair.join('')),
  atom: fc.constantFrom('a', 'b', '/', '.', '[ab]', '[^a]', '[a-c]', '\\.', '\\/', '(?:ab|a)', '(?:b|/)'),
})).pattern

const pieces = fc.constantFrom(
  ...'a b 1 / . \\d \\w \\W [ ] ( ) (?: (?= (?! (?<= (?<n> (?P<m> (?i) (?(1) (?> | * + ? {2} {1,} ^ $ \\b \\1 \\k<n> \\p{L} é [^a] [a-c-[b]] [: :] \\ - , # (?#'.split(
    ' ',
  ),
)

describe('any pattern', () => {
  it('agrees with JavaScript where the two languages are the same', () => {
    const inputs = fc.array(fc.constantFrom('a', 'b', 'c', '/', '.'), { maxLength: 8 }).map((list) => list.join(''))
    fc.assert(
      fc.property(shared, inputs, (source, input) => {
        const found = new RegExp(source, 'u').exec(input)
        const expected = found === null ? null : Array.from(found, (text) => text ?? '')
        expect(compileRegexp(source).exec(input, { steps: 10_000_000 })).toEqual(expected)
      }),
      { numRuns: 500 },
    )
  })

  it('fails in its own two ways only', () => {
    const sources = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.array(pieces, { maxLength: 15 }).map((list) => list.join('')),
    )
    fc.assert(
      fc.property(sources, fc.string({ unit: 'binary', maxLength: 20 }), (source, input) => {
        const error = caught(() => compileRegexp(source).exec(input, { steps: 2000 }))
        expect(error === undefined || error instanceof RegexpSyntaxError || error instanceof RegexpStepLimitError).toBe(
          true,
        )
      }),
      { numRuns: 500 },
    )
  })
})

function caught(action: () => unknown): unknown {
  try {
    action()
    return undefined
  } catch (error) {
    return error
  }
}

function orLimit<T>(action: () => T): T | 'limit' {
  try {
    return action()
  } catch (error) {
    if (error instanceof RegexpStepLimitError) return 'limit'
    throw error
  }
}
