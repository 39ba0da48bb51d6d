import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileGlob, GlobStepLimitError, GlobSyntaxError, quoteGlob } from '../../../src/languages/glob/index.ts'

const separators = ['.', '/']
const matches = (pattern: string, input: string): boolean => compileGlob(pattern, separators).test(input)

describe('compileGlob', () => {
  it.each([
    ['abc', 'abc', true],
    ['abc', 'abcd', false],
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['*', 'abc', true],
    ['*', 'a/b', false],
    ['*', 'a.b', false],
    ['a*c', 'ac', true],
    ['a*c', 'abbc', true],
    ['**', 'a/b.c', true],
    ['a/**', 'a/', true],
    ['**/b', 'x/y/b', true],
    ['**b', 'x/y/c', false],
    ['?', 'a', true],
    ['?', '', false],
    ['?', '/', false],
    ['?', '.', false],
    ['?', 'é', true],
    ['?', '💡', true],
    ['[abc]', 'b', true],
    ['[a,b]', ',', true],
    ['[abc]', 'd', false],
    ['[!abc]', 'd', true],
    ['[!abc]', '/', true],
    ['[!abc]', '', false],
    ['[a-c]', 'b', true],
    ['[!a-c]', 'b', false],
    ['[!a-c]', '.', true],
    ['[+--]', ',', true],
    [String.raw`[a\-z]`, '-', true],
    [String.raw`[\]]`, ']', true],
    ['{a,b}', 'b', true],
    ['{a,b}', 'c', false],
    ['{a,b{c,d}}', 'bd', true],
    ['{a,b{c,d}}', 'b', false],
    ['{a,}x', 'x', true],
    ['{*.css,img/**}', 'img/a/b.png', true],
    ['{*.css,img/**}', 'a.css', true],
    ['{a,b', 'b', true],
    ['a,b', 'a,b', true],
    ['a}b', 'a}b', true],
    ['a]b', 'a]b', true],
    [String.raw`\*`, '*', true],
    [String.raw`\*`, 'a', false],
    [String.raw`{a\,b,c}`, 'a,b', true],
    ['a\\', 'a', true],
  ])('%j on %j: %s', (pattern, input, expected) => {
    expect(matches(pattern, input)).toBe(expected)
  })

  it('knows no separators unless told', () => {
    expect(compileGlob('*').test('a/b.c')).toBe(true)
  })

  it.each([
    ['[a-zA-Z]', 4],
    ['x[', 2],
    ['x[a', 3],
    ['x[]', 1],
    ['x[!]', 1],
    ['x[z-a]', 1],
    ['a\0b', 1],
  ])('refuses %j and says where', (pattern, offset) => {
    expect(() => compileGlob(pattern, separators)).toThrow(expect.objectContaining({ name: 'GlobSyntaxError', offset }))
  })

  it('refuses what is too deep or too long', () => {
    expect(() => compileGlob('{'.repeat(65))).toThrow(GlobSyntaxError)
    expect(() => compileGlob('a'.repeat(8193))).toThrow(GlobSyntaxError)
    expect(compileGlob('{'.repeat(64)).test('')).toBe(true)
  })

  it('takes its steps off the budget and gives up when that is used up', () => {
    const glob = compileGlob('{**,*}a'.repeat(200), separators)
    const budget = { steps: 10_000 }
    expect(() => glob.test('a'.repeat(200), budget)).toThrow(GlobStepLimitError)
    expect(budget.steps).toBe(0)

    const cheap = { steps: 1000 }
    expect(compileGlob('a*', separators).test('ab', cheap)).toBe(true)
    expect(cheap.steps).toBeGreaterThan(900)
    expect(cheap.steps).toBeLessThan(1000)
  })

  it('needs polynomially many steps where backtracking would need exponentially many', () => {
    const budget = { steps: 100_000 }
    expect(compileGlob(`${'a*'.repeat(50)}b`, separators).test('a'.repeat(200), budget)).toBe(false)
    expect(budget.steps).toBeGreaterThan(0)
  })
})

describe('properties', () => {
  it('a quoted text matches itself and nothing else', () => {
    // Lone surrogates, NUL and U+FFFD are no text that a pattern can hold.
    const text = fc.string({ unit: 'grapheme' }).filter((value) => !/[\0\ufffd]/.test(value))
    fc.assert(
      fc.property(text, text, (own, other) => {
        const glob = compileGlob(quoteGlob(own), separators)
        expect(glob.test(own)).toBe(true)
        expect(glob.test(other)).toBe(own === other)
      }),
    )
  })

  it('agrees with a matcher that is nothing but the definition', () => {
    const item = fc.constantFrom('*', '**', '?', 'a', 'b', '.', '/', '[ab]', '[!a]', '{a,b.}', '{*,a/b}', '{,b**}')
    const input = fc.string({ unit: fc.constantFrom('a', 'b', '.', '/'), maxLength: 8 })
    fc.assert(
      fc.property(fc.array(item, { maxLength: 6 }), input, (items, text) => {
        // `**` beside `*` would be read as other tokens.
        const kept = items.filter(
          (value, index) => !(value.startsWith('*') && items[index - 1]?.endsWith('*') === true),
        )
        expect(matches(kept.join(''), text)).toBe(naive(kept, text))
      }),
      { numRuns: 2000 },
    )
  })

  it('throws nothing but its own errors', () => {
    const pattern = fc.string({
      unit: fc.constantFrom('*', '?', '[', ']', '{', '}', ',', '!', '-', '\\', 'a', '\0', '\ud800'),
    })
    fc.assert(
      fc.property(pattern, fc.string(), (source, text) => {
        expect(errorOf(() => compileGlob(source, separators).test(text)) ?? new GlobSyntaxError('', 0)).toBeInstanceOf(
          GlobSyntaxError,
        )
      }),
    )
  })
})

function errorOf(action: () => unknown): unknown {
  try {
    action()
    return undefined
  } catch (error) {
    return error
  }
}

/** Tries every way to cut the text. */
function naive(items: readonly string[], text: string): boolean {
  const [item, ...rest] = items
  if (item === undefined) return text === ''
  const heads = Array.from({ length: text.length + 1 }, (_, length) => text.slice(0, length))
  return heads.some((head) => naiveItem(item, head) && naive(rest, text.slice(head.length)))
}

function naiveItem(item: string, head: string): boolean {
  switch (item) {
    case '*':
      return !/[./]/.test(head)
    case '**':
      return true
    case '?':
      return head.length === 1 && !/[./]/.test(head)
    case '[ab]':
      return head === 'a' || head === 'b'
    case '[!a]':
      return head.length === 1 && head !== 'a'
    case '{a,b.}':
      return head === 'a' || head === 'b.'
    case '{*,a/b}':
      return !/[./]/.test(head) || head === 'a/b'
    case '{,b**}':
      return head === '' || head.startsWith('b')
    default:
      return head === item
  }
}
