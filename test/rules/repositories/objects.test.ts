import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadRepositories, type LoadedRepositories } from '../../../src/rules/repositories/load.ts'
import { pollRepositories } from '../../../src/rules/repositories/poll.ts'
import type { ReadOptions } from '../../../src/rules/repositories/read.ts'
import { startObjectStorage, type ObjectStorage } from '../../support/object_storage.ts'
import { soundRule } from '../documents.ts'

let storage: ObjectStorage
beforeEach(async () => {
  storage = await startObjectStorage()
  // Whatever the machine knows of clouds is not asked.
  for (const name of ['AWS_PROFILE', 'AWS_ENDPOINT_URL', 'STORAGE_EMULATOR_HOST']) vi.stubEnv(name, undefined)
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  vi.stubEnv('AWS_CONFIG_FILE', '/dev/null')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await storage[Symbol.asyncDispose]()
})

const rulesText = (...ids: readonly string[]): string => JSON.stringify(ids.map((id) => ({ ...soundRule, id })))
const ids = ({ rules }: LoadedRepositories): readonly string[] => rules.map(({ rule }) => rule.id)
const told = ({ problems }: LoadedRepositories): readonly string[] =>
  problems.map(({ severity, message, hint }) => `${severity}: ${message}${hint === undefined ? '' : ` | ${hint}`}`)

const azureKey = Buffer.from('a key of an account').toString('base64')
const azureEnv = { AZURE_STORAGE_ACCOUNT: 'account', AZURE_STORAGE_KEY: azureKey }

/** The three services, each with the URL of one object and what a reading of it looks like to the server. */
const services = [
  {
    scheme: 's3',
    package: '@aws-sdk/client-s3',
    url: () =>
      `s3://bucket/team/my%20rules.json?region=eu-central-1&anonymous=true&use_path_style=true&endpoint=${storage.url}`,
    name: 's3://bucket/team/my rules.json',
    read: ['GET /bucket/team/my rules.json 200'],
    unchanged: ['GET /bucket/team/my rules.json 304'],
  },
  {
    scheme: 'gs',
    package: '@google-cloud/storage',
    url: () => `gs://bucket/team/my%20rules.json?anonymous=true&endpoint=${storage.url}`,
    name: 'gs://bucket/team/my rules.json',
    read: [
      'GET /storage/v1/b/bucket/o/team%2Fmy rules.json 200',
      'GET /storage/v1/b/bucket/o/team%2Fmy rules.json 200',
    ],
    unchanged: ['GET /storage/v1/b/bucket/o/team%2Fmy rules.json 200'],
  },
  {
    scheme: 'azblob',
    package: '@azure/storage-blob',
    url: () => `azblob://bucket/team/my%20rules.json?localemu=true&domain=${storage.host}`,
    name: 'azblob://bucket/team/my rules.json',
    read: ['GET /account/bucket/team/my rules.json 200'],
    unchanged: ['GET /account/bucket/team/my rules.json 304'],
  },
]

function load(url: string, options: ReadOptions & { previous?: LoadedRepositories } = {}): Promise<LoadedRepositories> {
  return loadRepositories([url], { missing: 'warn', retryDelay: 1, env: azureEnv, ...options })
}

describe.each(services)('$scheme', ({ scheme, package: packageName, url, name, read, unchanged }) => {
  it('reads the object, and again only when it has changed', async () => {
    storage.objects.set('bucket/team/my rules.json', rulesText('a'))
    const first = await load(url())
    expect(told(first)).toEqual([])
    expect(ids(first)).toEqual(['a'])
    expect(storage.log).toEqual(read)

    const second = await load(url(), { previous: first })
    expect(ids(second)).toEqual(['a'])
    expect(storage.log).toEqual([...read, ...unchanged])

    storage.objects.set('bucket/team/my rules.json', rulesText('a', 'b'))
    expect(ids(await load(url(), { previous: second }))).toEqual(['a', 'b'])
  })

  it('is polled', async () => {
    storage.objects.set('bucket/team/my rules.json', rulesText('a'))
    let current = await load(url())
    const changed = Promise.withResolvers<void>()
    const asked = storage.log.length
    const poll = pollRepositories({
      interval: 1,
      current: () => current,
      async onChange() {
        current = await load(url(), { previous: current })
        changed.resolve()
      },
      onProblem: ({ message }) => changed.reject(new Error(message)),
    })
    await vi.waitFor(() => expect(storage.log.length).toBeGreaterThan(asked), 10_000)
    expect(ids(current)).toEqual(['a'])
    storage.objects.set('bucket/team/my rules.json', rulesText('b'))
    await changed.promise
    poll.close()
    expect(ids(current)).toEqual(['b'])
  })

  it('says what is wrong, and keeps the previous rules', async () => {
    storage.objects.set('bucket/team/my rules.json', rulesText('a'))
    const good = await load(url())
    storage.objects.clear()
    expect(told(await load(url()))).toEqual([`error: ${name} does not exist`])
    const kept = await load(url(), { previous: good })
    expect(ids(kept)).toEqual(['a'])
    expect(told(kept)).toEqual([`warning: ${name} does not exist; the previous rules stay in force`])
    storage.failWith = 403
    expect(told(await load(url()))).toEqual([
      `error: ${name} may not be read (status 403) | Check the credentials and what they are allowed to.`,
    ])
  })

  it('tries again when the service is in trouble', async () => {
    storage.failWith = 503
    expect(told(await load(url(), { retries: 2 }))).toEqual([`error: ${name}: expected status code 200 but got 503`])
    expect(storage.log).toHaveLength(3)
  })

  it('says that the service cannot be reached', async () => {
    const before = url()
    await storage[Symbol.asyncDispose]()
    expect(told(await load(before, { retries: 0 }))).toEqual([`error: ${name} cannot be reached (ECONNREFUSED)`])
    storage = await startObjectStorage()
  })

  it('refuses an object that is too large', async () => {
    storage.objects.set('bucket/team/my rules.json', ' '.repeat(5 * 1024 * 1024 + 1))
    expect(told(await load(url()))).toEqual([`error: ${name} sent more than 5242880 bytes`])
  })

  it('names the package that is not installed', async () => {
    const importPackage = (wanted: string): Promise<unknown> =>
      Promise.reject(Object.assign(new Error(`Cannot find package '${wanted}'`), { code: 'ERR_MODULE_NOT_FOUND' }))
    expect(told(await load(url(), { importPackage }))).toEqual([
      `error: ${name} needs the package ${packageName}, which is not installed | npm install ${packageName}`,
    ])
  })

  it('takes bucket and object from the URL, and no credentials', async () => {
    const refusal = async (text: string): Promise<string> => told(await load(text)).join()
    expect(await refusal(`${scheme}://bucket`)).toContain('names no object')
    expect(await refusal(`${scheme}:///key`)).toContain('names no object')
    const secret = await refusal(`${scheme}://user:hunter2@bucket/key`)
    expect(secret).toContain('has credentials in its URL')
    expect(secret).not.toContain('hunter2')
  })

  it('warns of parameters that nobody reads', async () => {
    storage.objects.set('bucket/team/my rules.json', rulesText('a'))
    const loaded = await load(`${url()}&regoin=x`)
    expect(ids(loaded)).toEqual(['a'])
    expect(told(loaded)).toEqual([`warning: ${name}: unknown parameters are ignored: regoin`])
  })
})

describe('credentials', () => {
  it('s3: sign the request, and never show', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'hunter2-secret')
    storage.objects.set('bucket/rules.json', rulesText('a'))
    const url = `s3://bucket/rules.json?region=eu-central-1&s3ForcePathStyle=true&disable_https=true&endpoint=${storage.host}`
    expect(ids(await load(url))).toEqual(['a'])
    expect(storage.lastHeaders()['authorization']).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/.*eu-central-1\/s3/,
    )
    storage.failWith = 400
    const problems = told(await load(url)).join()
    expect(problems).toContain('expected status code 200 but got 400')
    expect(problems).not.toMatch(/hunter2|AKID|secret/)
  })

  it('s3: says when there are none, or no region', async () => {
    vi.stubEnv('AWS_REGION', undefined)
    const url = `s3://bucket/rules.json?use_path_style=true&endpoint=${storage.url}`
    expect(told(await load(url, { retries: 0 })).join()).toMatch(/There are no credentials for|has no region/)
    expect(told(await load(`${url}&anonymous=true`)).join()).toContain('has no region | Add ?region=')
    expect(told(await load(`${url}&region=eu-central-1`, { retries: 0 })).join()).toContain(
      'There are no credentials for s3://bucket/rules.json',
    )
  })

  const azureUrl = (): string => `azblob://bucket/rules.json?localemu=true&domain=${storage.host}`

  it.each([
    ['key', () => azureEnv, /^SharedKey account:/],
    [
      'SAS token',
      () => ({ AZURE_STORAGE_ACCOUNT: 'account', AZURE_STORAGE_SAS_TOKEN: '?sv=2025&sig=hunter2' }),
      /^none$/,
    ],
    [
      'connection string',
      () => ({
        AZURE_STORAGE_CONNECTION_STRING: `DefaultEndpointsProtocol=http;AccountName=account;AccountKey=${azureKey};BlobEndpoint=${storage.url}/account;`,
      }),
      /^SharedKey account:/,
    ],
  ])('azblob: by %s', async (_, env, authorization) => {
    storage.objects.set('bucket/rules.json', rulesText('a'))
    const loaded = await load(azureUrl(), { env: env() })
    expect(told(loaded)).toEqual([])
    expect(ids(loaded)).toEqual(['a'])
    expect(storage.lastHeaders()['authorization'] ?? 'none').toMatch(authorization)
    storage.failWith = 400
    expect(told(await load(azureUrl(), { env: env() })).join()).not.toContain('hunter2')
  })

  it('azblob: says which settings are missing or wrong, without their values', async () => {
    // As on a machine without the optional package for identities.
    const importPackage = (name: string): Promise<unknown> =>
      name === '@azure/identity'
        ? Promise.reject(Object.assign(new Error(`Cannot find package '${name}'`), { code: 'ERR_MODULE_NOT_FOUND' }))
        : import(name)
    const problems = async (env: Record<string, string>): Promise<string> =>
      told(await load(azureUrl(), { env, importPackage })).join()
    expect(await problems({})).toContain('has no storage account')
    expect(await problems({ AZURE_STORAGE_ACCOUNT: 'account' })).toContain(
      'There are no credentials for azblob://bucket/rules.json',
    )
    const wrong = await problems({ AZURE_STORAGE_CONNECTION_STRING: 'AccountKey=hunter2' })
    expect(wrong).toContain('The Azure settings for azblob://bucket/rules.json are not valid')
    expect(wrong).not.toContain('hunter2')
  })

  it('gs: says when there are none', async () => {
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', undefined)
    vi.stubEnv('HOME', '/nonexistent')
    vi.stubEnv('METADATA_SERVER_DETECTION', 'none')
    // Without any the client asks all the same, and tells of them only when that is refused.
    storage.failWith = 401
    const loaded = await load(`gs://bucket/rules.json?endpoint=${storage.url}`, { retries: 0 })
    expect(told(loaded).join()).toContain('There are no credentials for gs://bucket/rules.json')
  })
})
