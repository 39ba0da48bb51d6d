import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createApiApp } from '../../src/api/app.ts'
import { hostCheck } from '../../src/api/hosts.ts'
import { createApiServer } from '../../src/api/server.ts'
import type { ApiSnapshot } from '../../src/api/snapshot.ts'
import type { Decision } from '../../src/pipeline/contract/decision.ts'
import type { Inbound } from '../../src/pipeline/contract/inbound.ts'
import type { DecisionRecord } from '../../src/telemetry/decision_log.ts'
import type { RequestRecord } from '../../src/telemetry/metrics.ts'
import { generateKeySet } from '../../src/tokens/generate.ts'
import { startGateway } from '../support/gateway.ts'
import { sendRaw, type RawResponse } from '../support/raw-client.ts'

type Json = Record<string, unknown>

interface Vector {
  readonly id: string
  readonly group: string
  readonly given: Json & { readonly tls?: boolean; readonly rule?: string; readonly rules?: readonly (string | Json)[] }
  readonly when: {
    readonly request:
      | string
      | {
          readonly method: string
          readonly path: string
          readonly host?: string
          readonly headers?: Record<string, string>
          readonly body?: string
        }
    readonly headers?: Record<string, string>
  }
  readonly expect: {
    readonly matched_against?: { readonly method: string; readonly url: string }
    readonly status?: number
    readonly safe_status?: number
    readonly headers?: Record<string, string>
    readonly headers_match?: Record<string, string>
    readonly absent_headers?: readonly string[]
    readonly body?: string
    readonly location?: string
  }
}

const vectors = (
  JSON.parse(readFileSync(new URL('../vectors/oathkeeper.json', import.meta.url), 'utf8')) as { cases: Vector[] }
).cases.filter(({ group }) => group === 'decisions_api')

/** An app whose decisions are all the same, and what it was asked and said. */
function stubApp(decision: Partial<Decision> = {}, settings: Partial<ApiSnapshot> = {}) {
  const asked: Inbound[] = []
  const decisions: DecisionRecord[] = []
  const requests: RequestRecord[] = []
  const errors: string[] = []
  const snapshot: ApiSnapshot = {
    decide(inbound) {
      asked.push(inbound)
      return {
        allowed: true,
        ruleId: 'r',
        session: { subject: 's', extra: null },
        edits: [],
        responseHeaders: [],
        echoRequestHeaders: false,
        ...decision,
      } as Decision
    },
    inbound: { safeguards: { path: 'resolve', client_headers: 'pass' }, sessionCookies: ['ory_kratos_session'] },
    validRules: [],
    keySets: [],
    answersTo: hostCheck(undefined),
    ...settings,
  }
  const app = createApiApp({
    revocations: { publish: () => undefined },
    current: () => snapshot,
    health: () => ({}),
    version: '1.2.3',
    clock: { monotonic: () => 0 },
    log: { error: (_, message) => errors.push(message) },
    onRequest: (record) => requests.push(record),
    onDecision: (record) => decisions.push(record),
  })
  return { app, asked, decisions, requests, errors }
}

const strict = {
  inbound: { safeguards: { path: 'refuse', client_headers: 'drop' }, sessionCookies: ['ory_kratos_session'] },
} as const

describe('what is matched (vectors)', () => {
  it.each(vectors.filter(({ expect: wanted }) => wanted.matched_against !== undefined))(
    '$id',
    async ({ given, when, expect: wanted }) => {
      const [method = '', url = ''] = (when.request as string).split(' ')
      const { app, asked } = stubApp()
      const target = given.tls === true ? url.replace('http:', 'https:') : url
      expect((await app.request(target, { method, headers: when.headers ?? {} })).status).toBe(200)
      const [inbound] = asked
      expect({ method: inbound?.method, url: `${inbound?.scheme}://${inbound?.host}${inbound?.path}` }).toEqual(
        wanted.matched_against,
      )
    },
  )
})

/** Deliberate differences, with what holds here instead. */
const differences: Record<string, number> = {
  // X-Forwarded-Uri is decoded, as the path of a proxied request is: what is decided is what the upstream serves.
  'decisions-api-026': 200,
}

/** Handlers of the vectors by the names they use; `failing` cannot sign. */
const handlers: Record<string, Json> = {
  failing: { handler: 'id_token', config: { jwks_url: 'file:///does/not/exist.json' } },
}
const ref = (name: unknown): unknown => (typeof name === 'string' ? (handlers[name] ?? { handler: name }) : name)
const refs = (names: unknown): unknown => (Array.isArray(names) ? names.map(ref) : undefined)

/** `{header: {X: y}}` and `{redirect: {to: z}}` are short for a handler and its config. */
function spelledOut(entries: unknown): unknown {
  if (!Array.isArray(entries)) return undefined
  return entries.map((entry: unknown) => {
    if (typeof entry === 'string') return ref(entry)
    const [[handler, config] = []] = Object.entries(entry as Json)
    return { handler, config: handler === 'header' ? { headers: config } : config }
  })
}

function rulesOf({ given }: Vector): object[] {
  const { rule, rules, ...overrides } = given
  const fill = (source: string | Json, index: number): object => {
    if (typeof source === 'string') {
      const [url = '', authorizer = 'allow'] = source.split(/ (?=allow|deny)| anonymous$/)
      return {
        id: `r${index}`,
        match: { url, methods: ['GET', 'POST'] },
        authenticators: refs(overrides['authenticators']) ?? [{ handler: 'anonymous' }],
        authorizer: { handler: authorizer },
        mutators: spelledOut(overrides['mutators']) ?? [{ handler: 'noop' }],
        errors: spelledOut(overrides['errors']),
      }
    }
    return {
      id: `r${index}`,
      ...source,
      authenticators: refs(source['authenticators']),
      authorizer: source['authorizer'] === undefined ? undefined : ref(source['authorizer']),
      mutators: refs(source['mutators']),
      errors: refs(source['errors']),
    }
  }
  return (rules ?? (rule === undefined ? [] : [rule])).map(fill)
}

describe('decisions (vectors)', () => {
  it.each(vectors.filter(({ expect: wanted }) => wanted.matched_against === undefined))('$id', async (vector) => {
    const { id, given, when, expect: wanted } = vector
    const request = when.request as Exclude<Vector['when']['request'], string>
    const keys = Buffer.from(JSON.stringify(await generateKeySet({ alg: 'ES256' }))).toString('base64')
    const enabled = { enabled: true }
    await using gateway = await startGateway({
      rules: rulesOf(vector).map((rule) => JSON.parse(JSON.stringify(rule).replaceAll('HOST', 'gw.example')) as object),
      config: {
        authenticators: {
          noop: enabled,
          unauthorized: enabled,
          anonymous: { enabled: true, config: { subject: (given['subject'] as string | undefined) ?? 'anonymous' } },
        },
        authorizers: { allow: enabled, deny: enabled },
        mutators: {
          noop: enabled,
          header: { enabled: true, config: { headers: {} } },
          id_token: { enabled: true, config: { issuer_url: 'https://gw/', jwks_url: `base64://${keys}` } },
        },
        errors: {
          handlers: {
            json: enabled,
            redirect: { enabled: true, config: { to: 'http://login/' } },
            www_authenticate: enabled,
          },
        },
      },
    })
    const { 'Content-Length': length = request.body?.length, ...headers } = request.headers ?? {}
    const lines = Object.entries({ Host: request.host ?? 'gw.example', Connection: 'close', ...headers })
    const body = request.body === undefined ? '' : request.body.padEnd(Number(length), ' ')
    if (length !== undefined) lines.push(['Content-Length', String(length)])
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    const response = await sendRaw(
      gateway.addresses.api.port,
      `${request.method} ${request.path} HTTP/1.1\r\n${head}\r\n${body}`,
    )

    const names = Object.keys({ ...wanted.headers, ...wanted.headers_match })
    expect({
      status: response.status,
      headers: Object.fromEntries(names.map((name) => [name, response.header(name)])),
      absent: wanted.absent_headers?.filter((name) => response.header(name) !== undefined) ?? [],
      location: response.header('location'),
    }).toEqual({
      status: differences[id] ?? wanted.safe_status ?? wanted.status,
      headers: {
        ...wanted.headers,
        ...Object.fromEntries(
          Object.entries(wanted.headers_match ?? {}).map(([name, pattern]) => [name, expect.stringMatching(pattern)]),
        ),
      },
      absent: [],
      location: wanted.location,
    })
    expect([wanted.body, undefined]).toContain(wanted.body === undefined ? undefined : response.body.toString())
  })
})

describe('the answer', () => {
  it('carries what mutators set, last value wins, and relays cookies of the session store', async () => {
    const { app } = stubApp({
      edits: [
        ['X-User', 'ä'],
        ['X-Role', 'a'],
        ['X-Role', 'b'],
        ['X-Gone', null],
      ],
      responseHeaders: [
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
      ],
    })
    const response = await app.request('http://api/decisions/x')
    expect(response.headers.get('x-user')).toBe(Buffer.from('ä').toString('latin1'))
    expect(response.headers.get('x-role')).toBe('b')
    expect(response.headers.has('x-gone')).toBe(false)
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(response.headers.get('content-length')).toBe('0')
  })

  it('echoes end-to-end request headers only, and never over what a mutator said', async () => {
    const { app } = stubApp({
      echoRequestHeaders: true,
      edits: [
        ['Authorization', 'ours'],
        ['X-Gone', null],
      ],
    })
    const headers = { authorization: 'theirs', 'x-gone': '1', 'x-kept': '2', connection: 'close', te: 'trailers' }
    const response = await app.request('http://api/decisions/x', { headers })
    expect(Object.fromEntries(response.headers)).toEqual({
      authorization: 'ours',
      'x-kept': '2',
      'content-length': '0',
    })
  })

  it('is 500 and a refusal when an edit cannot be a header', async () => {
    const { app, decisions } = stubApp({ edits: [['X-Bad', 'a\r\nb']] })
    const response = await app.request('http://api/decisions/x')
    expect(response.status).toBe(500)
    expect(decisions).toMatchObject([{ granted: false, code: 'template_failed', status: 500, ruleId: 'r' }])
  })

  it('is a 500 without details when the gateway itself fails', async () => {
    const { app, errors } = stubApp({}, { decide: () => Promise.reject(new Error('secret path /etc/x')) })
    const response = await app.request('http://api/decisions/x')
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('secret')
    expect(errors).toEqual(['The API failed unexpectedly'])
  })

  it('is recorded', async () => {
    const { app, decisions, requests } = stubApp()
    await app.request('http://api/decisions/a?token=x', { headers: { 'user-agent': 'ua', traceparent: 'tp' } })
    expect(decisions).toEqual([
      {
        method: 'GET',
        scheme: 'http',
        host: 'api',
        path: '/a',
        userAgent: 'ua',
        traceparent: 'tp',
        clientIp: '127.0.0.1',
        granted: true,
        span: undefined,
        ruleId: 'r',
        session: { subject: 's', extra: null },
        code: undefined,
        detail: undefined,
        status: 200,
        durationMs: 0,
      },
    ])
    expect(requests).toMatchObject([{ service: 'oathkeeper-api', target: '/decisions', status: 200, known: true }])
  })
})

describe('the query', () => {
  it("is the call's own, else that of X-Forwarded-Uri", async () => {
    const { app, asked } = stubApp()
    await app.request('http://api/decisions?b=2', { headers: { 'X-Forwarded-Uri': '/a?a=1' } })
    await app.request('http://api/decisions', { headers: { 'X-Forwarded-Uri': '/a?a=1' } })
    expect(asked.map(({ path, query }) => [path, query])).toEqual([
      ['/a', 'b=2'],
      ['/a', 'a=1'],
    ])
  })
})

/** One GET over a socket. */
async function send(target: string, headers = '', settings: Partial<ApiSnapshot> = {}) {
  const stub = stubApp({}, settings)
  const server = createApiServer({ fetch: stub.app.fetch, timeouts: { read: 5000, idle: 5000 } })
  const { port } = await server.listen(0, '127.0.0.1')
  try {
    const response: RawResponse = await sendRaw(
      port,
      `GET ${target} HTTP/1.1\r\nHost: gw-api:4456\r\nConnection: close\r\n${headers}\r\n`,
    )
    return { ...stub, response }
  } finally {
    await server.close(0)
  }
}

describe('over the wire', () => {
  it.each([
    ['/decisions/../health/alive', '/health/alive'],
    ['/decisions//../rules', '/rules'],
    ['/decisions/a/../../../rules', '/rules'],
    ['/decisions//a/./b/', '/a/b'],
  ])('%s asks about %s, and is no call of another route', async (target, path) => {
    const { response, asked } = await send(target)
    expect(asked.map((inbound) => inbound.path)).toEqual([path])
    expect(response.header('location')).toBeUndefined()
  })

  it.each([
    '/decisions/../health/alive',
    '/decisions//x',
    '/decisions/%2e%2e/x',
    '/decisions/a%2fb',
    '/decisions/a%00',
  ])('%s is refused strictly', async (target) => {
    const { response, asked, decisions } = await send(target, '', strict)
    expect(response.status).toBe(400)
    expect(asked).toEqual([])
    expect(decisions).toMatchObject([{ granted: false, code: 'request_invalid', status: 400 }])
  })

  it.each(['Method', 'Proto', 'Host', 'Uri'])('X-Forwarded-%s must not come twice', async (name) => {
    const value = { Method: 'GET', Proto: 'http', Host: 'h', Uri: '/a' }[name]
    const { response } = await send('/decisions', `X-Forwarded-${name}: ${value}\r\nX-Forwarded-${name}: ${value}\r\n`)
    expect(response.status).toBe(400)
  })

  it.each([
    'X-Forwarded-Host: a, b',
    'X-Forwarded-Host: a/b',
    'X-Forwarded-Proto: javascript',
    'X-Forwarded-Method: GET /x',
    'X-Forwarded-Uri: http://other/x',
    'X-Forwarded-Uri: x',
  ])('%s is refused', async (header) => {
    const { response, asked } = await send('/decisions', `${header}\r\n`)
    expect(response.status).toBe(400)
    expect(asked).toEqual([])
  })

  it('the root and the empty path are two questions', async () => {
    expect((await send('/decisions')).asked[0]).toMatchObject({ path: '', target: '/', host: 'gw-api:4456' })
    expect((await send('/decisions/')).asked[0]).toMatchObject({ path: '/', target: '/' })
  })

  it('an encoded prefix or an absolute target is no call', async () => {
    expect((await send('/%64ecisions/x')).response.status).toBe(404)
    expect((await send('http://gw-api:4456/decisions/x')).response.status).toBe(404)
  })
})
