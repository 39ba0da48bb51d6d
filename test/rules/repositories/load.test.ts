import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Problem } from '../../../src/documents/problem.ts'
import {
  loadRepositories,
  type LoadedRepositories,
  type LoadRepositoriesOptions,
} from '../../../src/rules/repositories/load.ts'
import { startServer } from '../../support/http_server.ts'
import { soundRule } from '../documents.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rules-'))
})
afterEach(async () => {
  await rm(directory, { recursive: true })
})

const rulesText = (...ids: readonly string[]): string => JSON.stringify(ids.map((id) => ({ ...soundRule, id })))
const inline = (text: string): string => `inline://${Buffer.from(text).toString('base64')}`
const ids = ({ rules }: LoadedRepositories): readonly string[] => rules.map(({ rule }) => rule.id)
const told = (problems: readonly Problem[]): readonly string[] =>
  problems.map(({ severity, message }) => `${severity}: ${message}`)

function load(urls: readonly string[], options: Partial<LoadRepositoriesOptions> = {}): Promise<LoadedRepositories> {
  return loadRepositories(urls, { missing: 'warn', directory, retryDelay: 1, ...options })
}

/** Writes a rule file and returns its path. */
async function write(name: string, text: string): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, text)
  return path
}

describe('loadRepositories', () => {
  // Case rule-repositories-001
  it('has no rules without repositories', async () => {
    expect(await load([])).toMatchObject({ rules: [], problems: [], files: [] })
  })

  it('joins all repositories in their order', async () => {
    await using server = await startServer((_, response) => response.end(rulesText('http')))
    const path = await write('absolute.json', rulesText('a1', 'a2'))
    await write('relative.yaml', '- id: r\n')
    const loaded = await load([
      `file://${path}`,
      server.url,
      'file://relative.yaml',
      inline(rulesText('inline')),
      './relative.yaml',
      path,
    ])
    expect(ids(loaded)).toEqual(['a1', 'a2', 'http', 'r', 'inline', 'r', 'a1', 'a2'])
    expect(loaded.files).toEqual([path, join(directory, 'relative.yaml'), join(directory, 'relative.yaml'), path])
    expect(loaded.rules.map(({ repository }) => repository)).toContain('inline repository 4')
  })

  it('reads JSON and YAML whatever the file is called, and replaces environment variables', async () => {
    await write('a.yaml', rulesText('${NAME:-json}'))
    await write('a.json', '- id: ${NAME}\n')
    expect(ids(await load(['a.yaml', 'a.json'], { env: { NAME: 'yaml' } }))).toEqual(['yaml', 'yaml'])
  })

  it('keeps the problems of a rule with the rule', async () => {
    await write('a.yaml', '- id: a\n')
    const loaded = await load(['a.yaml'])
    expect(loaded.problems).toEqual([])
    expect(loaded.rules[0]?.problems[0]?.message).toBe('Value "match" is empty but must be set.')
  })

  it('warns of ids that are missing or given twice', async () => {
    const loaded = await load([inline(rulesText('a', '', 'a'))])
    expect(told(loaded.problems)).toEqual([
      'warning: This rule has no id',
      'warning: Another rule (inline repository 1:1:8) has the id "a", too',
    ])
  })

  it.each([
    ['ftp://x', 'rule: source url uses an unknown scheme: ftp'],
    ['s3://bucket', 'names no object'],
    ['inline://***', 'not valid base64'],
    ['http://:80:80', 'not a valid URL'],
    ['file://', 'has no path'],
  ])('refuses %j', async (url, message) => {
    const loaded = await load([url], { place: (index) => `repository ${index}` })
    expect(loaded.problems).toEqual([
      expect.objectContaining({
        severity: 'error',
        place: 'repository 0',
        message: expect.stringContaining(message) as unknown,
      }),
    ])
  })
})

describe.each([
  ['HTML', '<!doctype html>\n<p>Sign in</p>\n'],
  ['a scalar', '42'],
  ['a map', '{"rules": []}'],
])('%s instead of rules', (_, text) => {
  it.each(['file', 'inline', 'http'])('from a repository of kind %s', async (kind) => {
    let sent = text
    await using server = await startServer((_request, response) => response.end(sent))
    const url = { file: await write('rules.yaml', text), inline: inline(text), http: server.url }[kind]!
    const sources = [url, inline(rulesText('other'))]
    const warned = await load(sources)
    expect(ids(warned)).toEqual(['other'])
    expect(warned.problems.map(({ severity }) => severity)).not.toContain('error')
    expect(warned.problems.at(-1)?.message).toMatch(/; its rules are left out$/)
    const refused = await load(sources, { missing: 'refuse' })
    expect(refused.problems).toContainEqual(expect.objectContaining({ severity: 'error' }))
    if (kind !== 'http') return
    // still asked, so that its mending is seen
    expect(warned.states.get(url)?.remote?.text).toBe(text)
    const again = await load(sources, { previous: warned })
    expect(again.problems.at(-1)?.message).toMatch(/; its rules are left out$/)
    sent = rulesText('mended')
    expect(ids(await load(sources, { previous: again }))).toEqual(['mended', 'other'])
  })
})

describe('rule files', () => {
  it.each([
    ['does not exist', undefined],
    ['must be a list of rules', '{"id": "a"}'],
    ['', '[{"id": '],
    ['not a semantic version', '- version: latest\n'],
  ])('that cannot be used (%s) are an error or a warning, as `missing` says', async (message, text) => {
    if (text !== undefined) await write('a.yaml', text)
    const refused = await load(['a.yaml', inline(rulesText('other'))], { missing: 'refuse' })
    expect(refused.problems[0]).toMatchObject({
      severity: 'error',
      message: expect.stringContaining(message) as unknown,
    })
    const warned = await load(['a.yaml', inline(rulesText('other'))], { missing: 'warn' })
    expect(ids(warned)).toEqual(['other'])
    expect(warned.problems.map(({ severity }) => severity)).not.toContain('error')
    expect(warned.problems.at(-1)?.message).toMatch(/; its rules are left out$/)
    expect(warned.files).toEqual([join(directory, 'a.yaml')])
  })

  it('say when they are directories', async () => {
    expect((await load(['.'])).problems[0]?.message).toMatch(/^The rule file .* is a directory; /)
  })

  // Case rule-repositories-005
  it('are read anew by each load', async () => {
    const sequence = [[], ['1'], ['1', '2'], ['2', '3', '4']]
    let previous: LoadedRepositories | undefined
    for (const expected of sequence) {
      await write('r.json', rulesText(...expected))
      previous = await load(['file://r.json'], { previous })
      expect(ids(previous)).toEqual(expected)
    }
  })

  // Cases rule-repositories-010 and 011
  it.each([['broken'], ['deleted']])('that get %s keep their previous rules, again and again', async (fate) => {
    const path = await write('r.json', rulesText('1'))
    const first = await load(['r.json'])
    await (fate === 'broken' ? writeFile(path, '[{') : rm(path))
    const second = await load(['r.json'], { previous: first })
    const third = await load(['r.json'], { previous: second })
    expect(ids(third)).toEqual(['1'])
    expect(third.problems.map(({ severity }) => severity)).not.toContain('error')
    expect(third.problems.at(-1)?.message).toMatch(/; the previous rules stay in force$/)
    const refused = await load(['r.json'], { missing: 'refuse', previous: first })
    expect(refused.problems).toContainEqual(expect.objectContaining({ severity: 'error' }))
    expect(refused.kept).toEqual([])
  })

  // Case rule-repositories-004
  it('that the config names no more take their rules with them', async () => {
    await write('b.yaml', rulesText('b'))
    const previous = await load(['b.yaml'])
    expect(ids(await load([], { previous }))).toEqual([])
  })
})

describe('web servers', () => {
  // Case rule-repositories-009
  it.each([204, 404, 301, 501])('answering %i are an error at once', async (status) => {
    await using server = await startServer((_, response) => response.writeHead(status).end())
    const { problems } = await load([`${server.url}/rules?token=secret`])
    expect(told(problems)).toEqual([
      `error: ${server.url}/rules: expected http response status code 200 but got ${status}`,
    ])
    expect(server.requests).toHaveLength(1)
  })

  it('in trouble are tried again', async () => {
    await using server = await startServer((_, response) => {
      if (server.requests.length < 3) response.writeHead(503).end()
      else response.end(rulesText('late'))
    })
    expect(ids(await load([server.url]))).toEqual(['late'])
    expect(server.requests).toHaveLength(3)
  })

  // Case rule-repositories-008
  it('that cannot be reached are an error after all tries', async () => {
    let url = ''
    {
      await using server = await startServer(() => {})
      ;({ url } = server)
    }
    const { problems } = await load([url], { retries: 2 })
    expect(told(problems)).toEqual([`error: ${url}/ cannot be reached (ECONNREFUSED)`])
  })

  it('are asked for changes only, and stand in for themselves', async () => {
    const known = '"1"'
    let broken = false
    await using server = await startServer((request, response) => {
      if (broken) response.writeHead(500).end()
      else if (request.headers['if-none-match'] === known) response.writeHead(304).end()
      else response.writeHead(200, { etag: known }).end(rulesText('1'))
    })
    const first = await load([server.url])
    const second = await load([server.url], { previous: first })
    expect(server.requests[1]?.headers['if-none-match']).toBe(known)
    expect(ids(second)).toEqual(['1'])
    expect(second.problems).toEqual([])
    broken = true
    const third = await load([server.url], { previous: second })
    expect(ids(third)).toEqual(['1'])
    expect(server.requests).toHaveLength(3)
    expect(told(third.problems)).toEqual([
      `warning: ${server.url}/: expected http response status code 200 but got 500; the previous rules stay in force`,
    ])
  })

  it('get the credentials of the URL, but those they redirect to do not', async () => {
    await using target = await startServer((_, response) => response.end(rulesText('moved')))
    await using server = await startServer((_, response) => response.writeHead(302, { location: target.url }).end())
    const loaded = await load([server.url.replace('//', '//me:p%40ss@')])
    expect(ids(loaded)).toEqual(['moved'])
    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`)
    expect(target.requests[0]?.headers.authorization).toBeUndefined()
    expect(JSON.stringify(loaded.rules)).not.toContain('p@ss')
  })

  it.each(['file:///etc/passwd', 'ftp://h/', 'data:,[]', '/again'])('may not redirect to %j', async (location) => {
    await using server = await startServer((_, response) => response.writeHead(302, { location }).end())
    const { problems } = await load([server.url])
    expect(problems).toEqual([
      expect.objectContaining({ severity: 'error', message: expect.stringContaining('redirects') as unknown }),
    ])
  })

  it('may not redirect to a weaker connection', async () => {
    const body = null
    const get = (url: string) =>
      Promise.resolve({ status: 302, headers: { get: () => url.replace('https', 'http') }, body })
    expect(told((await load(['https://h/rules'], { get })).problems)).toEqual([
      'error: https://h/rules redirects from https:// to http://',
    ])
  })

  it('may not send without end', async () => {
    await using server = await startServer((_, response) => {
      const chunk = ' '.repeat(65_536)
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
      }
      response.on('drain', more)
      more()
    })
    expect(told((await load([server.url])).problems)).toEqual([expect.stringContaining('sent more than 5242880 bytes')])
  })
})
