/** What a problem shows of a file in which secrets stand on lines of their own. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDocument } from '../../src/documents/document.ts'
import { formatProblem } from '../../src/documents/problem.ts'
import { sourceText } from '../../src/documents/source.ts'

/** The file as problems on each of its lines would show it. */
function shown(text: string): string[] {
  const source = sourceText('a.yaml', text)
  let offset = 0
  return text.split('\n').map((line) => {
    const told = formatProblem({ severity: 'error', message: 'Wrong', place: source.place(offset) })
    offset += line.length + 1
    return told.split('\n')[1]!.replace(/^ +\d+ \| /, '')
  })
}

describe('secrets without their key on the line', () => {
  it.each([
    [
      'a block',
      ['token: |', '  hunter2 hunter-3', '  key: hunter4', 'port: 1'],
      ['token: |', '  ******* ********', '  **** *******', 'port: 1'],
    ],
    [
      'a folded block',
      ['a:', '  client_secret: >-', '    hunter2', '  b: 1'],
      ['a:', '  client_secret: >-', '    *******', '  b: 1'],
    ],
    [
      'a list',
      ['secrets:', '  - hunter2', '  - "hunter3"', 'b:', '  - c'],
      ['secrets:', '  - *******', '  - *********', 'b:', '  - c'],
    ],
    ['a list in the column of its key', ['password:', '- hunter2', 'b: 1'], ['password:', '- *******', 'b: 1']],
    ['a list of lists', ['secret:', '  - - hunter2', '    - hunter3'], ['secret:', '  - - *******', '    - *******']],
    ['the next line', ['token:', '  hunter2'], ['token:', '  *******']],
    ['text over two lines', ["token: 'hunter2", "  hunter3'"], ["token: 'hunter2", '  ********']],
    ['a flow list', ['token: [hunter2, "hunter3"]'], ['token: [*******, *********]']],
    [
      'a flow list over lines',
      ['x: {token: [', '  hunter2,', '  hunter3]}', 'y: 1'],
      ['x: {token: [', '  *******,', '  *********', 'y: 1'],
    ],
    [
      'JSON',
      ['{', '  "api_keys": [', '    "hunter2",', '    "b"', '  ],', '  "c": "d"', '}'],
      ['{', '  "api_keys": [', '    *********,', '    ***', '  ],', '  "c": "d"', '}'],
    ],
    [
      'JSON without indentation',
      ['{"a": 1, "token":', '"hunter2",', '"c": "d"}'],
      ['{"a": 1, "token":', '*********,', '"c": "d"}'],
    ],
    [
      'an item of a list of maps',
      ['- token: |', '    hunter2', '  port: x'],
      ['- token: |', '    *******', '  port: x'],
    ],
    ['a variable', ['secrets:', '  - ${SECRET}', '  - "${OTHER}"'], ['secrets:', '  - ${SECRET}', '  - "${OTHER}"']],
    ['a key in a URL', ['jwks_url: base64://eyJrIjoi'], ['jwks_url: base64://********']],
    [
      'handlers that are named like secrets',
      ['id_token:', '  enabled: yes', '  config:', '    ttl: x', 'mutators:', '  - id_token'],
      ['id_token:', '  enabled: yes', '  config:', '    ttl: x', 'mutators:', '  - id_token'],
    ],
    ['text of another key', ['claims: |', '  {"a": "b"}', '  text'], ['claims: |', '  {"a": "b"}', '  text']],
  ])('%s', (_name, lines, expected) => {
    expect(shown(lines.join('\n'))).toEqual(expected)
  })

  it('are hidden where the file cannot even be parsed', () => {
    const { problems } = parseDocument('token: |\n    hunter2\n  hunter3\nport: 1\n', 'a.yaml')
    expect(problems.length).toBeGreaterThan(0)
    for (const problem of problems) expect(formatProblem(problem)).not.toMatch(/hunter\d/)
  })

  it('are hidden whatever they are, at any depth', () => {
    const word = fc.stringMatching(/^[a-z0-9+/=]{1,20}$/).map((text) => `Q${text}Q`)
    fc.assert(
      fc.property(
        word,
        fc.array(fc.constantFrom('a', 'config', 'items'), { maxLength: 5 }),
        fc.constantFrom(true, false),
        (secret, keys, isList) => {
          const above = keys.map((key, depth) => `${'  '.repeat(depth)}${key}:`)
          const indent = '  '.repeat(keys.length)
          const written = isList
            ? [`${indent}secrets:`, `${indent}- ${secret}`]
            : [`${indent}token: |`, `${indent}  ${secret}`]
          expect(shown([...above, ...written].join('\n')).join('\n')).not.toContain(secret)
        },
      ),
    )
  })
})
