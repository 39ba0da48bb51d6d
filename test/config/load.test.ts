import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { loadConfig } from '../../src/config/load.ts'
import { builtinHandlers } from '../../src/pipeline/builtin.ts'
import { defineAuthenticator } from '../../src/pipeline/contract/handler.ts'

/** Loads files that are given as texts. */
function load(
  texts: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
  handlers = builtinHandlers,
) {
  const read = (path: string): Promise<string> => {
    const name = path.slice(path.lastIndexOf('/') + 1)
    const text = texts[name]
    return text === undefined ? Promise.reject(new Error('no such text')) : Promise.resolve(text)
  }
  return loadConfig({ files: Object.keys(texts), env, handlers, read })
}

const messages = async (...args: Parameters<typeof load>): Promise<string[]> =>
  (await load(...args)).problems.map(({ message }) => message)

describe('defaults', () => {
  it('are complete without any file', async () => {
    const { config, problems, files } = await load({})
    expect(problems).toEqual([])
    expect(files).toEqual([])
    expect(config).toMatchObject({
      profile: 'oathkeeper',
      serve: {
        proxy: { port: 4455, host: '', timeout: { read: 5_000, write: 120_000, idle: 120_000 } },
        api: { port: 4456, host: '' },
        prometheus: { port: 9000, host: '' },
      },
      errors: { fallback: ['json'], handlers: { json: { enabled: true }, redirect: { enabled: false } } },
    })
    expect(config?.serve.api.allowed_hosts).toBeUndefined()
  })

  it('are for the loopback interface with profile secure', async () => {
    const { config } = await load({ 'a.yaml': 'profile: secure' })
    expect(config?.serve.api).toMatchObject({ host: '127.0.0.1', allowed_hosts: ['localhost', '127.0.0.1', '[::1]'] })
    expect(config?.serve.prometheus.host).toBe('127.0.0.1')
    expect(config?.serve.proxy.host).toBe('')
  })

  it('leave load balancers time to notice that the gateway stops with profile secure', async () => {
    const drainOf = async (text: string) => (await load({ 'a.yaml': text })).config?.serve.shutdown
    expect(await drainOf('profile: secure')).toEqual({ drain: 5000, grace: 25_000 })
    expect(await drainOf('profile: oathkeeper')).toEqual({ drain: 0, grace: 25_000 })
    expect(await drainOf('profile: secure\nserve: {shutdown: {drain: 0s}}')).toMatchObject({ drain: 0 })
    expect(await drainOf('serve: {shutdown: {drain: 2s}}')).toMatchObject({ drain: 2000 })
  })

  it('can be set singly', async () => {
    const text = 'profile: secure\nserve: {api: {host: 0.0.0.0, allowed_hosts: [Mintkeeper]}, prometheus: {host: ""}}\n'
    const { config, relied } = await load({ 'a.yaml': `${text}safeguards: {path: resolve}\n` })
    expect(config?.serve.api).toMatchObject({
      host: '0.0.0.0',
      allowed_hosts: ['localhost', '127.0.0.1', '[::1]', 'mintkeeper'],
    })
    expect(config?.serve.prometheus.host).toBe('')
    expect(config?.safeguards).toMatchObject({ path: 'resolve', client_headers: 'drop' })
    expect(relied.map(({ name }) => name)).not.toContain('path')
  })

  it('can be set to any host', async () => {
    const { config } = await load({ 'a.yaml': 'profile: secure\nserve: {api: {allowed_hosts: ["*"]}}' })
    expect(config?.serve.api.allowed_hosts).toBeUndefined()
  })
})

describe('files', () => {
  it('merge in order, under the environment', async () => {
    const { config } = await load(
      {
        'a.yaml': 'serve: {proxy: {port: 1, host: a}}\naccess_rules: {repositories: [a, b]}\n',
        'b.json': '{"serve": {"proxy": {"port": 2}}, "access_rules": {"repositories": ["c"]}}',
        'c.yml': '# nothing yet\n',
      },
      { SERVE_PROXY_HOST: 'env' },
    )
    expect(config?.serve.proxy).toMatchObject({ port: 2, host: 'env' })
    expect(config?.access_rules.repositories).toEqual(['c'])
  })

  it('tell where each value of the whole comes from', async () => {
    const { locate } = await load(
      { 'a.yaml': 'serve:\n  proxy:\n    port: 1\n', 'b.yaml': 'log:\n  level: info\n' },
      { LOG_FORMAT: 'json' },
    )
    expect(locate(['serve', 'proxy', 'port'])).toMatchObject({ file: 'a.yaml', line: 3, column: 11 })
    expect(locate(['log', 'level'])).toMatchObject({ file: 'b.yaml', line: 2 })
    expect(locate(['log', 'format'])).toBe('environment variable LOG_FORMAT')
  })

  it('have their variables replaced', async () => {
    const { config } = await load(
      { 'a.yaml': 'serve:\n  proxy:\n    port: ${PORT}\n    host: ${HOST:-h}\n' },
      { PORT: '7' },
    )
    expect(config?.serve.proxy).toMatchObject({ port: 7, host: 'h' })
  })

  it('tell of a missing variable and of everything else at once', async () => {
    const text = 'serve:\n  proxy:\n    port: ${PORT}\nlogg: 1\n'
    expect(await messages({ 'a.yaml': text })).toEqual([
      'The environment variable PORT is not set',
      'Unknown key "logg"',
    ])
  })

  it.each([
    ['a.toml', 'TOML is not supported'],
    ['a.ini', 'A config file must end in .yaml, .yml or .json'],
  ])('of another kind are refused: %s', async (name, message) => {
    expect(await messages({ [name]: '' })).toEqual([message])
  })

  it('must be maps', async () => {
    expect(await messages({ 'a.yaml': '- a' })).toEqual(['A config must be a map of keys'])
    expect(await messages({ 'a.yaml': 'text' })).toEqual(['A config must be a map of keys'])
  })
})

const fromDisk = (...files: string[]) => loadConfig({ files, env: {}, handlers: builtinHandlers })

describe('files on disk', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'config-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  it('are read and named for watching', async () => {
    const file = join(folder, 'a.yaml')
    writeFileSync(file, 'profile: secure\n')
    expect(await fromDisk(file)).toMatchObject({ config: { profile: 'secure' }, files: [file], problems: [] })
  })

  it('that are missing are errors, which say what was tried', async () => {
    const file = join(folder, 'nothing.yaml')
    const { config, problems, files } = await fromDisk('nothing/here.yaml', file, folder + '.yaml')
    expect(config).toBeUndefined()
    expect(files[1]).toBe(file)
    expect(problems).toHaveLength(3)
    expect(problems[0]).toEqual({
      severity: 'error',
      message: `The config file does not exist (looked for ${join(process.cwd(), 'nothing/here.yaml')})`,
      hint: `The working directory is ${process.cwd()}.`,
      place: 'nothing/here.yaml',
    })
    expect(problems[1]?.message).toContain(file)
  })
})

describe('handlers', () => {
  it('keep their configs as written, for rules to be laid over', async () => {
    const text = 'authenticators:\n  cookie_session: {enabled: true, config: {check_session_url: http://k/}}\n'
    const { config } = await load({ 'a.yaml': text })
    expect(config?.authenticators['cookie_session']).toEqual({
      enabled: true,
      config: { check_session_url: 'http://k/' },
    })
  })

  it('that are off may have any config', async () => {
    const text = 'authenticators: {cookie_session: {config: {check_session_url: 1, zzz: 2}}}\n'
    const { config, problems } = await load({ 'a.yaml': text })
    expect(problems).toEqual([])
    expect(config?.authenticators['cookie_session']).toEqual({
      enabled: false,
      config: { check_session_url: 1, zzz: 2 },
    })
  })

  it('can be brought along', async () => {
    const mine = defineAuthenticator({
      name: 'mine',
      config: z.strictObject({ key: z.string() }),
      create: () => () => ({ outcome: 'not_responsible' }),
    })
    const handlers = [...builtinHandlers, mine]
    expect(
      (await load({ 'a.yaml': 'authenticators: {mine: {enabled: true, config: {key: x}}}' }, {}, handlers)).config,
    ).toBeDefined()
    expect(await messages({ 'a.yaml': 'authenticators: {mine: {enabled: true, config: {}}}' }, {}, handlers)).toEqual([
      '"authenticators.mine.config.key" is missing',
    ])
    const fromEnvironment = await load(
      {},
      { AUTHENTICATORS_MINE_ENABLED: '1', AUTHENTICATORS_MINE_CONFIG_KEY: 'x' },
      handlers,
    )
    expect(fromEnvironment.config?.authenticators['mine']).toEqual({ enabled: true, config: { key: 'x' } })
  })
})

describe('a broken config', () => {
  const sound = [
    'profile: secure',
    'serve:',
    '  proxy:',
    '    port: 4455',
    '    timeout: { read: 5s }',
    'access_rules:',
    '  repositories:',
    '    - file://rules.yaml',
    'authenticators:',
    '  cookie_session:',
    '    enabled: true',
    '    config:',
    '      check_session_url: http://127.0.0.1:4433/sessions/whoami',
    '      only: [ory_kratos_session]',
    'errors:',
    '  fallback: [json]',
  ].join('\n')

  it('never throws, and each problem has a spot inside the file', async () => {
    expect((await load({ 'a.yaml': sound })).problems).toEqual([])
    const scrap = fc.constantFrom('x', ':', ' ', '\n', '- ', '[', '}', '"', '1', '${X}', 'null', '&a', '*a', '\t', '')
    await fc.assert(
      fc.asyncProperty(fc.nat(sound.length), fc.nat(8), scrap, async (start, length, text) => {
        const broken = sound.slice(0, start) + text + sound.slice(start + length)
        const { config, problems } = await load({ 'a.yaml': broken })
        expect(config === undefined).toBe(problems.some(({ severity }) => severity === 'error'))
        const lines = broken.split('\n')
        for (const problem of problems) {
          expect(problem.place).toMatchObject({ file: 'a.yaml' })
          if (typeof problem.place !== 'object') continue
          const { line, column } = problem.place
          expect(lines[line - 1]?.length).toBeGreaterThanOrEqual(column - 1)
        }
      }),
      { numRuns: 100 },
    )
  })
})
