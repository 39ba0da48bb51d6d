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
