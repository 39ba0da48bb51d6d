import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMappers } from '../../src/tokens/claims/mappers.ts'
import { createKeySets } from '../../src/tokens/key_sets.ts'
import { readKeySet } from '../../src/tokens/key_set.ts'
import { startServer } from '../support/http_server.ts'
import { privateKey } from './support.ts'

/** What Kratos refuses and Oathkeeper takes: here all key sets have the same sources, those of Oathkeeper. */
const TAKEN_HERE = [
  'jwks/base64-needs-padding',
  'jwks/base64-url-alphabet-refused',
  'jwks/http-refused',
  'jwks/https-refused',
  'jwks/no-scheme-refused',
]
/** A changed file is seen within a second, where Kratos signs with the old key for up to an hour. */
const FRESHER = ['jwks/cached-one-hour']

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mintkeeper-sources-'))
})
afterEach(() => rm(folder, { recursive: true }))

const impatient = { wait: () => Promise.resolve() }
const jwksText = async (): Promise<string> => JSON.stringify({ keys: [await privateKey('ES256', 'k1')] })
const defaults = { sub: 'a' }
const claimsOf = async (url: string, options: Parameters<typeof createMappers>[0] = impatient) =>
  (await createMappers(options).load(url)).map({}, defaults)

const tested: Readonly<Record<string, () => Promise<void>>> = {
  async 'jwks/file-relative'() {
    await writeFile(path.join(folder, 'k.json'), await jwksText())
    const set = await createKeySets().load(`file://${path.relative('.', path.join(folder, 'k.json'))}`)
    expect(set.firstKey().kid).toBe('k1')
  },
  async 'jwks/file-absolute'() {
    await writeFile(path.join(folder, 'k.json'), await jwksText())
    const set = await createKeySets().load(`file://${folder}/k.json`)
    expect(set.firstKey().kid).toBe('k1')
  },
  async 'jwks/file-missing'() {
    const set = await createKeySets().load(`file://${folder}/nope.json`)
    expect(() => set.firstKey()).toThrow(expect.objectContaining({ code: 'signing_key_unavailable' }))
    expect(set.problem).toBe('the file does not exist')
  },
  async 'jwks/bare-jwk'() {
    const set = await readKeySet(JSON.stringify(await privateKey('ES256', 'k1')), 'file://k.json')
    expect(set.firstKey().kid).toBe('k1')
  },
  async 'jwks/parse-failure-not-cached'() {
    const url = `file://${folder}/k.json`
    await writeFile(path.join(folder, 'k.json'), '{')
    const broken = createKeySets()
    expect((await broken.load(url)).problem).toContain('is not JSON')
    await writeFile(path.join(folder, 'k.json'), await jwksText())
    const repaired = await createKeySets({ previous: broken.sets }).load(url)
    expect(repaired.firstKey().kid).toBe('k1')
  },
  async 'jwks/mapper-http-404'() {
    await using server = await startServer((_, response) => response.writeHead(404).end())
    await expect(claimsOf(`${server.url}/c.jsonnet`)).rejects.toThrow(
      `The claims mapper ${server.url}/c.jsonnet cannot be read: answered with status 404`,
    )
  },
  async 'jwks/mapper-file-read-every-time'() {
    const url = `file://${folder}/c.jsonnet`
    await writeFile(path.join(folder, 'c.jsonnet'), '{ claims: { a: 1 } }')
    const before = createMappers()
    expect((await before.load(url)).map({}, defaults)).toEqual({ sub: 'a', a: 1 })
    expect(before.files).toEqual([path.join(folder, 'c.jsonnet')])
    await writeFile(path.join(folder, 'c.jsonnet'), '{ claims: { a: 2 } }')
    expect(await claimsOf(url, { previous: before.mappers })).toEqual({ sub: 'a', a: 2 })
  },
  async 'jwks/mapper-base64'() {
    expect(await claimsOf('base64://e2NsYWltczp7YToxfX0=')).toEqual({ sub: 'a', a: 1 })
  },
}

describe("the sources of Kratos' tokenizer", () => {
  const all = JSON.parse(readFileSync(new URL('../vectors/kratos.json', import.meta.url), 'utf8')) as readonly {
    readonly id: string
    readonly group: string
  }[]

  it('are all looked at', () => {
    const ids = all.filter(({ group }) => group === 'jwks_sources').map(({ id }) => id)
    // Without a mapper there are the cases of the tokenizer.
    expect([...Object.keys(tested), ...TAKEN_HERE, ...FRESHER, 'jwks/mapper-empty'].sort()).toEqual(ids.sort())
  })

  it.each(Object.entries(tested))('%s', async (_id, run) => {
    await expect(run()).resolves.toBeUndefined()
  })
})

describe('a claims mapper', () => {
  it('that cannot be compiled is told with its place', async () => {
    await writeFile(path.join(folder, 'c.jsonnet'), '{\n  claims: nothing\n}')
    await expect(claimsOf(`file://${folder}/c.jsonnet`)).rejects.toThrow(
      `The claims mapper cannot be used: file://${folder}/c.jsonnet:2:11 Unknown variable: nothing`,
    )
  })

  it.each([
    ['broken', '{'],
    ['gone', undefined],
  ])('that is %s after a change stays as it was, and that is told', async (_name, text) => {
    const file = path.join(folder, 'c.jsonnet')
    const url = `file://${file}`
    await writeFile(file, '{ claims: { a: 1 } }')
    const before = createMappers()
    await before.load(url)
    await (text === undefined ? rm(file) : writeFile(file, text))
    const after = createMappers({ previous: before.mappers })
    expect((await after.load(url)).map({}, defaults)).toEqual({ sub: 'a', a: 1 })
    expect(after.kept).toEqual([{ url, problem: expect.stringContaining('The claims mapper') as string }])
    expect(after.files).toEqual([file])
  })

  it('from a server is asked for again, and an outage is no change', async () => {
    let answer: { readonly status: number; readonly body: string } = { status: 200, body: '{ claims: { a: 1 } }' }
    await using server = await startServer((_, response) => response.writeHead(answer.status).end(answer.body))
    const mappers = createMappers(impatient)
    await mappers.load(`${server.url}/c.jsonnet`)
    expect(await mappers.changed()).toBe(false)
    answer = { status: 503, body: 'later' }
    expect(await mappers.changed()).toBe(false)
    answer = { status: 200, body: '{ claims: { a: 2 } }' }
    expect(await mappers.changed()).toBe(true)
  })

  it('in the config itself is not repeated by errors', async () => {
    const secret = Buffer.from("{ claims: 'a secret }").toString('base64')
    const failure: unknown = await claimsOf(`base64://${secret}`).catch((error: unknown) => error)
    expect(String(failure)).toContain('base64://[redacted]')
    expect(String(failure)).not.toContain(secret)
  })
})
