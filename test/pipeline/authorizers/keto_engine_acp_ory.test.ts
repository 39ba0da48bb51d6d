import { describe, expect, it } from 'vitest'
import { clientAddress } from '../../../src/pipeline/client_address.ts'
import type { Decision } from '../../../src/pipeline/contract/decision.ts'
import type { JsonObject } from '../../../src/pipeline/contract/values.ts'
import { inboundOf } from '../../support/inbound.ts'
import { startService, type ServiceAnswer } from '../../support/service.ts'
import { casesOf } from '../../tokens/support.ts'
import { statusOf } from '../scenario.ts'
import { type AskingRule, decideOn, loadAskingRule } from '../services.ts'

const minimal = { required_action: 'read', required_resource: 'thing' }

async function decided(url: string, config: object = {}, rule: AskingRule = {}): Promise<Decision> {
  const handler = 'keto_engine_acp_ory'
  const enabled = { authorizers: { [handler]: { base_url: url, ...minimal } }, mutators: {} }
  await using gateway = await loadAskingRule({ enabled, authorizer: { handler, config }, ...rule })
  return await decideOn(gateway, {}, rule.groups)
}

const ask = async (answer: ServiceAnswer): Promise<Decision> => {
  await using keto = await startService(() => answer)
  return await decided(keto.url)
}

interface Vector {
  readonly id: string
  readonly given: {
    readonly config: JsonObject
    readonly keto?: { readonly body: JsonObject }
    readonly matching_strategy?: string
    readonly session?: { readonly subject: string; readonly groups: string[] }
  }
  readonly expect: {
    readonly allowed?: true
    readonly error_status?: number
    readonly message?: string
    readonly request?: { readonly path: string; readonly body: JsonObject }
  }
}

describe('the address of the client', () => {
  it.each([
    [[], '127.0.0.1'],
    [['203.0.113.7'], '203.0.113.7'],
    [['1.2.3.4, 203.0.113.7, 10.0.0.1'], '203.0.113.7'],
    [['1.2.3.4', ' 2001:db8::1 , fd00::1'], '2001:db8::1'],
    [['192.168.0.1, nonsense, ::1'], '127.0.0.1'],
  ])('behind proxies of %j is %s', (forwarded, expected) => {
    expect(clientAddress(inboundOf('http://h/', { headers: { 'X-Forwarded-For': forwarded } }))).toBe(expected)
  })
})

describe('recorded cases', () => {
  it.each(casesOf('oathkeeper', 'authorizer_keto') as Vector[])('$id', async ({ given, expect: expected }) => {
    await using keto = await startService(() => ({ body: JSON.stringify(given.keto?.body) }))
    const { groups, ...session } = given.session ?? {}
    const strategy = given.matching_strategy
    const decision = await decided(keto.url, given.config, {
      session,
      groups,
      ...(strategy !== undefined && {
        config: { access_rules: { matching_strategy: strategy, repositories: [`inline://${globRules}`] } },
      }),
    })
    expect(statusOf(decision)).toBe(expected.error_status ?? 200)
    expect(decision.allowed ? '' : decision.error.reason).toContain(expected.message ?? '')
    const context = {
      remoteIpAddress: '127.0.0.1',
      requestedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as unknown,
    }
    const calls = keto.calls.map(({ method, url, body }) => ({ method, path: url, body: JSON.parse(body) as unknown }))
    const { request } = expected
    expect(calls).toEqual(
      request === undefined ? [] : [{ method: 'POST', path: request.path, body: { ...request.body, context } }],
    )
  })
})

const globRules = Buffer.from(
  JSON.stringify([
    {
      id: 'asks',
      match: { url: 'http://gw.example', methods: ['POST'] },
      authenticators: [{ handler: 'scripted' }],
      authorizer: { handler: 'keto_engine_acp_ory' },
      mutators: [{ handler: 'noop' }],
      upstream: { url: 'http://127.0.0.1:9' },
    },
  ]),
).toString('base64')

describe('the answer', () => {
  it.each([
    ['allows', { body: '{"allowed":true}' }, 200],
    ['refuses', { body: '{"allowed":false}' }, 403],
    ['refuses by its status', { status: 403, body: '{"allowed":true}' }, 403],
    ['asks for less', { status: 429, headers: { 'Retry-After': '9' } }, 429],
    ['decides nothing', { body: '{}' }, 500],
    ['is no JSON', { body: 'yes' }, 500],
    ['is null', { body: 'null' }, 500],
    ['says yes as a text', { body: '{"allowed":"true"}' }, 500],
    ['is another status', { status: 404, body: '{"allowed":true}' }, 500],
    ['is an error of the server', { status: 500, body: '{"allowed":true}' }, 500],
    ['breaks off', { broken: true }, 500],
  ])('%s', async (_, answer, status) => {
    expect(statusOf(await ask(answer))).toBe(status)
  })
})

describe('the question', () => {
  it('has a subject of its own, a flavor and a base path when told so', async () => {
    await using keto = await startService(() => ({ body: '{"allowed":true}' }))
    const config = { base_url: `${keto.url}/keto`, subject: 'user:{{ .Subject }}', flavor: 'glob' }
    expect(statusOf(await decided(keto.url, config, { session: { subject: 'a"b' } }))).toBe(200)
    expect(keto.calls[0]!.url).toBe('/keto/engines/acp/ory/glob/allowed')
    expect(JSON.parse(keto.calls[0]!.body)).toMatchObject({ action: 'read', resource: 'thing', subject: 'user:a"b' })
  })
})
