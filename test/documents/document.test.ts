import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDocument } from '../../src/documents/document.ts'
import { formatProblem, type Problem } from '../../src/documents/problem.ts'

const read = (text: string, env?: Record<string, string>) =>
  parseDocument(text, 'file.yaml', env === undefined ? {} : { env })
const valueOf = (text: string, env?: Record<string, string>) => read(text, env).document?.value
const told = (text: string, env?: Record<string, string>) =>
  read(text, env).problems.map(({ message, place }) => {
    const spot = typeof place === 'object' ? `${place.line}:${place.column}` : 'nowhere'
    return `${spot} ${message}`
  })

describe('values', () => {
  it('reads YAML 1.2 and JSON alike', () => {
    const expected = { a: 1, b: [true, null, 'x'], c: { d: 'e' } }
    expect(valueOf('a: 1\nb: [true, null, x]\nc:\n  d: e\n')).toEqual(expected)
    expect(valueOf(JSON.stringify(expected))).toEqual(expected)
  })

  it('reads every JSON value', () => {
    fc.assert(
      fc.property(
        fc.jsonValue().filter((value) => !JSON.stringify(value).includes('__proto__')),
        (value) => {
          // JSON has no negative zero of its own: it comes back as zero from either side.
          expect(JSON.stringify(valueOf(JSON.stringify(value)))).toBe(JSON.stringify(value))
        },
      ),
    )
  })

  it('takes yes, on and dates as text, as Oathkeeper does', () => {
    expect(valueOf('[yes, on, 2026-01-01]')).toEqual(['yes', 'on', '2026-01-01'])
  })

  it('takes numbers as keys by their spelling', () => {
    expect(valueOf('200: a\n0x10: b\ntrue: c\n')).toEqual({ '200': 'a', '0x10': 'b', true: 'c' })
  })

  it('is null for an empty text', () => {
    expect(valueOf('')).toBeNull()
    expect(valueOf('# nothing\n')).toBeNull()
  })

  it('never lets a key reach a prototype', () => {
    expect(told('a: {__proto__: {admin: true}}')).toEqual(['1:5 The key "__proto__" is not allowed'])
    expect(Object.hasOwn(valueOf('constructor: 1') as object, 'constructor')).toBe(true)
  })
})

describe('anchors', () => {
  it('copies aliases and merges maps, own keys first', () => {
    const text = 'base: &base {x: 1, y: 2}\nother: &other {y: 3, z: 4}\na:\n  <<: [*base, *other]\n  x: 0\nb: *base\n'
    expect(valueOf(text)).toMatchObject({ a: { x: 0, y: 2, z: 4 }, b: { x: 1, y: 2 } })
  })

  it('gives each alias its own copy', () => {
    const { a, b } = valueOf('a: &a {x: 1}\nb: *a\n') as { a: object; b: object }
    expect(a).toEqual(b)
    expect(a).not.toBe(b)
  })

  it('stops growth by aliases of aliases', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]']
    for (let level = 1; level < 12; level += 1) {
      const item = `*a${level - 1}`
      lines.push(`a${level}: &a${level} [${Array.from({ length: 9 }, () => item).join(', ')}]`)
    }
    expect(told(lines.join('\n'))).toEqual(['5:10 Aliases make this text too large'])
  })

  it('tells of unknown, circular and unmergeable anchors', () => {
    expect(told('a: *b')).toEqual(['1:4 No anchor named "b" comes before this alias'])
    expect(told('a: &a [1, *a]')).toEqual(['1:11 The alias "a" contains itself'])
    expect(told('a:\n  <<: text\n')).toEqual(['2:7 A merge key (<<) takes a map, an alias of one, or a list of these'])
  })
})

describe('problems', () => {
  it.each([
    ['a duplicate key', 'a: 1\nb: 2\na: 3\n', '3:1 This key is given twice in the same map'],
    ['a tab', 'a:\n\tb: 1\n', '2:1 YAML does not allow tabs as indentation'],
    ['two documents', 'a: 1\n---\nb: 1\n', '2:1 A file holds one document, but a second one begins here'],
    ['a list as a key', '? [a]\n: 1\n', '1:3 A key must be text'],
    ['bytes', 'a: !!binary aaaa\n', '1:13 This value must be text, a finite number, true, false or null'],
    ['infinity', 'a: .inf\n', '1:4 This value must be text, a finite number, true, false or null'],
  ])('are told for %s', (_, text, expected) => {
    expect(told(text)).toEqual([expected])
    expect(read(text).document).toBeUndefined()
  })

  it.each([
    ['[', 5_000],
    ['{a: ', 5_000],
    ['- ', 5_000],
  ])('stops at endless nesting of %s', (open, times) => {
    const problems = told(open.repeat(times))
    expect(problems.length).toBeGreaterThan(0)
    expect(problems.length).toBeLessThanOrEqual(5)
  })

  it('have a spot in the file for any text at all, and nothing is ever thrown', () => {
    expect.hasAssertions()
    const noise = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(
          fc.constantFrom(
            'a',
            ':',
            ' ',
            '\n',
            '- ',
            '{',
            '}',
            '[',
            ']',
            '&a ',
            '*a',
            '<<',
            '"',
            "'",
            '|',
            '>',
            '!',
            '#',
            '\t',
            '${X}',
            '%',
            '---\n',
          ),
        )
        .map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(noise, (text) => {
        const { document, problems } = parseDocument(text, 'any.yaml', { env: {} })
        const failed = problems.some(({ severity }) => severity === 'error')
        expect(failed).toBe(document === undefined)
        for (const problem of problems) expectInside(problem, text)
      }),
      { numRuns: 500 },
    )
  })
})

function expectInside(problem: Problem, text: string): void {
  const { place } = problem
  if (typeof place !== 'object') throw new Error(`no place: ${problem.message}`)
  const lines = text.split('\n')
  expect(place.file).toBe('any.yaml')
  expect(place.line).toBeGreaterThanOrEqual(1)
  expect(place.line).toBeLessThanOrEqual(lines.length)
  expect(place.column).toBeGreaterThanOrEqual(1)
  expect(place.column).toBeLessThanOrEqual((lines[place.line - 1] ?? '').length + 1)
  expect(formatProblem(problem)).toContain(`any.yaml:${place.line}:${place.column}: `)
}

describe('places', () => {
  const text = 'a: 1\nlist:\n  - x\n  - key: value # comment\nbase: &base {deep: {er: 1}}\nuse:\n  <<: *base\n'
  const locate = read(text).document?.locate
  const spot = (path: readonly (string | number)[], on?: 'key' | 'value') => {
    const place = locate?.(path, on)
    return typeof place === 'object' ? `${place.line}:${place.column}` : undefined
  }

  it('lead to values and keys', () => {
    expect(spot(['a'])).toBe('1:4')
    expect(spot(['a'], 'key')).toBe('1:1')
    expect(spot(['list', 1, 'key'])).toBe('4:10')
    expect(spot(['list', 1, 'key'], 'key')).toBe('4:5')
    expect(spot(['list', 0], 'key')).toBe('3:5')
  })

  it('lead to the nearest parent of what is not there', () => {
    expect(spot(['list', 1, 'missing', 'more'])).toBe('4:5')
    expect(spot(['missing'])).toBe('1:1')
  })

  it('lead through merge keys to where the value is written', () => {
    expect(spot(['use', 'deep', 'er'])).toBe('5:25')
  })
})

describe('environment variables', () => {
  const env = { PORT: '8080', HOST: 'db', EMPTY: '', FLAG: 'true', CODE: '007' }

  it('keep a type where nothing is lost, and quotes mean text', () => {
    const text = 'a: ${PORT}\nb: "${PORT}"\nc: ${FLAG}\nd: ${CODE}\ne: ${HOST}:${PORT}\n'
    expect(valueOf(text, env)).toEqual({ a: 8080, b: '8080', c: true, d: '007', e: 'db:8080' })
  })

  it('keep a type in quotes where braces cannot stand without', () => {
    expect(valueOf('{"port": "${PORT}", "host": "${HOST}"}', env)).toEqual({ port: 8080, host: 'db' })
    expect(valueOf(`a: ["\${PORT}", '\${PORT}']`, env)).toEqual({ a: [8080, '8080'] })
  })

  it('are no YAML: a value cannot add keys', () => {
    expect(valueOf('a: ${X}', { X: 'x\nb: 1' })).toEqual({ a: 'x\nb: 1' })
  })

  it('have their own spot when they are missing, and the rest is still read', () => {
    const { draft, document, problems } = read('a: 1\nb: |\n  one ${PORT}\n  two ${NOT_SET}\n', env)
    expect(document).toBeUndefined()
    expect(draft?.value).toMatchObject({ a: 1 })
    expect(problems).toMatchObject([
      { message: 'The environment variable NOT_SET is not set', place: { line: 4, column: 7 } },
    ])
  })

  it('are left alone without an environment', () => {
    expect(valueOf('a: ${PORT}')).toEqual({ a: '${PORT}' })
  })
})
