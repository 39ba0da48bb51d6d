import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { JWK } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createKeyExport, type KeyExport } from '../../src/tokens/key_export.ts'

const key = (kid: string): JWK => ({ kty: 'EC', kid, crv: 'P-256', x: 'AA', y: 'AA' })

let folder: string
let file: string
let log: string[]
let keyExport: KeyExport

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mintkeeper-export-'))
  file = path.join(folder, 'public.jwks.json')
  log = []
  const write = (fields: object, message: string): void => {
    log.push(`${message}: ${JSON.stringify(fields)}`)
  }
  keyExport = createKeyExport({ info: write, error: write }, 20)
})
afterEach(() => {
  keyExport.close()
  rmSync(folder, { recursive: true })
})

const json = (name: string): unknown => JSON.parse(readFileSync(name, 'utf8'))
const at = (name: string): string => path.join(folder, name)
/** A program that appends a line to a file. */
const note = (name: string): readonly string[] => ['sh', '-c', `echo "$0" >> ${at(name)}`, 'changed']

describe('the export of public keys', () => {
  it('writes a file that everybody may read, and nothing else', async () => {
    await keyExport.update({ file }, [key('a')])
    expect(json(file)).toEqual({ keys: [key('a')] })
    expect(statSync(file).mode & 0o444).toBe(0o444)
    expect(readdirSync(folder)).toEqual(['public.jwks.json'])
  })

  it('tells of a change, and of nothing else', async () => {
    const settings = { file, command: note('told') }
    await keyExport.update(settings, [key('a')])
    await expect.poll(() => existsSync(at('told'))).toBe(true)
    await keyExport.update(settings, [key('a')])
    await keyExport.update(settings, [key('a'), key('b')])
    await expect.poll(() => readFileSync(at('told'), 'utf8')).toBe('changed\nchanged\n')
    expect(json(file)).toEqual({ keys: [key('a'), key('b')] })
  })

  it('passes arguments as they are', async () => {
    const argument = `$HOME; touch ${at('owned')}`
    await keyExport.update({ file, command: ['sh', '-c', `printf %s "$0" > ${at('told')}`, argument] }, [key('a')])
    await expect.poll(() => existsSync(at('told')) && readFileSync(at('told'), 'utf8')).toBe(argument)
    expect(existsSync(at('owned'))).toBe(false)
  })

  it('signals a process', async () => {
    let signals = 0
    const count = (): void => {
      signals++
    }
    process.on('SIGUSR2', count)
    try {
      writeFileSync(at('pid'), `${process.pid}\n`)
      await keyExport.update({ file, signal: 'SIGUSR2', pid_file: at('pid') }, [key('a')])
      await expect.poll(() => signals).toBe(1)
    } finally {
      process.off('SIGUSR2', count)
    }
  })

  it('never empties the file: a verifier without keys refuses everybody', async () => {
    await keyExport.update({ file }, [key('a')])
    await keyExport.update({ file }, [])
    expect(json(file)).toEqual({ keys: [key('a')] })
  })

  it('tries again until the file can be written', async () => {
    const missing = at('later/public.jwks.json')
    await keyExport.update({ file: missing }, [key('a')])
    expect(log).toEqual([
      `The public keys could not be exported; trying again: ${JSON.stringify({ file: missing, problem: 'cannot be written (ENOENT)' })}`,
    ])
    mkdirSync(at('later'))
    await expect.poll(() => existsSync(missing)).toBe(true)
  })

  it.each([
    [
      'a command that fails',
      { command: ['sh', '-c', 'echo a-secret >&2; exit 3'] },
      'the command failed (exit code 3)',
    ],
    ['a command that is not there', { command: ['/nonexistent/program', 'a-secret'] }, 'the command failed (ENOENT)'],
    ['a missing pid_file', { signal: 'SIGUSR2', pid_file: '/nonexistent' }, 'pid_file cannot be read (ENOENT)'],
  ] as const)('says so without its words, and tries again: %s', async (_name, settings, problem) => {
    await keyExport.update({ file, ...settings }, [key('a')])
    const told = (): number => log.filter((line) => line.includes(problem)).length
    await expect.poll(told).toBeGreaterThan(1)
    expect(log.join('\n')).not.toContain('a-secret')
    expect(json(file)).toEqual({ keys: [key('a')] })
  })

  it.each(['0', '1', '-7', 'x', ''])('signals nobody for a pid_file that holds %j', async (content) => {
    writeFileSync(at('pid'), content)
    await keyExport.update({ file, signal: 'SIGUSR2', pid_file: at('pid') }, [key('a')])
    await expect.poll(() => log.join('\n')).toContain('pid_file does not hold the id of a process')
  })

  it('goes no further when it is closed', async () => {
    const missing = at('later/public.jwks.json')
    await keyExport.update({ file: missing }, [key('a')])
    keyExport.close()
    await keyExport.update(undefined, [key('a')])
    expect(log).toHaveLength(1)
  })
})
