import { chmodSync, lstatSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { algorithms } from '../../src/tokens/algorithms.ts'
import { cli, folder, writeGateway, type Folder } from './run.ts'

const start = new Date('2026-11-22T12:00:00Z')

/** Moves the clock alone: no timer is held up. */
beforeEach(() => {
  vi.useFakeTimers({ now: start, toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})
const minutesLater = (minutes: number): void => {
  vi.setSystemTime(start.getTime() + minutes * 60_000)
}

interface KeySetJson {
  readonly keys: readonly (JWK & { readonly iat?: number; readonly nbf?: number; readonly exp?: number })[]
}
const json = (file: string): KeySetJson => JSON.parse(readFileSync(file, 'utf8')) as KeySetJson
const jwks = (...args: readonly string[]) => cli(['jwks', ...args])
const generated = async (into: Folder, kid = 'first'): Promise<string> => {
  const file = into.file('key.json')
  expect((await jwks('generate', '--kid', kid, '--out', file)).exitCode).toBe(0)
  return file
}
const golden = (name: string): string => new URL(`golden/${name}.txt`, import.meta.url).pathname

describe('jwks generate', () => {
  it.each([...algorithms.keys()])('makes a key for %s that is called by its thumbprint', async (alg) => {
    const { exitCode, out } = await jwks('generate', '--alg', alg)
    expect(exitCode).toBe(0)
    const [key] = (JSON.parse(out) as KeySetJson).keys
    expect(key).toMatchObject({ alg, use: 'sig', iat: start.getTime() / 1000 })
    expect(key?.kid).toBe(await calculateJwkThumbprint(key as JWK))
  })

  it('writes the private half for its owner only, and never overwrites it', async () => {
    using files = folder()
    const file = await generated(files)
    const before = readFileSync(file, 'utf8')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const again = await jwks('generate', '--out', file)
    expect(again).toMatchObject({ exitCode: 1, out: '', err: expect.stringContaining(`${file} exists`) })
    expect(readFileSync(file, 'utf8')).toBe(before)
    expect(readdirSync(files.path)).toEqual(['key.json'])
  })
})

describe('jwks rotate', () => {
  it('takes a set through a whole rotation, run whenever', async () => {
    using files = folder()
    const file = await generated(files)
    const told: string[] = []
    const run = async (...args: readonly string[]): Promise<void> => {
      const result = await jwks(...args)
      expect(result.exitCode).toBe(0)
      const words = `${result.err}${result.out}`.replaceAll(files.path, '')
      told.push(`$ mintkeeper jwks ${args.join(' ').replaceAll(files.path, '')}\n${words}`)
    }
    minutesLater(60)
    await run('rotate', file, '--ttl', '15m', '--dry-run', '--kid', 'second')
    await run('rotate', file, '--ttl', '15m', '--kid', 'second')
    minutesLater(65)
    await run('rotate', file)
    await run('list', file)
    minutesLater(71)
    await run('list', file)
    minutesLater(90)
    await run('rotate', file, '--every', '2160h')
    await run('list', file)
    await expect(told.join('\n')).toMatchFileSnapshot(golden('jwks-rotate'))
  })

  it('shows the times as data', async () => {
    using files = folder()
    const file = await generated(files)
    await jwks('rotate', file, '--kid', 'second', '--ttl', '15m')
    const { out } = await jwks('list', file, '--format', 'json')
    expect(JSON.parse(out)).toEqual({
      key_sets: [
        {
          url: file,
          changes_at: '2026-11-22T12:10:00Z',
          keys: [
            { kid: 'second', kty: 'EC', alg: 'ES256', state: 'next', signs_from: '2026-11-22T12:10:00Z' },
            {
              kid: 'first',
              kty: 'EC',
              alg: 'ES256',
              state: 'signing',
              signs_from: '2026-11-22T12:00:00Z',
              published_until: '2026-11-22T12:26:00Z',
            },
          ],
        },
      ],
    })
  })

  it('keeps mode, link and what else the file says, and leaves nothing beside it', async () => {
    using files = folder()
    const file = await generated(files)
    chmodSync(file, 0o640)
    const link = files.file('link.json')
    symlinkSync(file, link)
    expect((await jwks('rotate', link, '--kid', 'second')).exitCode).toBe(0)
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(realpathSync(link)).toBe(realpathSync(file))
    expect(statSync(file).mode & 0o777).toBe(0o640)
    expect(json(file).keys.map(({ kid }) => kid)).toEqual(['second', 'first'])
    expect(readdirSync(files.path).toSorted()).toEqual(['key.json', 'link.json'])

    const single = files.write('single.json', { ...json(file).keys[1], exp: undefined })
    const named = files.write('named.json', { keys: [json(single)], set: 'mine' })
    await jwks('rotate', single)
    await jwks('rotate', named)
    expect(json(single).keys).toHaveLength(2)
    expect(json(named)).toMatchObject({ set: 'mine' })
  })

  it('takes the lifetime of tokens from the config', async () => {
    using files = folder()
    const file = await generated(files)
    const config = writeSigningGateway(files, file, '2h')
    await jwks('rotate', file, '-c', config)
    expect(json(file).keys[1]?.exp).toBe(start.getTime() / 1000 + 10 * 60 + 2 * 3600 + 60)

    const other = files.write('other.json', json(file))
    expect(await jwks('rotate', other, '-c', config)).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining(`The config signs nothing with ${other}.`),
    })
  })

  it('warns of a lead that verifiers do not look at the set in', async () => {
    using files = folder()
    const { err } = await jwks('rotate', await generated(files), '--lead', '1m')
    expect(err).toBe('Verifiers may keep the old set for 300 s, and --lead is shorter than that.\n')
  })

  it('replaces all keys at once when one has become known', async () => {
    using files = folder()
    const file = await generated(files)
    await jwks('rotate', file, '--kid', 'second')
    const { exitCode, out } = await jwks('rotate', file, '--compromised', '--kid', 'third')
    expect({ exitCode, out }).toEqual({
      exitCode: 0,
      out:
        'Removed second: tokens that it signed are refused as soon as verifiers have seen the new set.\n' +
        'Removed first: tokens that it signed are refused as soon as verifiers have seen the new set.\n' +
        'Added third (ES256): signs from now on.\n',
    })
    expect((await jwks('list', file)).out).toBe(`${file}\n  third (ES256) signs since 2026-11-22T12:00:00Z\n`)
  })

  it('writes the public halves as well', async () => {
    using files = folder()
    const half = files.file('public.json')
    await jwks('rotate', await generated(files), '--kid', 'second', '--public-out', half)
    expect(json(half).keys.map((key) => [key.kid, 'd' in key, 'nbf' in key])).toEqual([
      ['second', false, false],
      ['first', false, false],
    ])
  })

  it.each([
    ['no file', [], 2],
    ['a lead that is no duration', ['--lead', 'soon'], 2],
    ['an unknown algorithm', ['--alg', 'none'], 1],
  ])('refuses %s and changes nothing', async (name, args, exitCode) => {
    using files = folder()
    const file = await generated(files)
    const before = readFileSync(file, 'utf8')
    const result = await jwks('rotate', ...(name === 'no file' ? [] : [file]), ...args)
    expect(result).toMatchObject({ exitCode, out: '' })
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  it.each([
    ['not JSON', '{"keys": "secret-of-mine'],
    ['no key set', { secret: 'secret-of-mine' }],
    ['a damaged key', { keys: [{ kty: 'EC', crv: 'P-256', d: 'secret-of-mine' }] }],
  ])('does not quote a file that is %s', async (_, content) => {
    using files = folder()
    const file = files.write('key.json', content)
    for (const command of ['rotate', 'public', 'list']) {
      const { exitCode, out, err } = await jwks(command, file)
      expect(exitCode).toBe(1)
      expect(out + err).not.toContain('secret-of-mine')
    }
  })
})

describe('jwks public', () => {
  it('prints the public halves of what is published now', async () => {
    using files = folder()
    const file = await generated(files)
    await jwks('rotate', file, '--kid', 'second', '--ttl', '15m')
    minutesLater(30)
    const { out } = await jwks('public', file)
    const { keys } = JSON.parse(out) as KeySetJson
    expect(keys).toEqual([
      {
        kty: 'EC',
        kid: 'second',
        alg: 'ES256',
        use: 'sig',
        crv: 'P-256',
        x: expect.any(String),
        y: expect.any(String),
      },
    ])
  })

  it('puts several sets together, into a file', async () => {
    using files = folder()
    const [one, two] = [files.file('one.json'), files.file('two.json')]
    await jwks('generate', '--kid', 'one', '--out', one)
    await jwks('generate', '--kid', 'two', '--alg', 'EdDSA', '--out', two)
    const out = files.file('public.json')
    expect(await jwks('public', one, two, '--out', out)).toEqual({ exitCode: 0, out: '', err: `Wrote ${out}.\n` })
    expect(json(out).keys.map(({ kid }) => kid)).toEqual(['one', 'two'])
  })

  it('has none of a symmetric key', async () => {
    using files = folder()
    const file = files.file('key.json')
    await jwks('generate', '--alg', 'HS256', '--out', file)
    expect(await jwks('public', file)).toMatchObject({
      exitCode: 1,
      out: '',
      err: expect.stringContaining('no public half'),
    })
  })
})

describe('jwks list and validate', () => {
  it('show the sets of a config, and what is wrong with their times', async () => {
    using files = folder()
    const file = await generated(files)
    await jwks('rotate', file, '--kid', 'second', '--ttl', '5m')
    const config = writeSigningGateway(files, file, '15m')
    const lines =
      `file://${file}\n` +
      '  second (ES256) is published, and signs from 2026-11-22T12:10:00Z\n' +
      '  first (ES256) signs since 2026-11-22T12:00:00Z, published until 2026-11-22T12:16:00Z\n'
    expect((await jwks('list', '-c', config)).out).toBe(lines)
    const report = await cli(['validate', '-c', config])
    expect(report.exitCode).toBe(0)
    expect(report.out).toContain(lines.replaceAll(/^/gm, '  ').trimEnd())
    expect(report.err).toContain(
      'The key "first" is published until 2026-11-22T12:16:00.000Z, and its last token is valid until ' +
        '2026-11-22T12:25:00.000Z: verifiers would refuse it',
    )
    const data = JSON.parse((await cli(['validate', '-c', config, '--format', 'json'])).out) as object
    expect(data).toMatchObject({ key_sets: [{ keys: [{ state: 'next' }, { state: 'signing' }] }] })
  })

  it('say when there is nothing to look at', async () => {
    expect(await jwks('list')).toMatchObject({ exitCode: 2, err: expect.stringContaining('There is no config') })
    expect(await jwks('list', '/nonexistent.json')).toMatchObject({
      exitCode: 1,
      err: 'error: /nonexistent.json does not exist.\n  Make one with `mintkeeper jwks generate --out /nonexistent.json`.\n',
    })
  })
})

describe('the export of public keys', () => {
  const validated = async (files: Folder, exported: object) => {
    const file = await generated(files)
    const config = writeSigningGateway(files, file, '15m', { jwks: { export: exported } })
    return cli(['validate', '-c', config])
  }

  it('never goes to a file that private keys come from', async () => {
    using files = folder()
    symlinkSync(files.file('key.json'), files.file('link.json'))
    for (const name of ['key.json', 'link.json']) {
      const { exitCode, err } = await validated(files, { file: files.file(name) })
      expect(exitCode).toBe(1)
      expect(err).toContain('the public halves would overwrite them')
      rmSync(files.file('key.json'))
    }
  })

  it.each<readonly [string, object, string]>([
    ['into a folder that is not there', { file: '/nonexistent/public.json' }, 'jwks.export.file does not exist'],
    ['with a signal for nobody', { file: 'x.json', signal: 'SIGUSR2' }, 'must have both signal and pid_file'],
    ['with an unknown signal', { file: 'x.json', signal: 'SIGKILL', pid_file: 'x' }, 'SIGUSR2'],
    ['with a command without a program', { file: 'x.json', command: [] }, 'command'],
  ])('is refused at load %s', async (_, exported, message) => {
    using files = folder()
    const { exitCode, err } = await validated(files, exported)
    expect(exitCode).toBe(1)
    expect(err).toContain(message)
  })

  it('may go anywhere else', async () => {
    using files = folder()
    expect(await validated(files, { file: files.file('public.json') })).toMatchObject({ exitCode: 0, err: '' })
  })
})

/** A gateway with a rule whose tokens are signed with this file. */
function writeSigningGateway(files: Folder, file: string, ttl: string, more: object = {}): string {
  const signs = { issuer_url: 'https://gateway.example/', jwks_url: `file://${file}`, ttl }
  const config = writeGateway(files, { mutators: { id_token: { enabled: true, config: signs } }, ...more })
  files.write('rules.yaml', [
    {
      id: 'signed',
      match: { url: 'http://app.example/signed', methods: ['GET'] },
      authenticators: [{ handler: 'anonymous' }],
      authorizer: { handler: 'allow' },
      mutators: [{ handler: 'id_token' }],
      upstream: { url: 'http://127.0.0.1:9' },
    },
  ])
  return config
}
