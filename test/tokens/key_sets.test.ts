import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createKeySets } from '../../src/tokens/key_sets.ts'
import { startServer } from '../support/http_server.ts'
import { asBase64, privateKey } from './support.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mintkeeper-keys-'))
})
afterEach(() => rm(folder, { recursive: true }))

const jwksText = async (kid: string): Promise<string> => JSON.stringify({ keys: [await privateKey('ES256', kid)] })
const impatient = { wait: () => Promise.resolve() }
const loader = (options: Partial<Parameters<typeof createKeySets>[0]> = {}) =>
  createKeySets({ ...impatient, ...options })

describe('a key set from a file', () => {
  it.each([
    ['file:// and an absolute path', (file: string) => `file://${file}`],
    ['file:// and a path relative to the working directory', (file: string) => `file://${path.relative('.', file)}`],
    ['a bare path', (file: string) => file],
    ['an escaped path', (file: string) => `file://${file.replace('my keys', 'my%20keys')}`],
  ])('is found by %s', async (_name, url) => {
    const file = path.join(folder, 'my keys.json')
    await writeFile(file, await jwksText('k1'))
    const keySets = loader()
    const set = await keySets.load(url(file))
    expect(set.signingKey().kid).toBe('k1')
    expect(keySets.files).toEqual([file])
  })

  it('that is missing says so, and is watched all the same', async () => {
    const file = path.join(folder, 'missing.json')
    const keySets = loader()
    const set = await keySets.load(`file://${file}`)
    expect(set.problem).toBe('the file does not exist')
    expect(keySets.files).toEqual([file])
  })

  it('is read once for all that ask', async () => {
    let reads = 0
    const text = await jwksText('k1')
    const keySets = loader({
      readFile: () => {
        reads++
        return Promise.resolve(text)
      },
    })
    const [one, two] = await Promise.all([keySets.load('k.json'), keySets.load('k.json')])
    expect(one).toBe(two)
    expect(reads).toBe(1)
  })
})

describe('a key set from base64', () => {
  it('is decoded, line breaks or not', async () => {
    const url = asBase64({ keys: [await privateKey('ES256', 'k1')] })
    const set = await loader().load(`${url.slice(0, 40)}\r\n${url.slice(40)}`)
    expect(set.signingKey().kid).toBe('k1')
  })

  it('never shows its keys', async () => {
    const set = await loader().load('base64://c2VjcmV0')
    expect(() => set.signingKey()).toThrowError(
      expect.objectContaining({ reason: expect.stringMatching(/^base64:\/\/\[redacted\]: is not JSON/) }),
    )
    expect((await loader().load('base64://*')).problem).toBe('is not valid base64')
  })
})

describe('a key set over HTTP', () => {
  it('is fetched, with the credentials of the URL', async () => {
    const text = await jwksText('k1')
    await using server = await startServer((_request, response) => response.end(text))
    const url = server.url.replace('http://', 'http://user:p%40ss@')
    const set = await loader().load(`${url}/jwks.json?token=secret`)
    expect(set.signingKey().kid).toBe('k1')
    expect(set.url).toBe(`${server.url}/jwks.json`)
    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('user:p@ss').toString('base64')}`)
  })

  it('is asked for again after a fault, a bounded number of times', async () => {
    const text = await jwksText('k1')
    let answers = 0
    await using server = await startServer((_request, response) => {
      answers++
      if (answers < 3) response.writeHead(503).end()
      else response.end(text)
    })
    expect((await loader().load(server.url)).signingKey().kid).toBe('k1')
    await using broken = await startServer((_request, response) => response.writeHead(500).end())
    expect((await loader().load(broken.url)).problem).toBe('answered with status 500')
    expect(broken.requests).toHaveLength(3)
  })

  it('that is refused is not asked for again', async () => {
    await using server = await startServer((_request, response) => response.writeHead(404).end())
    expect((await loader().load(server.url)).problem).toBe('answered with status 404')
    expect(server.requests).toHaveLength(1)
  })

  it('that is too large is not read to its end', async () => {
    await using server = await startServer((_request, response) => response.end('x'.repeat(2 * 1024 * 1024)))
    expect((await loader().load(server.url)).problem).toMatch(/larger than/)
  })

  it('of nobody says so', async () => {
    expect(
      (await loader({ fetch: () => Promise.reject(new Error('refused')) }).load('http://127.0.0.1:1/')).problem,
    ).toBe('could not be fetched')
  })

  it('is noticed when it changes, and only then', async () => {
    let text = await jwksText('k1')
    let status = 200
    await using server = await startServer((_request, response) => response.writeHead(status).end(text))
    const keySets = loader()
    await keySets.load(server.url)
    expect(await keySets.changed()).toBe(false)
    status = 500
    expect(await keySets.changed()).toBe(false)
    status = 200
    text = await jwksText('k2')
    expect(await keySets.changed()).toBe(true)
  })
})

it('an unknown scheme is named, with those that are known', async () => {
  expect((await loader().load('s3://bucket/jwks.json')).problem).toBe(
    'unsupported scheme "s3"; use file://, base64://, http:// or https://',
  )
})

describe('after a reload', () => {
  it('a set that went bad is the old one still', async () => {
    const file = path.join(folder, 'jwks.json')
    await writeFile(file, await jwksText('k1'))
    const first = loader()
    await first.load(file)
    await writeFile(file, '{"keys": [')
    const second = loader({ previous: first.sets })
    expect((await second.load(file)).signingKey().kid).toBe('k1')
    expect(second.kept).toEqual([{ url: file, problem: expect.stringContaining(`${file}: is not JSON`) as unknown }])
    await rm(file)
    const third = loader({ previous: second.sets })
    expect((await third.load(file)).signingKey().kid).toBe('k1')
    await writeFile(file, await jwksText('k2'))
    expect((await loader({ previous: third.sets }).load(file)).signingKey().kid).toBe('k2')
  })

  it('a set that was bad stays so', async () => {
    const first = loader()
    await first.load(path.join(folder, 'missing.json'))
    const second = loader({ previous: first.sets })
    expect((await second.load(path.join(folder, 'missing.json'))).problem).toBe('the file does not exist')
  })
})
