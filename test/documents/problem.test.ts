import { describe, expect, it } from 'vitest'
import { formatProblem, inReadingOrder, type Problem, ProblemsError } from '../../src/documents/problem.ts'
import { sourceText } from '../../src/documents/source.ts'

const problem = (place: Problem['place'], message = 'Wrong'): Problem => ({
  severity: 'error',
  message,
  ...(place !== undefined && { place }),
})

describe('formatProblem', () => {
  it('shows the line, a caret under the spot, and the hint', () => {
    const place = sourceText('a.yaml', 'x: 1\n\tkey: value\r\n').place(6)
    expect(formatProblem({ ...problem(place), hint: 'Do this.' })).toBe(
      'a.yaml:2:2: error: Wrong\n  2 | \tkey: value\n    | \t^\n  Do this.',
    )
  })

  it.each([
    ['url: postgres://me:hunter2@db/kratos, x', 'url: postgres://me:*******@db/kratos, x'],
    ['admin: {token: short, port: 1}', 'admin: {token: *****, port: 1}'],
    ['"client_secret": "two words", "b": 1', '"client_secret": ***********, "b": 1'],
    ["password: 'it''s'", 'password: *******'],
    ['password: $ecret', 'password: ******'],
    ['token: ${TOKEN}', 'token: ${TOKEN}'],
    ['token: "${TOKEN}"', 'token: "${TOKEN}"'],
    ['token_file: /run/secrets/token', 'token_file: /run/secrets/token'],
    ['token: {from: header}', 'token: {from: header}'],
    ['url: http://kratos:4433/a@b', 'url: http://kratos:4433/a@b'],
  ])('shows no secret of the line: %s', (line, shown) => {
    const lines = formatProblem(problem(sourceText('a.yaml', line).place(0))).split('\n')
    expect(lines[1]).toBe(`  1 | ${shown}`)
  })

  it('names what is no file', () => {
    expect(formatProblem(problem('environment variable X'))).toBe('environment variable X: error: Wrong')
    expect(formatProblem(problem(undefined))).toBe('error: Wrong')
  })

  it('shows a part of a long line', () => {
    const text = `${'a'.repeat(5_000)}X${'b'.repeat(5_000)}`
    const lines = formatProblem(problem(sourceText('a.json', text).place(5_000))).split('\n')
    const [head, shown = '', caret = ''] = lines
    expect(head).toContain('a.json:1:5001:')
    expect(shown.length).toBeLessThan(200)
    expect(shown.charAt(caret.indexOf('^'))).toBe('X')
  })

  it('colours only when asked to', () => {
    expect(formatProblem(problem('x'))).not.toContain('\u001B')
    expect(formatProblem(problem('x'), { color: true })).toContain('\u001B[31merror')
  })
})

describe('inReadingOrder', () => {
  it('goes file by file and from top to bottom', () => {
    const a = sourceText('a', 'one\ntwo\n')
    const b = sourceText('b', 'one\n')
    const ordered = inReadingOrder([
      problem(b.place(0)),
      problem(a.place(5)),
      problem(a.place(4)),
      problem('variable'),
      problem(a.place(0)),
    ])
    const spots = ordered.map(({ place }) =>
      typeof place === 'object' ? `${place.file}:${place.line}:${place.column}` : place,
    )
    expect(spots).toEqual(['b:1:1', 'a:1:1', 'a:2:1', 'a:2:2', 'variable'])
  })
})

describe('ProblemsError', () => {
  it('tells all problems', () => {
    expect(new ProblemsError([problem('x', 'One'), problem('y', 'Two')]).message).toBe('x: error: One\ny: error: Two')
  })
})
