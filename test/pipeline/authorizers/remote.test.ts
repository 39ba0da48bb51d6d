import { describe, expect, it } from 'vitest'
import type { Decision } from '../../../src/pipeline/contract/decision.ts'
import type { AnyHandler } from '../../../src/pipeline/contract/handler.ts'
import type { JsonObject } from '../../../src/pipeline/contract/values.ts'
import { ketoEngineAcpOry } from '../../../src/pipeline/authorizers/keto_engine_acp_ory.ts'
import { remote } from '../../../src/pipeline/authorizers/remote.ts'
import { remoteJson } from '../../../src/pipeline/authorizers/remote_json.ts'
import { startService, type ServiceAnswer } from '../../support/service.ts'
import { casesOf } from '../../tokens/support.ts'
import { answerOf, editsOf, refused, statusOf } from '../scenario.ts'
import { type AskingRequest, type AskingRule, decideOn, loadAskingRule } from '../services.ts'

const nowhere = 'http://127.0.0.1:9/'
const globals: Readonly<Record<string, object>> = {
  remote: { remote: nowhere },
  remote_json: { remote: nowhere, payload: '{}' },
}

async function decided(
  handler: 'remote' | 'remote_json',
  config: object,
  request: AskingRequest = {},
  rule: AskingRule = {},
): Promise<Decision> {
  const enabled = { authorizers: { [handler]: globals[handler]! }, mutators: {} }
  await using gateway = await loadAskingRule({ enabled, authorizer: { handler, config }, ...rule })
  return await decideOn(gateway, request, rule.groups)
}

interface Vector {
  readonly id: string
  readonly group: string
  readonly given: {
    readonly config: JsonObject
    readonly remote: { readonly status: number; readonly headers?: Record<string, string> } | null
    readonly session: { readonly subject?: string; readonly extra?: JsonObject; readonly groups?: string[] }
  }
  readonly when: { readonly request: AskingRequest }
  readonly expect: {
    readonly allowed?: true
    readonly error?: string | true
    readonly error_contains?: string
    readonly error_status?: number
    readonly message?: string
    readonly follows_redirect?: true
    readonly session_headers?: Record<string, string>
    readonly remote_request?: {
      readonly method?: string
      readonly headers?: Record<string, string>
      readonly absent_headers?: string[]
      readonly body?: string
    }
  }
}

/** How a fault that Oathkeeper words like this is told here. */
const wordings: Readonly<Record<string, string>> = {
  'unexpected end of JSON input': 'payload is not a JSON text',
  'function "Invalid" not defined': 'Invalid',
}

/** What a decision has to look like for a case. */
function wantedDecision({ error, error_contains, error_status, message, session_headers }: Vector['expect']): object {
  if (error === undefined && error_status === undefined && error_contains === undefined) {
    return { allowed: true, edits: Object.entries(session_headers ?? {}) }
  }
  const reason = expect.stringContaining(wordings[error_contains ?? ''] ?? '') as unknown
  return {
    allowed: false,
    answer: { status: error_status ?? 500 },
    error: { ...(message !== undefined && { message }), ...(error_contains !== undefined && { reason }) },
  }
}

/** What the calls of the service have to look like for a case; undefined when it says nothing about them. */
function wantedCalls({ remote_request: request, follows_redirect }: Vector['expect']): object[] | undefined {
  if (follows_redirect === true) return [{ url: '/' }, { url: '/there' }]
  if (request === undefined) return undefined
  const { method = 'POST', headers = {}, absent_headers: absent = [], body } = request
  return [
    {
      method,
      headers: {
        ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
        ...Object.fromEntries(absent.map((name) => [name.toLowerCase(), undefined])),
      },
      ...(body !== undefined && { body }),
    },
  ]
}

describe.each(['remote', 'remote_json'] as const)('recorded cases of %s', (handler) => {
  const isWhole = ({ given }: Vector): boolean => given.remote !== null || 'remote' in given.config
  const cases = casesOf('oathkeeper', `authorizer_${handler}`) as Vector[]

  it.each(cases.filter(isWhole))('$id', async ({ given, when, expect: expected }) => {
    const { status = 200, headers = {} } = given.remote ?? {}
    await using service = await startService(({ url }) =>
      url === '/there' ? {} : { status, headers: status === 302 ? { Location: '/there' } : headers },
    )
    const config = given.remote === null ? given.config : { remote: `${service.url}/`, ...given.config }
    const { groups, ...session } = given.session
    expect(await decided(handler, config, when.request, { session, groups })).toMatchObject(wantedDecision(expected))
    const calls = service.calls.map((call) => ({ ...call, headers: { ...absentOnes(expected), ...call.headers } }))
    expect(calls).toMatchObject(wantedCalls(expected) ?? calls)
  })

  it('has no service without its address (authorizer-remote-001)', () => {
    const incomplete = cases.filter((vector) => !isWhole(vector))
    expect(incomplete.map(({ id }) => id)).toEqual(handler === 'remote' ? ['authorizer-remote-001'] : [])
    for (const { given } of incomplete) expect(remote.config.safeParse(given.config).success).toBe(false)
  })
})

/** A matcher of objects finds only members that are there, if undefined. */
const absentOnes = ({ remote_request: request }: Vector['expect']): object =>
  Object.fromEntries((request?.absent_headers ?? []).map((name) => [name.toLowerCase(), undefined]))

interface ConfigVector {
  readonly id: string
  readonly given: { readonly handler: string; readonly enabled?: boolean }
  readonly when: { readonly config: JsonObject }
  readonly expect: { readonly valid?: boolean; readonly effective?: JsonObject }
}

describe('recorded configs', () => {
  const handlers: readonly AnyHandler[] = [remote, remoteJson, ketoEngineAcpOry]
  const cases = casesOf('oathkeeper', 'authorizer_config_validation') as ConfigVector[]
  const durations: Readonly<Record<string, number>> = { '100ms': 100, '1s': 1000 }
  const inMilliseconds = (effective: JsonObject): object =>
    JSON.parse(JSON.stringify(effective), (_, value) => durations[value as string] ?? (value as unknown)) as object

  it.each(cases.filter(({ given }) => given.enabled !== false))('$id', ({ given, when, expect: expected }) => {
    const { config } = handlers.find(({ name }) => name === given.handler)!
    const parsed = config.safeParse(when.config)
    expect(parsed.success).toBe(expected.valid ?? true)
    expect(parsed.data ?? {}).toMatchObject(inMilliseconds(expected.effective ?? {}))
  })

  it.each(cases.filter(({ given }) => given.enabled === false))('$id', async ({ given, when }) => {
    await using gateway = await loadAskingRule({ authorizer: { handler: given.handler, config: when.config } })
    expect(refused(await decideOn(gateway)).error).toMatchObject({
      code: 'rule_misconfigured',
      reason: `Authorizer "${given.handler}" is disabled per configuration.`,
    })
  })
})

describe.each([
  ['remote', {}],
  ['remote_json', { payload: '{}' }],
] as const)('%s', (handler, given) => {
  const ask = async (answer: ServiceAnswer, config: object = {}, rule: AskingRule = {}): Promise<Decision> => {
    await using service = await startService(() => answer)
    return await decided(handler, { remote: service.url, ...given, ...config }, {}, rule)
  }

  it('refuses with 403 when the service does', async () => {
    expect(refused(await ask({ status: 403 })).error).toMatchObject({ code: 'access_denied', status: 403 })
  })

  it('tells the client when to come back after 429', async () => {
    const decision = await ask({
      status: 429,
      headers: { 'Retry-After': '7', 'X-RateLimit-Limit': '3', 'X-Other': '1' },
    })
    const { status, headers } = answerOf(decision)
    expect(status).toBe(429)
    expect(headers).toMatchObject({ 'retry-after': '7', 'x-ratelimit-limit': '3' })
    expect(headers).not.toHaveProperty('x-other')
  })

  it.each([201, 204, 304, 400, 401, 404, 500, 501, 503])('comes to no decision after %i', async (status) => {
    expect(refused(await ask({ status }, { retry: { max_delay: '1ms' } })).error).toMatchObject({
      code: 'authorizer_failed',
      status: 500,
      reason: `The remote authorizer answered ${status}`,
    })
  })

  it('comes to no decision without an answer, and says so without the address', async () => {
    const decision = await ask({ broken: true }, { retry: { max_delay: '1ms' } })
    expect(refused(decision).error).toMatchObject({ code: 'authorizer_failed', status: 500 })
    expect(answerOf(decision).body).not.toContain('127.0.0.1')
  })

  it('gives up after the time that it is given', async () => {
    await using service = await startService(() => undefined)
    const decision = await decided(handler, { remote: service.url, ...given, retry: { give_up_after: '50ms' } })
    expect(refused(decision).error).toMatchObject({
      code: 'authorizer_failed',
      reason: 'The remote authorizer did not answer in time',
    })
  })

  it('tries again after a passing fault', async () => {
    await using service = await startService((_, index) => ({ status: index < 2 ? 500 : 200 }))
    const config = { remote: service.url, ...given, retry: { give_up_after: '20s', max_delay: '1ms' } }
    expect(statusOf(await decided(handler, config, { body: 'once more' }))).toBe(200)
    expect(new Set(service.calls.map(({ body }) => body)).size).toBe(1)
    expect(service.calls).toHaveLength(3)
  })

  it('sets headers of the answer, empty ones where it has none, and owns them', async () => {
    const decision = await ask(
      { headers: { 'X-Role': Buffer.from('größer').toString('latin1'), 'X-Old': 'gr\u{f6}ßer' } },
      { forward_response_headers_to_upstream: ['X-Role', 'X-Old', 'X-Missing'] },
    )
    expect(editsOf(decision)).toEqual({ 'x-role': 'größer', 'x-old': 'größer', 'x-missing': '' })
  })

  it.each([
    ['oathkeeper', undefined, { authorization: 'Bearer t' }],
    ['secure', undefined, {}],
    ['oathkeeper', [], {}],
    ['secure', ['Cookie', 'x-tenant'], { cookie: 's=1', 'x-tenant': 'a' }],
  ])('sends in profile %s with forward_http_headers %j of the client: %j', async (profile, names, sent) => {
    await using service = await startService(() => ({}))
    const config = { remote: service.url, ...given, ...(names !== undefined && { forward_http_headers: names }) }
    const headers = { authorization: 'Bearer t', cookie: 's=1', 'x-tenant': 'a', 'x-session-token': 'secret' }
    expect(statusOf(await decided(handler, config, { headers }, { config: { profile } }))).toBe(200)
    const received = service.calls[0]!.headers
    expect(
      Object.fromEntries(Object.keys(headers).flatMap((name) => (received[name] ? [[name, received[name]]] : []))),
    ).toEqual(sent)
  })

  it('sends the values of templates as UTF-8', async () => {
    await using service = await startService(() => ({}))
    const config = { remote: service.url, ...given, headers: { 'X-Subject': '{{ .Subject }}' } }
    await decided(handler, config, {}, { session: { subject: '日本' } })
    expect(Buffer.from(String(service.calls[0]!.headers['x-subject']), 'latin1').toString()).toBe('日本')
  })

  it.each(['Content-Length', 'host', 'Transfer-Encoding', 'Connection'])('cannot set %s', async (name) => {
    const decision = await decided(handler, { ...given, remote: nowhere, headers: { [name]: 'x' } })
    expect(refused(decision).error.code).toBe('rule_misconfigured')
  })
})

describe('remote_json', () => {
  const payload = '{"subject":"{{ .Subject }}","email":{{ .Extra.email | toJson }},"nick":{{ .Extra.nick }}}'

  it('keeps values to their place in the payload', async () => {
    await using service = await startService(() => ({}))
    const session = { subject: '","admin":true,"x":"', extra: { email: '"},{', nick: 7 } }
    expect(statusOf(await decided('remote_json', { remote: service.url, payload }, {}, { session }))).toBe(200)
    expect(JSON.parse(service.calls[0]!.body)).toEqual({ subject: session.subject, email: '"},{', nick: 7 })
  })

  it('does not ask with a payload that a value would take apart', async () => {
    await using service = await startService(() => ({}))
    const session = { subject: 'a', extra: { email: 'b', nick: '1,"admin":true' } }
    const decision = await decided('remote_json', { remote: service.url, payload }, {}, { session })
    expect(refused(decision).error).toMatchObject({ code: 'template_failed', status: 500 })
    expect(answerOf(decision).body).not.toContain('admin')
    expect(service.calls).toEqual([])
  })
})
