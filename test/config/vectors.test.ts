/** Oathkeeper's behaviour as recorded cases: defaults, validation, environment and merging of configs. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { parseDuration } from '../../src/documents/parse_duration.ts'
import { mergeLayers } from '../../src/documents/layers.ts'
import { validate } from '../../src/documents/zod.ts'
import { builtinHandlers } from '../../src/pipeline/builtin.ts'

interface Vector<Given, When, Expect> {
  readonly id: string
  readonly group: string
  readonly given: Given
  readonly when: When
  readonly expect: Expect
  readonly note?: string
}

const { cases } = JSON.parse(readFileSync(new URL('../vectors/oathkeeper.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly Vector<never, never, never>[]
}

function vectors<Given, When, Expect>(group: string): readonly (readonly [string, Vector<Given, When, Expect>])[] {
  const found = cases.filter((vector) => vector.group === group)
  return found.map((vector) => [`${vector.id} ${vector.note ?? ''}`, vector])
}

const handlers = builtinHandlers

const load = (config: unknown, env: Readonly<Record<string, string>> = {}) =>
  loadConfig({
    files: ['config.json'],
    env,
    handlers: builtinHandlers,
    read: () => Promise.resolve(JSON.stringify(config)),
  })

const locate = (): undefined => undefined

function valueAt(value: unknown, key: string): unknown {
  return key
    .split('.')
    .reduce<unknown>((current, step) => (current as Record<string, unknown> | undefined)?.[step], value)
}

describe('defaults', () => {
  const all = vectors<{ readonly config: unknown }, { readonly key: string }, { readonly value: unknown }>(
    'config_defaults',
  )

  const inHandler = /^(.+)\.([a-z_0-9]+)\.config\.(.+)$/

  it.each(all.filter(([, { when }]) => !inHandler.test(when.key)))(
    '%s',
    async (_, { given, when: { key }, expect: { value } }) => {
      const { config } = await load(given.config)
      const duration = /timeout/.test(key) ? parseDuration(String(value)) : undefined
      expect(valueAt(config, key)).toEqual(duration ?? value)
    },
  )

  // Inside a handler's config defaults come in when a rule uses it.
  it.each(all.filter(([, { when }]) => inHandler.test(when.key)))('%s', (_, { when: { key }, expect: { value } }) => {
    const [, kind, name, rest = ''] = inHandler.exec(key) ?? []
    const handler = handlers.find((candidate) => candidate.name === name && kind?.startsWith(candidate.kind) === true)
    const parsed = handler?.config.safeParse(samples[handler.name])
    const duration = typeof value === 'string' ? parseDuration(value) : undefined
    expect(valueAt(parsed?.data, rest)).toEqual(duration ?? value)
  })

  const samples: Readonly<Record<string, unknown>> = {
    bearer_token: { check_session_url: 'http://k/' },
    cookie_session: { check_session_url: 'http://k/' },
    hydrator: { api: { url: 'http://h/' } },
    oauth2_client_credentials: { token_url: 'http://t/' },
    oauth2_introspection: { introspection_url: 'http://i/' },
    redirect: { to: '/login' },
    remote_json: { remote: 'http://r/', payload: '{}' },
  }
})

describe('validation', () => {
  const all = vectors<{ readonly config: unknown }, unknown, { readonly valid: boolean }>('config_validation')

  it.each(all)('%s', async (_, { given, expect: { valid } }) => {
    const { config, problems } = await load(given.config)
    expect(config !== undefined).toBe(valid)
    expect(problems.length > 0).toBe(!valid)
  })
})

describe('environment', () => {
  const all = vectors<Readonly<Record<string, string>>, { readonly key: string }, { readonly value: unknown }>(
    'config_env',
  )

  it.each(all)('%s', async (_, { given, when: { key }, expect: { value } }) => {
    const { config, problems } = await load({}, given)
    expect(problems).toEqual([])
    expect(valueAt(config, key)).toEqual(value)
  })
})

describe('merging', () => {
  interface When {
    readonly handler?: string
    readonly rule_config: unknown
  }
  interface Expect {
    readonly effective?: unknown
    readonly error?: boolean
  }
  const all = vectors<{ readonly global: Readonly<Record<string, unknown>> }, When, Expect>('config_merge')

  it.each(all)('%s', (_, { given, when, expect: { effective, error = false } }) => {
    const [key = `mutators.${when.handler}.config`] = Object.keys(given.global)
    const [kind, name] = key.split('.')
    const merged = mergeLayers([
      { value: given.global[key] ?? {}, locate },
      { value: when.rule_config, locate },
    ])
    const handler = handlers.find((candidate) => candidate.kind === kind && candidate.name === name)
    expect(handler).toBeDefined()
    if (handler === undefined) return
    expect(validate(handler.config, merged.value, locate).valid).toBe(!error)
    expect(merged.value).toEqual(effective ?? merged.value)
  })
})
