/** Cases of test/vectors/oathkeeper.json that are about the whole gateway, and so belong to none of its parts. */
import { rmSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { ProblemsError } from '../src/index.ts'
import { inboundOf } from './support/inbound.ts'
import { loadGateway, startGateway } from './support/gateway.ts'
import { startServer } from './support/http_server.ts'
import { openClient } from './support/raw-client.ts'
import { vectors } from './rules/vectors.ts'

const on = { enabled: true }
const handlers = { authenticators: { noop: on }, authorizers: { allow: on }, mutators: { noop: on } }

const rule = (id: string, upstream = 'http://127.0.0.1:9'): object => ({
  id,
  match: { url: `<https?>://<[^/]+>/${id}`, methods: ['GET'] },
  authenticators: [{ handler: 'noop' }],
  authorizer: { handler: 'allow' },
  mutators: [{ handler: 'noop' }],
  upstream: { url: upstream },
})

describe('rules whose handlers are unknown or disabled', () => {
  const ids = new Set(['rule-validation-004', 'rule-validation-009', 'rule-validation-013', 'rule-validation-018'])
  const cases = vectors('rule_validation').filter(({ id }) => ids.has(id))

  it.each(cases.map((vector) => [vector.id, vector] as const))('%s', async (_, { given, when, expect: expected }) => {
    const enabled = Object.entries(given['enabled'] as Record<string, boolean>).map(([name, isEnabled]) => {
      const [kind = '', handler = ''] = name.split('.')
      return [kind, { [handler]: { enabled: isEnabled } }]
    })
    await using test = await loadGateway({
      config: Object.fromEntries(enabled) as object,
      rules: [when['rule'] as object],
    })
    const errors = test.gateway.problems.filter(({ severity }) => severity === 'error')
    expect(errors.map(({ message }) => message)).toContainEqual(
      expect.stringContaining((expected['reason_contains'] as string).trim()),
    )
  })
})

describe('repositories', () => {
  const at = (...repositories: string[]): object => ({ ...handlers, access_rules: { repositories } })
  const idsOf = (result: { readonly state?: { readonly snapshot: { readonly rules: readonly { id: string }[] } } }) =>
    result.state?.snapshot.rules.map(({ id }) => id)

  it('rule-repositories-001: none', async () => {
    await using test = await loadGateway({ config: at() })
    expect(idsOf(await test.gateway.reload())).toEqual([])
  })

  it('rule-repositories-004: one that the config no longer names', async () => {
    await using test = await loadGateway({ config: handlers, rules: [rule('b')] })
    expect(idsOf(await test.gateway.reload())).toEqual(['b'])
    test.write('config.json', at())
    expect(idsOf(await test.gateway.reload())).toEqual([])
  })

  it('rule-repositories-005: a file that changes', async () => {
    const { when, expect: expected } = vectors('rule_repositories').find(({ id }) => id === 'rule-repositories-005')!
    await using test = await loadGateway({ config: handlers })
    const seen: unknown[] = []
    for (const ids of when['file_contents_sequence'] as string[][]) {
      test.write(
        'rules.json',
        ids.map((id) => rule(id)),
      )
      seen.push(idsOf(await test.gateway.reload()))
    }
    expect(seen).toEqual(expected['rule_ids_sequence'])
  })

  it('rule-repositories-007: of a kind that there is not', async () => {
    const loading = loadGateway({ config: at('ftp://x') })
    await expect(loading).rejects.toBeInstanceOf(ProblemsError)
    await expect(loading).rejects.toThrow(/ftp:/)
  })

  it('rule-repositories-008: a server that cannot be reached', async () => {
    await expect(loadGateway({ config: at('http://127.0.0.1:1/') })).rejects.toBeInstanceOf(ProblemsError)
  })

  it('rule-repositories-009: a server that answers something else than 200', async () => {
    await using server = await startServer((_request, response) => response.writeHead(204).end())
    await expect(loadGateway({ config: at(server.url) })).rejects.toThrow(/204/)
  })

  it.each([
    ['rule-repositories-010', 'is no longer a list of rules', (file: string) => ({ file, content: '{"nope' })],
    ['rule-repositories-011', 'is gone', () => undefined],
  ] as const)('%s: a file that %s keeps its last rules', async (_id, _event, change) => {
    await using test = await loadGateway({ config: handlers, rules: [rule('1')] })
    const changed = change('rules.json')
    if (changed === undefined) rmSync(path.join(test.directory, 'rules.json'))
    else test.write(changed.file, changed.content)
    expect(idsOf(await test.gateway.reload())).toEqual(['1'])
  })

  // The deliberate difference of rule-repositories-012: a reload, and so the poll, asks the server again.
  it('rule-repositories-012: a server whose rules change is asked again', async () => {
    const answers = [[rule('1')], [rule('2')]]
    await using server = await startServer((_request, response) => {
      response.end(JSON.stringify(answers.length > 1 ? answers.shift() : answers[0]))
    })
    await using test = await loadGateway({ config: at(server.url) })
    expect(idsOf(await test.gateway.reload())).toEqual(['2'])
  })
})

describe('upstreams in trouble', () => {
  const through = (upstream: string, config: object = {}) =>
    startGateway({ config: { ...handlers, ...config }, rules: [rule('a', upstream)] })

  it('proxy-errors-002: a host that the DNS does not know', async () => {
    await using test = await through('http://does-not-exist.invalid')
    expect((await fetch(`${test.proxy}/a`)).status).toBe(502)
  })

  it('proxy-errors-003: one that does not answer in time', async () => {
    await using upstream = await startServer(() => undefined)
    await using test = await through(upstream.url, { upstream: { timeout: { response: '50ms' } } })
    expect((await fetch(`${test.proxy}/a`)).status).toBe(504)
  })

  it('proxy-errors-004: a client that does not wait for it', async () => {
    const asked = Promise.withResolvers<undefined>()
    await using upstream = await startServer(() => asked.resolve(undefined))
    await using test = await through(upstream.url)
    const client = await openClient(test.addresses.proxy.port)
    client.write('GET /a HTTP/1.1\r\nHost: h\r\n\r\n')
    await asked.promise
    client.close()
    await expect.poll(() => test.log.some((line) => /"status":499\b/.test(line))).toBe(true)
  })

  it('proxy-errors-005: its own 503 is passed through', async () => {
    await using upstream = await startServer((_request, response) => response.writeHead(503).end('mine'))
    await using test = await through(upstream.url)
    const response = await fetch(`${test.proxy}/a`)
    expect([response.status, await response.text()]).toEqual([503, 'mine'])
  })
})

describe('tokens', () => {
  const secret = Buffer.from('a'.repeat(32)).toString('base64url')
  const jwks = Buffer.from(JSON.stringify({ keys: [{ kty: 'oct', alg: 'HS256', kid: 'k', k: secret }] })).toString(
    'base64',
  )
  const idToken = { issuer_url: 'http://h/', jwks_url: `base64://${jwks}` }

  it.each([
    ['id-token-defaults-003', 'noop', { sub: '' }],
    ['id-token-defaults-004', 'anonymous', { sub: 'anonymous' }],
  ])('%s', async (_, authenticator, expected) => {
    await using test = await loadGateway({
      config: {
        authenticators: { [authenticator]: on },
        authorizers: { allow: on },
        mutators: { id_token: { enabled: true, config: idToken } },
      },
      rules: [{ ...rule('a'), authenticators: [{ handler: authenticator }], mutators: [{ handler: 'id_token' }] }],
    })
    const decision = await test.gateway.decide(inboundOf('http://h/a'))
    const [, value] = (decision.allowed ? decision.edits : []).find(([name]) => name === 'authorization') ?? []
    const claims = JSON.parse(Buffer.from(value?.split('.')[1] ?? '', 'base64url').toString()) as object
    expect(claims).toMatchObject(expected)
    expect(Object.keys(claims).toSorted()).toEqual(['exp', 'iat', 'iss', 'jti', 'nbf', 'sub'])
  })
})
