/** How the config and a rule make a handler's settings: Oathkeeper's cases, through the gateway. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineMutator } from '../../src/index.ts'
import { loadGateway } from '../support/gateway.ts'
import { inboundOf } from '../support/inbound.ts'
import { vectors } from '../rules/vectors.ts'
import { editsOf, loadRule, ruleOf, statusOf } from './scenario.ts'

/** Sends its settings to the upstream. It has the keys of the handler that the cases are about, and no network. */
const reveal = defineMutator({
  name: 'reveal',
  config: z.strictObject({
    api: z.strictObject({
      url: z.url(),
      retry: z.strictObject({ give_up_after: z.string() }).optional(),
    }),
  }),
  create: (config) => ({ owns: [], mutate: () => ({ edits: [['X-Config', JSON.stringify(config)]] }) }),
})

const on = { enabled: true }
const base = { authenticators: { anonymous: on }, authorizers: { allow: on } }

describe('config_merge', () => {
  it.each(vectors('config_merge'))('$id', async ({ given, when, expect: wanted }) => {
    const [[key, config]] = Object.entries(given['global'] as object).concat([['', undefined]]) as [[string, object]]
    const written = key === '' ? (when['handler'] as string) : (key.split('.')[1] ?? '')
    const handler = written === 'hydrator' ? 'reveal' : written
    await using test = await loadGateway({
      config: { ...base, mutators: { [handler]: { enabled: true, ...(config !== undefined && { config }) } } },
      rules: [ruleOf({ mutators: [{ handler, config: when['rule_config'] }] })],
      handlers: [reveal],
    })
    const decision = await test.gateway.decide(inboundOf('http://h/'))
    expect(test.gateway.problems.length > 0).toBe(wanted['error'] ?? false)
    expect(statusOf(decision)).toBe(wanted['error'] === true ? 500 : 200)
    if (wanted['effective'] === undefined) return
    const edits = editsOf(decision)
    const effective = wanted['effective'] as { headers?: object }
    expect(handler === 'reveal' ? JSON.parse(edits['x-config'] ?? '') : { headers: edits }).toEqual(
      effective.headers === undefined
        ? effective
        : {
            headers: Object.fromEntries(
              Object.entries(effective.headers).map(([name, value]) => [name.toLowerCase(), value as string]),
            ),
          },
    )
  })

  it('lists replace, they do not grow', async () => {
    const to = (location: string, names: readonly string[]) => ({ to: location, when: [{ error: names }] })
    await using test = await loadRule(
      {
        authenticators: ['unauthorized'],
        errors: [{ handler: 'redirect', config: to('/rule', ['forbidden']) }],
      },
      { errors: { handlers: { redirect: { enabled: true, config: to('/global', ['unauthorized']) } } } },
    )
    expect(statusOf(await test.gateway.decide(inboundOf('http://h/')))).toBe(401)
  })
})

describe('what is wrong with a handler', () => {
  it('is told where it was written, in the rule or in the config', async () => {
    await using test = await loadGateway({
      config: { ...base, mutators: { header: { enabled: true, config: { headers: { 'X-A': '{{ .Oops' } } } } },
      rules: [ruleOf({ mutators: [{ handler: 'header', config: { headers: { 'X-B': 7 } } }, 'header'] })],
    })
    const places = test.gateway.problems.map(({ message, place }) => [
      typeof place === 'object' ? place.file.split('/').at(-1) : place,
      message,
    ])
    expect(places).toEqual([
      ['rules.json', expect.stringContaining('X-B') as unknown],
      ['config.json', expect.stringContaining('malformed') as unknown],
    ])
  })

  it('keeps the profile secure from starting', async () => {
    await expect(loadRule({ authenticators: ['cookie_sesion'] }, { profile: 'secure' })).rejects.toMatchObject({
      problems: [{ severity: 'error', message: expect.stringContaining('cookie_sesion') as unknown }],
    })
  })
})

describe('a handler that no rule uses', () => {
  const header = (source: string) => ({ header: { enabled: true, config: { headers: { 'X-A': source } } } })
  const signing = {
    enabled: true,
    config: { issuer_url: 'https://a.example/', jwks_url: 'file:///there/is/none.json', claims: '{"a": {{ nope }}}' },
  }
  const remote = { enabled: true, config: { remote: 'http://127.0.0.1:9/', payload: '{{ env "HOME" }}' } }

  it.each([
    ['mutators', { mutators: header('{{ .Oops') }, 'malformed', '.Oops'],
    ['mutators', { mutators: header('{{ env "HOME" }}') }, 'refused', 'HOME'],
    ['mutators', { mutators: { id_token: signing } }, 'nope', 'nope'],
    ['authorizers', { authorizers: { ...base.authorizers, remote_json: remote } }, 'refused', 'HOME'],
    [
      'errors',
      { errors: { handlers: { redirect: { enabled: true, config: { to: 'http://[' } } } } },
      'is not a URL',
      'http://[',
    ],
  ])('%s: a mistake in its config is told at its place', async (_section, sections, message, line) => {
    const text = (value: string) => expect.stringContaining(value) as unknown
    await using test = await loadGateway({ config: { ...base, ...sections } })
    expect(test.gateway.problems).toMatchObject([
      { severity: 'error', message: text(message), place: { file: text('config.json'), text: text(line) } },
    ])
    await expect(loadGateway({ config: { ...base, ...sections, profile: 'secure' } })).rejects.toMatchObject({
      problems: [{ severity: 'error', message: text(message) }],
    })
  })

  it('may be switched off with the mistake in it, and may lack keys', async () => {
    const id_token = { enabled: true, config: { ...signing.config, claims: '{"a": 1}' } }
    const mutators = { header: { ...header('{{ nope }}').header, enabled: false }, id_token }
    await using test = await loadGateway({ config: { ...base, mutators, profile: 'secure' } })
    expect(test.gateway.problems).toEqual([])
  })

  it('is told of once where rules build on it, too', async () => {
    const rules = [ruleOf({ mutators: ['header'] })]
    await using test = await loadGateway({ config: { ...base, mutators: header('{{ nope }}') }, rules })
    expect(test.gateway.problems).toHaveLength(1)
  })
})

describe('names of handlers', () => {
  const { authenticators, authorizers } = base
  const config = { authenticators, authorizers, mutators: { noop: on }, errors: { handlers: { json: on } } }

  it.each([
    [{ authenticators: ['anonymus'] }, 'authenticators', 'anonymous'],
    [{ authorizer: 'alow' }, 'authorizer', 'allow'],
    [{ mutators: ['nop'] }, 'mutators', 'noop'],
    [{ mutators: ['id-token'] }, 'mutators', 'id_token'],
    [{ errors: ['jsom'] }, 'errors', 'json'],
  ])('%j: says in %s what was meant', async (parts, field, meant) => {
    await using test = await loadGateway({ config, rules: [ruleOf(parts)] })
    expect(test.gateway.problems).toMatchObject([
      {
        severity: 'error',
        message: expect.stringContaining(`of "${field}`) as unknown,
        hint: `Did you mean "${meant}"?`,
      },
    ])
  })

  it('that are like no other are told without a guess', async () => {
    await using test = await loadGateway({ config, rules: [ruleOf({ mutators: ['something'] })] })
    expect(test.gateway.problems).toMatchObject([{ message: expect.stringContaining('"something"') as unknown }])
    expect(test.gateway.problems[0]).not.toHaveProperty('hint')
  })
})

describe('rules that say the same', () => {
  it('are each given a step of their own by a handler from elsewhere', async () => {
    let made = 0
    const counting = defineMutator({
      name: 'counting',
      config: z.strictObject({}),
      create() {
        const value = String(made++)
        return { owns: [], mutate: () => ({ edits: [['X-Step', value]] }) }
      },
    })
    const rules = ['a', 'b', 'c'].map((id) => ({
      ...ruleOf({ mutators: ['counting'] }, id),
      match: { url: `http://h/${id}`, methods: ['GET'] },
    }))
    const config = { ...base, mutators: { counting: on } }
    await using test = await loadGateway({ config, rules, handlers: [counting] })
    const steps = ['a', 'b', 'c'].map(async (id) => editsOf(await test.gateway.decide(inboundOf(`http://h/${id}`))))
    expect(await Promise.all(steps)).toEqual([{ 'x-step': '0' }, { 'x-step': '1' }, { 'x-step': '2' }])
  })

  it('still differ where their configs, or what they say of their upstreams, differ', async () => {
    const header = (value: string) => ({ handler: 'header', config: { headers: { 'X-A': value } } })
    const rule = (id: string, value: string, upstream: object = {}) => ({
      ...ruleOf({ mutators: [header(value)] }, id),
      match: { url: `http://h/${id}`, methods: ['GET'] },
      upstream: { url: 'http://127.0.0.1:9', ...upstream },
    })
    const rules = [rule('a', '1'), rule('b', '2'), rule('c', '1', { client_headers: 'drop' })]
    const mutators = { header: { enabled: true, config: { headers: { 'X-B': '{{ print .Subject }}' } } } }
    await using test = await loadGateway({ config: { ...base, mutators }, rules })
    const edits = ['a', 'b', 'c'].map(async (id) => editsOf(await test.gateway.decide(inboundOf(`http://h/${id}`))))
    expect((await Promise.all(edits)).map((each) => each['x-a'])).toEqual(['1', '2', '1'])
  })

  it('are each told of their mistake, at its place', async () => {
    const broken = { handler: 'header', config: { headers: { 'X-A': '{{ nope }}' } } }
    const rules = ['a', 'b'].map((id) => ({
      ...ruleOf({ mutators: [broken] }, id),
      match: { url: `http://h/${id}`, methods: ['GET'] },
    }))
    const mutators = { header: { enabled: true, config: { headers: {} } } }
    await using test = await loadGateway({ config: { ...base, mutators }, rules })
    const places = test.gateway.problems.map(({ place }) => (typeof place === 'object' ? place.line : 0))
    expect(new Set(places).size).toBe(2)
    for (const id of ['a', 'b']) expect(statusOf(await test.gateway.decide(inboundOf(`http://h/${id}`)))).toBe(500)
  })
})
