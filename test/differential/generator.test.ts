import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadGateway } from '../support/gateway.ts'
import { kinds } from './generator/handlers.ts'
import { generate } from './generator/scenarios.ts'
import { makeMaterial } from './material.ts'
import type { Material, Scenario } from './scenario.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'mintkeeper-generator-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let material: Material
let scenarios: readonly Scenario[]
beforeAll(async () => {
  mkdirSync(folder, { recursive: true })
  const origins = {
    store: 'http://127.0.0.1:4433',
    upstream: 'http://127.0.0.1:8080',
    service: 'http://127.0.0.1:8081',
    closed: 'http://127.0.0.1:1',
  }
  material = await makeMaterial(folder, origins)
  scenarios = generate({ seed: 1, configs: 72, requestsPerConfig: 75, material })
})

// The last: two places for a token, one in the config and one in the rule, which both programs refuse.
const intended =
  /is disabled per configuration|was requested but is disabled|sign-public-only\.json: .*no suitable key|config\.token_from|payload is not a JSON text/

describe('scenarios', () => {
  it('are the same for the same seed, and others for another', () => {
    expect(generate({ seed: 1, configs: 72, requestsPerConfig: 75, material })).toEqual(scenarios)
    expect(generate({ seed: 2, configs: 72, requestsPerConfig: 75, material })).not.toEqual(scenarios)
  })

  it('do not depend on how many there are', () => {
    expect(generate({ seed: 1, configs: 3, requestsPerConfig: 75, material })).toEqual(scenarios.slice(0, 3))
  })

  it('are as many as are asked for, with names of their own', () => {
    expect(new Set(scenarios.map(({ id }) => id)).size).toBe(72)
    expect(scenarios.flatMap(({ requests }) => requests)).toHaveLength(5400)
  })

  it('use every handler, both strategies and both planes', () => {
    const text = JSON.stringify(scenarios)
    for (const [kind, makers] of Object.entries(kinds)) {
      const section = kind === 'authorizers' ? 'authorizer' : kind
      const used = JSON.stringify(
        scenarios.map(({ rules }) => rules.map((rule) => Reflect.get(rule, section) as unknown)),
      )
      for (const name of Object.keys(makers)) expect(used).toContain(`"handler":"${name}"`)
    }
    for (const part of [
      '"glob"',
      '"regexp"',
      '"plane":"proxy"',
      '"plane":"decisions"',
      '"trust_forwarded_headers":true',
      '"cors"',
    ]) {
      expect(text).toContain(part)
    }
  })

  it('load: nothing is wrong with them but what is meant to be', { timeout: 120_000 }, async () => {
    for (const { id, config, rules } of scenarios) {
      const { access_rules: strategy, ...rest } = config
      const inline = `inline://${Buffer.from(JSON.stringify(rules)).toString('base64')}`
      await using loaded = await loadGateway({
        config: { ...rest, access_rules: { ...(strategy as object), repositories: [inline] } },
      })
      const errors = loaded.gateway.problems
        .filter(({ severity }) => severity === 'error')
        .map(({ message }) => message)
        .filter((message) => !intended.test(message))
      expect({ id, errors }).toEqual({ id, errors: [] })
    }
  })
})
