/** A running gateway whose files change: what is right takes effect as a whole, what is wrong changes nothing. */
import { renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { generateKeySet } from '../src/tokens/generate.ts'
import { loadGateway, startGateway, type ListeningGateway, type TestGateway } from './support/gateway.ts'
import { startServer } from './support/http_server.ts'
import { inboundOf } from './support/inbound.ts'
import { openClient } from './support/raw-client.ts'
import { vectors } from './rules/vectors.ts'

const on = { enabled: true }

interface RuleParts {
  readonly authenticator?: string
  readonly mutators?: readonly object[]
  readonly upstream?: string
}

function rule(id: string, parts: RuleParts = {}): object {
  const { authenticator = 'noop', mutators = [{ handler: 'noop' }], upstream = 'http://127.0.0.1:9' } = parts
  return {
    id,
    match: { url: `<http|https>://<[^/]+>/${id}`, methods: ['GET'] },
    authenticators: [{ handler: authenticator }],
    authorizer: { handler: 'allow' },
    mutators,
    upstream: { url: upstream },
  }
}

const handlers = {
  authenticators: { noop: on, anonymous: on },
  authorizers: { allow: on },
  mutators: { noop: on },
}
const loopbackOnly = { api: { host: '127.0.0.1', port: 0 } }
const statusAt = async ({ gateway }: TestGateway, where: string): Promise<number> => {
  const decision = await gateway.decide(inboundOf(`http://h${where}`))
  return decision.allowed ? 200 : decision.answer.status
}

describe('reload (vectors)', () => {
  const cases = vectors('e2e_reload')
  type Step = (test: TestGateway, upstream: string) => void
  const listeners = { host: '127.0.0.1', port: 0 }
  const serve = { proxy: listeners, api: listeners, prometheus: listeners }
  const withRules = ({ directory }: TestGateway) => ({
    serve,
    access_rules: { repositories: [`file://${directory}/rules.json`] },
  })

  const steps: Readonly<Record<string, Step>> = {
    'config.1 (no repositories)': (test) => test.write('config.json', { serve, ...handlers }),
    'config.2 (noop+allow rule)': (test, upstream) => {
      test.write('rules.json', [rule('rules', { upstream })])
      test.write('config.json', { ...withRules(test), ...handlers })
    },
    'config.4 (anonymous disabled)': (test, upstream) => {
      test.write('rules.json', [rule('rules', { upstream, authenticator: 'anonymous' })])
      test.write('config.json', { ...withRules(test), ...handlers, authenticators: { noop: on } })
    },
    'config.4, other path': () => undefined,
    'rules.3.1 + config.5': (test, upstream) => {
      test.write('rules.json', [
        rule('rules', { upstream, authenticator: 'anonymous' }),
        rule('other-rules', { upstream, authenticator: 'anonymous' }),
      ])
      test.write('config.json', { ...withRules(test), ...handlers })
    },
  }

  it(`every file takes effect by itself, step after step: ${cases.map(({ id }) => id).join(', ')}`, async () => {
    await using upstream = await startServer((_request, response) => response.end())
    await using test = await startGateway({
      config: { access_rules: { repositories: [] }, ...handlers },
      watchInterval: 50,
    })
    for (const { given, when, expect: wanted } of cases) {
      const apply = steps[when['apply'] as string]
      if (apply === undefined) throw new Error(`unknown step ${JSON.stringify(when)}`)
      apply(test, upstream.url)
      const timeout = 1000 * (given['within_seconds'] as number)
      for (const [where, status] of Object.entries(wanted)) {
        await expect.poll(async () => (await fetch(test.proxy + where)).status, { timeout, interval: 20 }).toBe(status)
      }
    }
  })
})

describe('a bad reload', () => {
  const config = { profile: 'secure', ...handlers }
  const sound = [rule('a')]

  it.each([
    ['no JSON', '[{"id": "a",]'],
    ['half written', JSON.stringify(sound).slice(0, 60)],
    ['empty', ''],
    ['not a list of rules', '{"id": 7}'],
    ['with a rule that is incomplete', [{ id: 'b' }]],
    ['with an unknown handler', [rule('b', { authenticator: 'nop' })]],
    ['with a pattern that is none', [{ ...rule('b'), match: { url: 'http://h/<(>', methods: ['GET'] } }]],
  ])('rel-032: with rules that are %s keeps the old ones', async (_name, content) => {
    await using test = await startGateway({ config, rules: sound })
    test.write('rules.json', content)
    await test.gateway.reload()
    expect([await statusAt(test, '/a'), await statusAt(test, '/b')]).toEqual([200, 404])
    const ready = await fetch(`${test.api}/health/ready`)
    expect([ready.status, await ready.json()]).toEqual([200, expect.objectContaining({ status: 'degraded' })])
    expect(await (await fetch(`${test.metrics}/metrics`)).text()).toMatch(/last_reload_successful\S* 0$/m)
    const line = test.log.find((text) => /Reload refused|Reloaded in part/.test(text)) ?? ''
    expect(line).toMatch(/rules\.json:\d+:\d+: /)

    test.write('rules.json', [rule('b')])
    expect((await test.gateway.reload()).state).toBeDefined()
    expect([await statusAt(test, '/a'), await statusAt(test, '/b')]).toEqual([404, 200])
    expect(await (await fetch(`${test.api}/health/ready`)).json()).toEqual({ status: 'ok' })
  })

  describe('rel-032: without the rule file', () => {
    const reloadWithoutRules = async (test: TestGateway, before: object) => {
      const repositories = { access_rules: { repositories: [`file://${test.directory}/rules.json`] } }
      test.write('config.json', { ...before, ...repositories, log: { level: 'debug' } })
      rmSync(path.join(test.directory, 'rules.json'))
      const result = await test.gateway.reload()
      const told = test.log.filter((line) => line.includes('does not exist'))
      expect(told).toHaveLength(1)
      expect(told[0]?.split('rules.json')).toHaveLength(2)
      expect(told[0]).toMatch(/config\.json:\d+:\d+: The rule file /)
      return result
    }

    it('a config that refuses keeps all that was in force', async () => {
      await using test = await loadGateway({ config, rules: sound })
      expect((await reloadWithoutRules(test, config)).state).toBeUndefined()
      expect(test.gateway.config.log.level).toBe('info')
      expect(await statusAt(test, '/a')).toBe(200)
    })

    it('a config that warns takes effect, with the old rules', async () => {
      await using test = await loadGateway({ config: handlers, rules: sound })
      expect((await reloadWithoutRules(test, handlers)).kept).toHaveLength(1)
      expect(test.gateway.config.log.level).toBe('debug')
      expect(await statusAt(test, '/a')).toBe(200)
    })
  })

  it('names the keys that need a restart, and only those', async () => {
    await using test = await loadGateway({ config, rules: sound })
    const repositories = { access_rules: { repositories: [`file://${test.directory}/rules.json`] } }
    const proxy = { ...loopbackOnly.api, timeout: { read: '1s' }, cors: on, trust_forwarded_headers: true }
    const serve = {
      proxy: { ...proxy, port: 1 },
      api: { ...loopbackOnly.api, allowed_hosts: ['gw'] },
      prometheus: loopbackOnly.api,
      shutdown: { drain: '1s' },
    }
    test.write('config.json', { ...config, ...repositories, serve })
    await test.gateway.reload()
    const told = test.log.filter((line) => line.includes('after a restart'))
    expect(told.map((line) => (JSON.parse(line) as { keys: unknown }).keys)).toEqual([['serve.proxy.port']])
  })

  it('with a config that is wrong keeps the old one, and the rules that came with it', async () => {
    await using test = await loadGateway({ config, rules: sound })
    test.write('rules.json', [rule('b')])
    test.write('config.json', { ...config, profile: 'safe' })
    expect((await test.gateway.reload()).problems).toMatchObject([{ severity: 'error' }])
    expect(test.gateway.config.profile).toBe('secure')
    expect([await statusAt(test, '/a'), await statusAt(test, '/b')]).toEqual([200, 404])
  })
})

describe('keys', () => {
  const keyOf = async (kid: string): Promise<string> => JSON.stringify(await generateKeySet({ alg: 'ES256', kid }))
  const kidAt = async ({ gateway }: TestGateway): Promise<string | undefined> => {
    const decision = await gateway.decide(inboundOf('http://h/a'))
    if (!decision.allowed) throw new Error(decision.error.message)
    const [, value] = decision.edits.find(([name]) => name.toLowerCase() === 'authorization') ?? []
    return decodeProtectedHeader((value ?? '').replace('Bearer ', '')).kid
  }
  const signing = (directory: string) => [
    rule('a', {
      mutators: [
        {
          handler: 'id_token',
          config: { issuer_url: 'https://gw.example', jwks_url: `file://${directory}/jwks.json` },
        },
      ],
    }),
  ]
  const config = {
    profile: 'secure',
    ...handlers,
    mutators: { noop: on, id_token: { enabled: false } },
  }
  const withTokens = (directory: string) => ({
    ...config,
    access_rules: { repositories: [`file://${directory}/rules.json`] },
    mutators: {
      noop: on,
      id_token: {
        enabled: true,
        config: { issuer_url: 'https://gw.example', jwks_url: `file://${directory}/jwks.json` },
      },
    },
  })

  it('take effect when they change, and rel-037: a file that is broken leaves the old ones signing', async () => {
    await using test = await loadGateway({ config, rules: [rule('a')] })
    test.write('jwks.json', await keyOf('first'))
    test.write('rules.json', signing(test.directory))
    test.write('config.json', withTokens(test.directory))
    await test.gateway.reload()
    expect(await kidAt(test)).toBe('first')
    test.write('jwks.json', await keyOf('second'))
    await test.gateway.reload()
    expect(await kidAt(test)).toBe('second')
    test.write('jwks.json', '{"keys": [')
    expect((await test.gateway.reload()).kept).toMatchObject([
      { message: expect.stringContaining('old one') as unknown },
    ])
    expect(await kidAt(test)).toBe('second')
    const told = test.log.filter((line) => line.includes('jwks.json'))
    expect(told).toHaveLength(1)
    expect(told[0]?.split('jwks.json')).toHaveLength(2)
    expect(told[0]).toMatch(/config\.json:\d+:\d+: Key set /)
  })

  it('that are broken hold back nothing else', async () => {
    await using test = await loadGateway({ config, rules: [rule('a')] })
    test.write('jwks.json', await keyOf('first'))
    test.write('rules.json', signing(test.directory))
    test.write('config.json', withTokens(test.directory))
    await test.gateway.reload()
    test.write('jwks.json', '')
    test.write('rules.json', [...signing(test.directory), rule('b')])
    expect((await test.gateway.reload()).problems).toEqual([])
    expect([await kidAt(test), await statusAt(test, '/b')]).toEqual(['first', 200])
  })

  it.each(['config.json', 'rules.json', 'jwks.json'])('%s that goes and comes back leaves no trace', async (file) => {
    await using test = await startGateway({ config, rules: [rule('a')], watchInterval: 20 })
    const health = async (): Promise<unknown> =>
      ((await (await fetch(`${test.api}/health/ready`)).json()) as { status: unknown }).status
    test.write('jwks.json', await keyOf('first'))
    test.write('rules.json', signing(test.directory))
    test.write('config.json', { ...withTokens(test.directory), serve: loopbackOnly })
    await expect.poll(() => kidAt(test).catch(() => undefined)).toBe('first')
    const [place, aside] = [path.join(test.directory, file), path.join(test.directory, 'aside')]
    renameSync(place, aside)
    await expect.poll(health).toBe('degraded')
    renameSync(aside, place)
    await expect.poll(health).toBe('ok')
    expect(await kidAt(test)).toBe('first')
  })
})

describe('what is told of a request', () => {
  const config = { profile: 'secure', log: { format: 'json' }, ...handlers }
  const lineOf = ({ log }: TestGateway): Record<string, unknown> =>
    JSON.parse(log.find((line) => line.includes('Access request')) ?? '{}') as Record<string, unknown>
  const metricsOf = async (test: ListeningGateway, name: string): Promise<string[]> =>
    (await (await fetch(`${test.metrics}/metrics`)).text())
      .split('\n')
      .filter((line) => line.startsWith(`ory_oathkeeper_${name}`))

  it('one that the front gate refuses: who sent it, and what', async () => {
    await using test = await startGateway({ config, rules: [rule('a')] })
    const client = await openClient(test.addresses.proxy.port)
    client.write('GET /a/..//b?token=secret HTTP/1.1\r\nHost: app.example\r\nUser-Agent: probe\r\n\r\n')
    expect((await client.response()).status).toBe(400)
    client.close()
    expect(lineOf(test)).toMatchObject({
      granted: false,
      reason: 'request_invalid',
      client_ip: '127.0.0.1',
      http_target: '/a/..//b',
      http_host: 'app.example',
      http_user_agent: 'probe',
    })
    expect(test.log.join('')).not.toContain('secret')
  })

  it('one that was granted, and whose upstream is not there', async () => {
    await using test = await startGateway({ config, rules: [rule('a', { upstream: 'http://127.0.0.1:9' })] })
    expect((await fetch(`${test.proxy}/a`)).status).toBe(502)
    expect(lineOf(test)).toMatchObject({
      level: 'warn',
      msg: 'Access request granted',
      granted: true,
      reason: 'allowed',
      forward_error: 'upstream_unreachable',
      status: 502,
    })
    expect(await metricsOf(test, 'decisions_total')).toEqual([
      'ory_oathkeeper_decisions_total{rule_id="a",outcome="granted",reason="allowed"} 1',
    ])
    expect(await metricsOf(test, 'upstream_errors_total')).toEqual([
      'ory_oathkeeper_upstream_errors_total{reason="upstream_unreachable"} 1',
    ])
  })
})

describe('requests while files change', () => {
  it('are decided by one snapshot, from the first step to the last', async () => {
    const asked: (() => void)[] = []
    await using store = await startServer((_request, response) => {
      asked.push(() => response.end('{"subject":"alice"}'))
    })
    const session = { enabled: true, config: { check_session_url: store.url } }
    const as = (name: string) => [
      rule('a', {
        authenticator: 'cookie_session',
        mutators: [{ handler: 'header', config: { headers: { 'X-Rules': name } } }],
      }),
    ]
    await using test = await loadGateway({
      config: {
        authenticators: { cookie_session: session },
        authorizers: { allow: on },
        mutators: { header: { enabled: true, config: { headers: {} } } },
      },
      rules: as('old'),
    })
    const ask = () => test.gateway.decide(inboundOf('http://h/a', { headers: { Cookie: 'a=1' } }))
    const first = ask()
    await expect.poll(() => asked.length).toBe(1)
    test.write('rules.json', as('new'))
    await test.gateway.reload()
    asked.shift()?.()
    expect(await first).toMatchObject({ allowed: true, edits: [['X-Rules', 'old']] })
    const second = ask()
    await expect.poll(() => asked.length).toBe(1)
    asked.shift()?.()
    expect(await second).toMatchObject({ allowed: true, edits: [['X-Rules', 'new']] })
  })

  it('are answered while ten thousand rules are read', async () => {
    await using upstream = await startServer((_request, response) => response.end())
    const rules = Array.from({ length: 10_000 }, (_, index) => rule(`rule-${index}`, { upstream: upstream.url }))
    await using test = await startGateway({ config: handlers, rules: rules.slice(0, 1) })
    test.write('rules.json', rules)
    const progress = { reloading: true }
    const reload = test.gateway.reload().finally(() => {
      progress.reloading = false
    })
    let answered = 0
    while (progress.reloading) {
      const { status } = await fetch(`${test.proxy}/rule-0`)
      expect(status).toBe(200)
      answered++
    }
    expect((await reload).state?.snapshot.validRules).toHaveLength(10_000)
    expect(answered).toBeGreaterThan(5)
  }, 60_000)
})

it('keeps nothing of a config that two reloads have replaced', async () => {
  // The one at start is kept: what listeners are bound with is compared with it.
  await using test = await startGateway({ config: { profile: 'secure', ...handlers }, rules: [rule('a')] })
  await test.gateway.reload()
  const replaced = new WeakRef(test.gateway.config)
  for (let n = 0; n < 3; n += 1) await test.gateway.reload()
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  await expect.poll(() => (collect(), replaced.deref())).toBeUndefined()
})
