import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { differences, everywhere, migrationNotes } from '../../src/config/migration.ts'
import { cli } from '../cli/run.ts'
import { startServer, type TestServer } from '../support/http_server.ts'

const golden = path.join(import.meta.dirname, '../golden/migration')

describe('the table of differences', () => {
  const guide = readFileSync(new URL('../../docs/migrating-from-oathkeeper.md', import.meta.url), 'utf8')
  const [, table = ''] = guide.split('\n## Deliberate differences\n')
  const rows = table.split('\n## ')[0]?.match(/^\| (?!subject|---).*$/gm) ?? []
  // A table of Markdown has no other way to say `|`.
  const subjects = rows.map((row) => row.split(' | ')[0]?.replace(/^\| /, '').trim() ?? '')

  it('has the same subjects in the code and in the guide', () => {
    const known = [...differences.flatMap((difference) => difference.subjects), ...everywhere]
    expect(new Set(known)).toEqual(new Set(subjects))
    expect(known).toHaveLength(subjects.length)
  })

  it('says what, and what to do, in one sentence each', () => {
    for (const { message, hint } of differences) {
      expect(message).toMatch(/^[A-Z`].*[^.]$/)
      expect(hint).toMatch(/^[A-Z].*\.$/)
    }
  })
})

describe('mintkeeper validate on a config of Oathkeeper', () => {
  let server: TestServer
  let env: Record<string, string>
  let output: { out: string; err: string; exitCode: number | null }
  beforeEach(async () => {
    server = await startServer((_, response) => response.end('[]'))
    // Paths in the files are relative to the working directory, as for Oathkeeper.
    vi.spyOn(process, 'cwd').mockReturnValue(golden)
    const { out: keys } = await cli(['credentials', 'generate', '--alg', 'ES256'])
    env = { REMOTE_RULES: server.url, SIGNING_KEYS: `base64://${Buffer.from(keys).toString('base64')}` }
    output = await cli(['validate', '-c', path.join(golden, 'oathkeeper.yml')], env)
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    await server[Symbol.asyncDispose]()
  })

  const notes = (text: string): readonly string[] => text.match(/^.*: note: .*$/gm) ?? []

  it('notes each line that behaves differently, and what to do', async () => {
    const told = notes(output.err.replaceAll(`${golden}/`, '')).join('\n')
    await expect(`${told}\n`).toMatchFileSnapshot(path.join(golden, 'notes.txt'))
    for (const { message, hint } of differences) {
      expect(output.err).toContain(`note: ${message}`)
      expect(output.err).toContain(hint)
    }
    expect(output.out).toMatch(new RegExp(`, ${notes(output.err).length} notes\n`))
  })

  it('tells those that ask for action first, and where the others are', () => {
    const [asking = '', information = '', ...more] = output.err.split('\nFor information:\n')
    expect(more).toEqual([])
    for (const difference of differences) {
      expect(difference.information === true ? information : asking).toContain(difference.hint)
    }
    expect(information).toMatch(/\nDifferences that no key stands for are in docs\/migrating-from-oathkeeper\.md\.\n/)
  })

  it('has them in its JSON, too', async () => {
    const file = path.join(golden, 'oathkeeper.yml')
    const { out } = await cli(['validate', '--format', 'json', '-c', file], env)
    const { problems } = JSON.parse(out) as {
      problems: readonly { severity: string; file?: string; line?: number; hint: string }[]
    }
    const found = problems.filter(({ severity }) => severity === 'note')
    expect(found).toHaveLength(notes(output.err).length)
    expect(found[0]).toMatchObject({ file, line: 19, column: 5 })
  })

  it('does not fail for them', () => {
    expect(output.err).not.toContain(': error: ')
    expect(output.exitCode).toBe(0)
  })
})

describe('migrationNotes', () => {
  const locate = (): undefined => undefined
  const timeout = { serve: { proxy: { timeout: { write: '1s' } } } }

  it('says nothing of configs that were written for Mintkeeper', () => {
    expect(migrationNotes(timeout, locate, [])).toHaveLength(1)
    expect(migrationNotes({ ...timeout, profile: 'oathkeeper' }, locate, [])).toHaveLength(1)
    expect(migrationNotes({ ...timeout, profile: 'secure' }, locate, [])).toEqual([])
  })

  it.each([
    undefined,
    null,
    [],
    'text',
    { serve: [], mutators: { header: null, cookie: { enabled: 'true' } }, access_rules: 1 },
  ])('stands whatever is written: %j', (config) => {
    expect(migrationNotes(config, locate, [])).toEqual([])
  })

  it('says nothing of handlers that are not enabled', () => {
    const config = { authorizers: { remote: { enabled: false, config: { retry: {} } } } }
    expect(migrationNotes(config, locate, [])).toEqual([])
  })
})
