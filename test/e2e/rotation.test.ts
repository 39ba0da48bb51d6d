/**
 * Keys are rotated fully through while requests go on, with a real PostgREST that reads the public keys from a file and a
 * verifier that fetches them now and then.
 */
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose'
import { expect, it } from 'vitest'
import { cli, folder } from '../cli/run.ts'
import { startGateway } from '../support/gateway.ts'
import { startDatabase } from '../support/postgrest.ts'

/** For which a new key is published before it signs, and an old one after its last token: as long as a busy machine takes. */
const LEAD = '4s'
const SKEW = '3s'

it('rotates twice under load without a refused request', { timeout: 120_000 }, async () => {
  await using database = await startDatabase()
  const { work } = database
  const keys = path.join(work, 'id_token.json')
  const exported = path.join(work, 'public.jwks.json')
  const pidFile = path.join(work, 'postgrest.pid')
  await generate(keys, exported)
  const { fill } = database.postgres
  const databaseUri = await fill([{ owner: subject, text: 'The first note' }])
  const postgrest = await database.servePostgrest(databaseUri, exported)
  await writeFile(pidFile, `${postgrest.pid}\n`)

  await using gateway = await startGateway({
    watchInterval: 200,
    config: {
      ...gatewayConfig({ jwks_url: `file://${keys}`, ttl: '3s' }),
      jwks: { export: { file: exported, signal: 'SIGUSR2', pid_file: pidFile } },
    },
    rules: [rule(postgrest.url)],
  })

  const load = startLoad(`${gateway.proxy}/notes`)
  const verifier = startVerifier(gateway.api)
  const [first = ''] = kidsIn(exported)
  const signed = [first]
  for (let rotation = 0; rotation < 2; rotation++) {
    const old = signed.at(-1)
    expect(await kidOfToken(gateway.api)).toBe(old)
    await rotate(keys, gateway.directory)
    await expect.poll(() => kidsIn(exported), { timeout: 20_000 }).toHaveLength(2)
    const next = kidsIn(exported).find((kid) => kid !== old) ?? ''
    await expect.poll(() => kidOfToken(gateway.api), { timeout: 30_000, interval: 100 }).toBe(next)
    // The old one has retired, and is there as long as its tokens are.
    expect(kidsIn(exported)).toContain(old)
    await expect.poll(() => kidsIn(exported), { timeout: 30_000, interval: 100 }).toEqual([next])
    signed.push(next)
  }
  const { answered, refused } = await load.stop()
  const { verified, failures } = await verifier.stop()

  expect(refused).toEqual([])
  expect(answered).toBeGreaterThan(100)
  expect(failures).toEqual([])
  expect(verified).toBeGreaterThan(20)
  expect(new Set(signed).size).toBe(3)
})

it('signs nothing with a key that has become known, as soon as it is gone', async () => {
  using files = folder()
  const keys = files.file('id_token.json')
  await generate(keys, files.file('public.jwks.json'))
  await using gateway = await startGateway({
    watchInterval: 50,
    config: gatewayConfig({ jwks_url: `file://${keys}`, ttl: '1h' }),
    rules: [rule('http://127.0.0.1:9')],
  })
  const known = await kidOfToken(gateway.api)
  expect(await kidOfToken(gateway.api)).toBe(known)
  const { exitCode } = await cli(['jwks', 'rotate', keys, '--compromised'])
  expect(exitCode).toBe(0)

  const published = async (): Promise<unknown> => {
    const response = await fetch(`${gateway.api}/.well-known/jwks.json`)
    expect(response.headers.get('cache-control')).toBe('public, max-age=300')
    return ((await response.json()) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid)
  }
  await expect.poll(published).not.toContain(known)
  const fresh = await kidOfToken(gateway.api)
  expect(fresh).not.toBe(known)
  expect(await published()).toEqual([fresh])
  expect(gateway.log.filter((line) => line.includes('was not published before'))).toHaveLength(1)
})

const subject = '11111111-1111-4111-8111-111111111111'

const gatewayConfig = (signs: object): object => ({
  profile: 'secure',
  safeguards: { token_backdate: 0 },
  authenticators: { anonymous: { enabled: true, config: { subject } } },
  authorizers: { allow: { enabled: true } },
  mutators: {
    id_token: {
      enabled: true,
      config: {
        issuer_url: 'https://gateway.example/',
        claims: { aud: 'postgrest', role: 'authenticated' },
        ...signs,
      },
    },
  },
})

const rule = (url: string): object => ({
  id: 'notes',
  match: { url: 'http://127.0.0.1:<[0-9]+>/notes', methods: ['GET', 'POST'] },
  authenticators: [{ handler: 'anonymous' }],
  authorizer: { handler: 'allow' },
  mutators: [{ handler: 'id_token' }],
  upstream: { url },
})

async function generate(keys: string, exported: string): Promise<void> {
  const result = await cli(['jwks', 'generate', '--out', keys, '--public-out', exported])
  expect(result.exitCode).toBe(0)
}

async function rotate(keys: string, directory: string): Promise<void> {
  const config = path.join(directory, 'config.json')
  const result = await cli(['jwks', 'rotate', keys, '-c', config, '--lead', LEAD, '--skew', SKEW])
  expect(result).toMatchObject({ exitCode: 0, out: expect.stringContaining('Added ') })
}

/** That a request gets now. */
async function tokenNow(api: string): Promise<string> {
  const response = await fetch(`${api}/decisions/notes`)
  return response.headers.get('authorization')?.replace('Bearer ', '') ?? ''
}

const kidOfToken = async (api: string): Promise<string | undefined> => decodeProtectedHeader(await tokenNow(api)).kid

interface Verifier {
  stop(): Promise<{ readonly verified: number; readonly failures: readonly string[] }>
}

/** Reads the keys anew when they are so old, as Hasura does by `max-age`, and never for a kid that it does not know. */
const MAX_AGE = 1000

function startVerifier(api: string): Verifier {
  const stopped = new AbortController()
  const failures: string[] = []
  let verified = 0
  const running = (async () => {
    let keys: ReturnType<typeof createLocalJWKSet> | undefined
    let readAt = 0
    while (!stopped.signal.aborted) {
      const token = await tokenNow(api)
      if (keys === undefined || Date.now() - readAt > MAX_AGE) {
        const response = await fetch(`${api}/.well-known/jwks.json`)
        keys = createLocalJWKSet((await response.json()) as JSONWebKeySet)
        readAt = Date.now()
      }
      await jwtVerify(token, keys, { clockTolerance: 5 }).then(
        () => verified++,
        (error: unknown) => failures.push(String(error)),
      )
      await wait(50)
    }
  })()
  return {
    async stop() {
      stopped.abort()
      await running
      return { verified, failures }
    },
  }
}

const kidsIn = (file: string): readonly string[] =>
  (JSON.parse(readFileSync(file, 'utf8')) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid)

interface Load {
  stop(): Promise<{ readonly answered: number; readonly refused: readonly string[] }>
}

/** Reads, and now and then writes, from four clients at once. */
function startLoad(url: string): Load {
  const stopped = new AbortController()
  let answered = 0
  const refused: string[] = []
  const client = async (): Promise<void> => {
    for (let turn = 0; !stopped.signal.aborted; turn++) {
      const write = turn % 10 === 9
      const response = await fetch(url, {
        method: write ? 'POST' : 'GET',
        ...(write && {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ text: `note ${turn}` }),
        }),
      })
      const text = await response.text()
      if (response.ok) answered++
      else refused.push(`${response.status} ${text}`)
      await wait(20)
    }
  }
  const clients = Array.from({ length: 4 }, client)
  return {
    async stop() {
      stopped.abort()
      await Promise.all(clients)
      return { answered, refused }
    },
  }
}
