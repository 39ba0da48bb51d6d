import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDocument } from '../../src/documents/document.ts'

/** `line:column message` of each problem. */
const told = (text: string): readonly string[] =>
  parseDocument(text, 'a.yaml').problems.map(({ message, place }) =>
    typeof place === 'object' ? `${place.line}:${place.column} ${message}` : message,
  )

describe('a mistake in YAML', () => {
  it.each([
    ['a bracket', 'a:\n  b: [1, 2\nc: 3\nd: 4\n', '2:6 This [ is never closed'],
    ['a brace', 'a: {x: 1, y: 2\nc: 3\n', '1:4 This { is never closed'],
    ['a bracket in braces', 'a:\n- { url: u, methods: [GET }\n- b\n', '2:22 This [ is never closed'],
    ['a quote', 'a: "open\nb: 2\nc: 3\n', '1:4 This " is never closed'],
    ['a single quote', "a: 'open\nb: 2\n", "1:4 This ' is never closed"],
    ['a bracket in JSON', '[{"id": "a",]', '1:2 This { is never closed'],
    ['a comma that is missing', '{"a": 1 "b": 2}', '1:7 Something is missing between this and what follows'],
    ['a bracket too many', 'a: [1, 2]]\n', '1:10 This "]" closes nothing'],
    ['a key in no column', 'a:\n  b: 1\n c: 2\n', '3:1 This key is not in the same column as the others of its map'],
    ['a second colon', 'a: b: c\n', '1:4 One line holds two keys'],
    ['a key without colon', 'a: 1\nb\nc: 2\n', '2:1 This is no key: no ":" follows'],
    ['a reserved character', 'a: @b\n', '1:4 Text cannot begin with "@" unless it is in quotes'],
    ['a key after a list', '- a\nb: 1\n', '2:1 This does not belong here'],
  ])('such as %s is told once, where it is', (_what, text, message) => {
    expect(told(text)).toEqual([message])
  })

  it('is told with the others, when they are on other lines', () => {
    expect(told('a: @b\nc: @d\n')).toHaveLength(2)
  })

  it('is an error, whatever the text: what has no document has a problem', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('[', ']', '{', '}', '"', "'", ': ', ', ', '- ', 'a', '\n', '  ')),
        (parts) => {
          const { document, problems } = parseDocument(parts.join(''), 'a.yaml')
          expect(document === undefined).toBe(problems.some(({ severity }) => severity === 'error'))
        },
      ),
    )
  })
})
