import { readdirSync, readFileSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { cli, folder } from './run.ts'

const json = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'))
const generate = (...args: readonly string[]) => cli(['credentials', 'generate', '--alg', 'ES256', ...args])

describe('credentials generate', () => {
  it('writes the private half for its owner only, and the public half for everybody', async () => {
    using files = folder()
    const [key, half] = [files.file('key.json'), files.file('public.json')]
    const result = await generate('--kid', 'first', '--out', key, '--public-out', half)
    expect(result).toEqual({ exitCode: 0, out: '', err: `Wrote ${key}.\nWrote ${half}.\n` })
    expect(json(key)).toMatchObject({ keys: [{ kid: 'first', d: expect.any(String) }] })
    expect(json(half)).toEqual({
      keys: [
        {
          kid: 'first',
          alg: 'ES256',
          use: 'sig',
          kty: 'EC',
          crv: 'P-256',
          x: expect.any(String),
          y: expect.any(String),
        },
      ],
    })
    expect(statSync(key).mode & 0o777).toBe(0o600)
    expect(statSync(half).mode & 0o444).toBe(0o444)
    expect(readdirSync(files.path)).toEqual(['key.json', 'public.json'])
  })

  it('never overwrites a key', async () => {
    using files = folder()
    const key = files.write('key.json', 'precious')
    const result = await generate('--out', key)
    expect(result).toMatchObject({ exitCode: 1, out: '' })
    expect(result.err).toContain(`${key} exists`)
    expect(readFileSync(key, 'utf8')).toBe('precious')
    expect(readdirSync(files.path)).toEqual(['key.json'])
  })

  it('goes on with the key that is there when told to', async () => {
    using files = folder()
    const [key, half] = [files.file('key.json'), files.file('public.json')]
    await generate('--kid', 'first', '--out', key)
    const before = readFileSync(key, 'utf8')
    const result = await generate('--kid', 'second', '--out', key, '--keep', '--public-out', half)
    expect(result).toMatchObject({ exitCode: 0, err: `Kept ${key}.\nWrote ${half}.\n` })
    expect(readFileSync(key, 'utf8')).toBe(before)
    expect(json(half)).toMatchObject({ keys: [{ kid: 'first' }] })
  })

  it.each([
    ['not JSON', '{"keys": "secret-of-mine'],
    ['no key set', { secret: 'secret-of-mine' }],
    ['a damaged key', { keys: [{ kty: 'EC', crv: 'P-256', d: 'secret-of-mine' }] }],
  ])('does not go on with a file that is %s, and does not quote it', async (_, content) => {
    using files = folder()
    const result = await generate('--out', files.write('key.json', content), '--keep', '--public-out', files.file('p'))
    expect(result.exitCode).toBe(1)
    expect(result.err).not.toContain('secret-of-mine')
    expect(readdirSync(files.path)).toEqual(['key.json'])
  })

  it('has no public half of a symmetric key', async () => {
    using files = folder()
    const result = await cli(['credentials', 'generate', '--alg', 'HS256', '--public-out', files.file('public.json')])
    expect(result).toMatchObject({ exitCode: 1, out: '', err: expect.stringContaining('no public half') })
    expect(readdirSync(files.path)).toEqual([])
  })

  it('says which file cannot be written', async () => {
    using files = folder()
    const [key, half] = [files.file('missing/key.json'), files.file('missing/public.json')]
    expect((await generate('--out', key)).err).toBe(`error: ${key} cannot be written (ENOENT).\n`)
    expect((await generate('--public-out', half)).err).toBe(`error: ${half} cannot be written (ENOENT).\n`)
  })

  it('keeps nothing without a file', async () => {
    expect(await generate('--keep')).toEqual({ exitCode: 2, out: '', err: 'error: --keep needs --out.\n' })
  })
})
