import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createApiApp, type ApiOptions } from '../../src/api/app.ts'
import { hostCheck } from '../../src/api/hosts.ts'
import { createMetricsApp } from '../../src/api/metrics.ts'
import type { ApiSnapshot } from '../../src/api/snapshot.ts'
import type { KeySet } from '../../src/pipeline/contract/keys.ts'
import { compileCors } from '../../src/proxy/cors.ts'
import type { Rule } from '../../src/rules/rule.ts'
import type { RequestRecord } from '../../src/telemetry/metrics.ts'

interface Vector {
  readonly id: string
  readonly group: string
  readonly given: { readonly valid_rules?: number; readonly rule?: Partial<Rule> }
  readonly when: { readonly path: string; readonly valid_rules?: number; readonly headers?: Record<string, string> }
  readonly expect: {
    readonly status?: number
    readonly body?: unknown
    readonly json?: Record<string, unknown>
    readonly array_length?: number
    readonly content_type?: string
    readonly id?: string
  }
}

const vectors = (
  JSON.parse(readFileSync(new URL('../vectors/oathkeeper.json', import.meta.url), 'utf8')) as { cases: Vector[] }
).cases.filter(({ group }) => group === 'api_rules' || group === 'api_health')

function ruleOf(id: string, rest: Partial<Rule> = {}): Rule {
  return {
    id,
    version: '',
    description: '',
    match: { url: `http://h/${id}`, methods: ['GET'] },
    authenticators: [{ handler: 'noop', config: null }],
    authorizer: { handler: 'allow', config: null },
    mutators: [{ handler: 'noop', config: null }],
    errors: null,
    upstream: { url: 'http://u', preserve_host: false, strip_path: '' },
    ...rest,
  }
}

function apiApp(snapshot: Partial<ApiSnapshot> = {}, options: Partial<ApiOptions> = {}) {
  const requests: RequestRecord[] = []
  const current: ApiSnapshot = {
    decide: () => {
      throw new Error('not asked here')
    },
    inbound: { safeguards: { path: 'resolve', client_headers: 'pass' }, sessionCookies: [] },
    validRules: [],
    keySets: [],
    answersTo: hostCheck(undefined),
    ...snapshot,
  }
  const app = createApiApp({
    revocations: { publish: () => undefined },
    current: () => current,
    health: () => ({}),
    version: '1.2.3',
    clock: { monotonic: () => 0 },
    log: { error: () => undefined },
    onRequest: (record) => requests.push(record),
    onDecision: () => undefined,
    ...options,
  })
  return { app, requests }
}

describe('vectors', () => {
  // Deliberate difference: /version is documented in Oathkeeper and not there; here it is.
  it.each(vectors.filter(({ id }) => !['api-health-005', 'api-rules-009'].includes(id)))(
    '$id',
    async ({ given, when, expect: wanted }) => {
      const count = given.valid_rules ?? when.valid_rules ?? 2
      const rules = Array.from({ length: count }, (_, index) => ruleOf(`foo${index + 1}`))
      const health = () => (count === 0 ? { notReady: 'No access rule is loaded' } : {})
      const { app } = apiApp({ validRules: rules }, { health })
      const response = await app.request(`http://api${when.path}`, { headers: when.headers ?? {} })
      const text = await response.text()
      expect(response.status).toBe(wanted.status ?? 200)
      expect(response.headers.get('content-type')).toBe(wanted.content_type ?? response.headers.get('content-type'))
      const document: unknown = typeof wanted.body === 'string' ? text : JSON.parse(text)
      expect(document).toEqual(wanted.body ?? document)
      expect(document).toMatchObject(wanted.id === undefined ? {} : { id: wanted.id })
      expect(wanted.array_length ?? lengthOf(document)).toBe(lengthOf(document))
    },
  )

  it('api-rules-009: one rule with all its keys, in Go’s spelling', async () => {
    const { given, expect: wanted } = vectors.find(({ id }) => id === 'api-rules-009') ?? {}
    const { app } = apiApp({ validRules: [ruleOf('a', fromVector(given?.rule ?? {}))] })
    const text = await (await app.request('http://api/rules/a')).text()
    // What the version is depends on the rule file's own.
    expect(JSON.parse(text)).toEqual({ ...wanted?.json, version: '' })
    expect(text).toContain(String.raw`\u003c.*\u003e`)
  })
})

const lengthOf = (document: unknown): number | undefined => (Array.isArray(document) ? document.length : undefined)

const filled = (ref: { handler: string }): object => ({ config: null, ...ref })

function fromVector(rule: Partial<Rule>): Partial<Rule> {
  const upstream = { preserve_host: false, strip_path: '', ...rule.upstream } as Rule['upstream']
  return {
    ...rule,
    upstream,
    authenticators: rule.authenticators?.map(filled) as Rule['authenticators'],
    mutators: rule.mutators?.map(filled) as Rule['mutators'],
    authorizer: filled((rule.authorizer ?? { handler: '' }) as { handler: string }) as Rule['authorizer'],
  }
}

describe('/rules', () => {
  const rules = Array.from({ length: 600 }, (_, index) => ruleOf(`r${index}`))
  it.each([
    ['', 50, 'r0'],
    ['?limit=10&offset=55', 10, 'r55'],
    ['?limit=1000', 500, 'r0'],
    ['?limit=-1', 0, undefined],
    ['?offset=590', 10, 'r590'],
    ['?offset=1e3', 50, 'r0'],
    ['?offset=100000', 0, undefined],
  ])('%s gives %i from %s on', async (query, length, first) => {
    const list = (await (await apiApp({ validRules: rules }).app.request(`http://api/rules${query}`)).json()) as Rule[]
    expect(list).toHaveLength(length)
    expect(list[0]?.id).toBe(first)
  })

  it('finds ids with any characters', async () => {
    const { app } = apiApp({ validRules: [ruleOf('a/b c:ä')] })
    expect((await app.request(`http://api/rules/${encodeURIComponent('a/b c:ä')}`)).status).toBe(200)
  })

  it('leaves out secrets and keeps the shape', async () => {
    const config = {
      api: { url: 'http://u:p@hydrator/', auth: { basic: { username: 'me', password: 'hunter2' } } },
      introspection_request_headers: { Authorization: 'Bearer abcdefgh1' },
      jwks_url: 'base64://eyJrZXlzIjpbXX0=',
      ttl: '5m',
    }
    const { app } = apiApp({ validRules: [ruleOf('r', { mutators: [{ handler: 'hydrator', config }] })] })
    const rule = (await (await app.request('http://api/rules/r')).json()) as Rule
    expect(rule.mutators).toEqual([
      {
        handler: 'hydrator',
        config: {
          api: { url: 'http://[redacted]@hydrator/', auth: { basic: { username: 'me', password: '[redacted]' } } },
          introspection_request_headers: { Authorization: '[redacted]' },
          jwks_url: 'base64://[redacted]',
          ttl: '5m',
        },
      },
    ])
  })
})

const unused = (): never => {
  throw new Error('the API signs nothing')
}

const keySet = (publicKeys: KeySet['publicKeys'], usable: boolean): KeySet => ({
  url: 'file:///k.json',
  problem: usable ? undefined : 'unreadable',
  publicKeys,
  keys: [],
  changesAt: undefined,
  signingKey: unused,
  firstKey: unused,
})

describe('/.well-known/jwks.json', () => {
  it('publishes the public halves, for a while', async () => {
    const key = { kty: 'OKP', crv: 'Ed25519', x: 'AA', kid: 'k', alg: 'EdDSA', use: 'sig' }
    const { app } = apiApp({ keySets: [keySet([key], true), keySet([], false)] })
    const response = await app.request('http://api/.well-known/jwks.json')
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(response.headers.get('cache-control')).toMatch(/^public, max-age=[1-9]\d*$/)
    expect(await response.json()).toEqual({ keys: [key] })
  })

  it('has no keys when there are only symmetric ones, or none configured', async () => {
    for (const keySets of [[], [keySet([], true)]]) {
      const response = await apiApp({ keySets }).app.request('http://api/.well-known/jwks.json')
      expect([response.status, await response.json()]).toEqual([200, { keys: [] }])
    }
  })

  it('api-jwks-003: fails when no key set can be read, so that verifiers keep what they know', async () => {
    const response = await apiApp({ keySets: [keySet([], false)] }).app.request('http://api/.well-known/jwks.json')
    expect(response.status).toBe(500)
    expect(response.headers.get('cache-control')).toBeNull()
  })
})

describe('/health/ready', () => {
  const at = new Date(0)
  const failedReload = { at, problems: ['a.yaml:1:2: no'] }

  it('is degraded, and says why, when the files were changed for the worse', async () => {
    const { app } = apiApp({}, { health: () => ({ failedReload }) })
    const response = await app.request('http://api/health/ready')
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      status: 'degraded',
      reload: { failed_at: '1970-01-01T00:00:00.000Z', problems: ['a.yaml:1:2: no'] },
    })
  })

  it('answers probes under any name, without details', async () => {
    const answersTo = hostCheck(['localhost'])
    const degraded = apiApp({ answersTo }, { health: () => ({ failedReload }) }).app
    expect(await (await degraded.request('http://10.0.0.7:4456/health/ready')).json()).toEqual({ status: 'degraded' })
    const down = apiApp({ answersTo }, { health: () => ({ notReady: 'file /etc/x' }) }).app
    const response = await down.request('http://10.0.0.7:4456/health/ready')
    expect(response.status).toBe(503)
    expect(await response.text()).not.toContain('/etc/x')
  })
})

describe('host names', () => {
  const answersTo = hostCheck(['localhost', '127.0.0.1', '[::1]', 'gateway', 'exact:81'])

  it.each(['localhost:4456', 'LOCALHOST', '127.0.0.1:1', '[::1]:4456', '[::1]', 'gateway:9', 'exact:81'])(
    'answers to %s',
    (host) => {
      expect(answersTo(host)).toBe(true)
    },
  )

  it.each([
    undefined,
    '',
    'attacker.example',
    'localhost.attacker.example',
    'xlocalhost',
    'exact:82',
    '[::2]',
    ':4456',
  ])('does not answer to %s', (host) => {
    expect(answersTo(host)).toBe(false)
  })

  it('leak-004: a page of a rebound name reads nothing', async () => {
    const cors = compileCors({
      allowedOrigins: ['*'],
      allowedMethods: ['GET'],
      allowedHeaders: [],
      exposedHeaders: [],
      allowCredentials: false,
      maxAge: 0,
    })
    const { app } = apiApp({ answersTo, cors, validRules: [ruleOf('secret-rule')] })
    for (const path of [
      '/rules',
      '/rules/secret-rule',
      '/decisions/x',
      '/version',
      '/.well-known/jwks.json',
      '/nope',
    ]) {
      const response = await app.request(`http://attacker.example:4456${path}`, {
        headers: { origin: 'http://attacker.example' },
      })
      expect(response.status).toBe(421)
      expect(response.headers.get('access-control-allow-origin')).toBeNull()
      expect(await response.text()).not.toContain('secret-rule')
    }
  })
})

describe('cors', () => {
  const cors = compileCors({
    allowedOrigins: ['https://app.example'],
    allowedMethods: ['GET'],
    allowedHeaders: ['Authorization'],
    exposedHeaders: ['X-A'],
    allowCredentials: true,
    maxAge: 0,
  })
  const origin = 'https://app.example'

  it('answers preflights before anything else', async () => {
    const { app } = apiApp({ cors })
    const headers = { origin, 'access-control-request-method': 'GET' }
    const response = await app.request('http://api/rules', { method: 'OPTIONS', headers })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe(origin)
  })

  it('adds its headers to answers and errors alike', async () => {
    const { app } = apiApp({ cors })
    for (const path of ['/rules', '/nope']) {
      const response = await app.request(`http://api${path}`, { headers: { origin } })
      expect(response.headers.get('access-control-allow-origin')).toBe(origin)
      expect(response.headers.get('vary')).toBe('Origin')
    }
  })
})

describe('everything else', () => {
  it.each([
    ['application/json', 'application/json; charset=utf-8'],
    ['text/plain', 'text/plain; charset=utf-8'],
    ['text/html,application/json;q=0.9', 'text/html; charset=utf-8'],
    ['*/*', 'text/html; charset=utf-8'],
    [undefined, 'text/html; charset=utf-8'],
  ])('is a 404 page for Accept: %s', async (accept, type) => {
    const response = await apiApp().app.request('http://api/nope', { headers: accept === undefined ? {} : { accept } })
    expect([response.status, response.headers.get('content-type')]).toEqual([404, type])
  })

  it('is also the answer to a wrong method', async () => {
    expect((await apiApp().app.request('http://api/rules', { method: 'POST' })).status).toBe(404)
  })

  it('is one thing in the metrics', async () => {
    const { app, requests } = apiApp()
    for (const path of ['/nope?x', '/rules', '/health/alive']) await app.request(`http://api${path}`)
    expect(requests.map(({ target, known }) => [target, known])).toEqual([
      ['/nope', false],
      ['/rules', true],
      ['/health/alive', true],
    ])
  })

  it('/version tells the version (the difference of api-health-005)', async () => {
    expect(await (await apiApp().app.request('http://api/version')).json()).toEqual({ version: '1.2.3' })
  })
})

describe('the metrics app', () => {
  const metrics = {
    text: () => Promise.resolve('m 1\n'),
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
  } as const

  it('answers on any path unless one is set', async () => {
    for (const path of ['/', '/metrics', '/a/b']) {
      const response = await createMetricsApp({ metrics, path: undefined }).request(path)
      expect([await response.text(), response.headers.get('content-type')]).toEqual(['m 1\n', metrics.contentType])
    }
    const own = createMetricsApp({ metrics, path: '/m' })
    expect((await own.request('/m')).status).toBe(200)
    expect((await own.request('/metrics')).status).toBe(404)
  })
})
