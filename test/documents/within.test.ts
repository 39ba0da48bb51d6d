/** A spot of a value's text, found in its file. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { parseDocument } from '../../src/documents/document.ts'

/** What the file shows from the spot on, up to the end of its line; undefined when it is the value's own place. */
function shownAt(file: string, line: number, column: number): string | undefined {
  const { document } = parseDocument(file, 'f.yaml')
  const [own, place] = [document?.locate(['a', 'b']), document?.locate(['a', 'b'], { line, column })]
  if (typeof own !== 'object' || typeof place !== 'object') throw new Error('there is no place')
  return own.line === place.line && own.column === place.column ? undefined : place.text.slice(place.column - 1)
}

describe('a spot of a text', () => {
  it.each([
    ['a literal block', 'a:\n  b: |\n    one\n    two three\n', 2, 5, 'three'],
    ['its first line', 'a:\n  b: |-\n    one\n', 1, 2, 'ne'],
    ['an empty first line', 'a:\n  b: |+ # comment\n\n    one\n', 2, 1, 'one'],
    ['an indented line', 'a:\n  b: |\n    one\n      two\n', 2, 3, 'two'],
    ['CRLF', 'a:\r\n  b: |\r\n    one\r\n    two\r\n', 2, 2, 'wo'],
    ['a plain text', 'a: { b: one two }', 1, 5, 'two }'],
    ['quotes', 'a: { b: "one two" }', 1, 5, 'two" }'],
    ['quotes of JSON', '{"a":{"b":"one two"}}', 1, 5, 'two"}}'],
    ['escapes before it', '{"a":{"b":"\\u0061 two"}}', 1, 3, undefined],
    ['a folded block', 'a:\n  b: >\n    one\n    two\n', 1, 5, undefined],
    ['a line that there is not', 'a:\n  b: |\n    one\n', 9, 1, undefined],
  ])('%s', (_, file, line, column, expected) => {
    expect(shownAt(file, line, column)).toBe(expected)
  })

  it('is what the file shows there, for whatever text in a literal block', () => {
    const words = fc.stringMatching(/^[a-z{}"]{1,8}( [a-z]{1,3}){0,2}$/)
    fc.assert(
      fc.property(fc.array(words, { minLength: 2, maxLength: 6 }), fc.nat(5), fc.nat(9), (lines, at, offset) => {
        const line = at % lines.length
        const column = offset % lines[line]!.length
        const file = stringify({ a: { b: lines.join('\n') } }, { blockQuote: 'literal' })
        expect(file).toContain('b: |')
        expect(shownAt(file, line + 1, column + 1)).toBe(lines[line]!.slice(column))
      }),
    )
  })
})
