/** Mistakes that load, and are warned of. */
import { describe, expect, it } from 'vitest'
import { generateKeySet } from '../../src/tokens/generate.ts'
import { loadGateway } from '../support/gateway.ts'
import { type RuleParts, ruleOf } from './scenario.ts'

const on = { enabled: true }
const session = { ...on, config: { check_session_url: 'http://127.0.0.1:9/' } }

interface Differing {
  readonly [section: string]: unknown
  readonly upstream?: object
  readonly match?: object
}

async function problemsOf(rules: readonly RuleParts[], { upstream = {}, match, ...config }: Differing = {}) {
  const jwks = await generateKeySet({ alg: 'ES256' })
  const idToken = {
    issuer_url: 'http://h/',
    jwks_url: `base64://${Buffer.from(JSON.stringify(jwks)).toString('base64')}`,
  }
  await using test = await loadGateway({
    config: {
      authenticators: {
        anonymous: on,
        noop: on,
        unauthorized: on,
        cookie_session: session,
        bearer_token: session,
        oauth2_introspection: { ...on, config: { introspection_url: 'http://127.0.0.1:9/' } },
      },
      authorizers: { allow: on },
      mutators: {
        noop: on,
        id_token: { ...on, config: idToken },
        header: { ...on, config: { headers: {} } },
        hydrator: { ...on, config: { api: { url: 'http://127.0.0.1:9/' } } },
      },
      errors: {
        handlers: {
          json: on,
          redirect: { ...on, config: { to: '/login' } },
          www_authenticate: on,
          step_up: { ...on, config: { to: '/login' } },
        },
      },
      ...config,
    },
    rules: rules.map((parts, index) => ({
      ...ruleOf(parts, `rule-${index}`),
      match: { url: `http://host-${index}/<.*>`, methods: ['GET'], ...match },
      upstream: { url: 'http://127.0.0.1:9', ...upstream },
    })),
  })
  const { problems } = test.gateway
  expect(problems.every(({ severity, hint }) => severity === 'warning' && hint !== undefined)).toBe(true)
  return problems.map(({ message, place }) => ({ message, text: typeof place === 'object' ? place.text.trim() : '' }))
}

const warnings = async (parts: RuleParts, config?: Differing): Promise<string[]> =>
  (await problemsOf([parts], config)).map(({ message }) => message)

const withToken = (config: object): RuleParts => ({ mutators: [{ handler: 'id_token', config }] })

describe('authorization left to the client', () => {
  const told = [expect.stringContaining("client's own Authorization")]
  it.each<[string, RuleParts, Differing, unknown[]]>([
    ['a session cookie and no mutator for it', { authenticators: ['cookie_session'] }, {}, told],
    ['beside other authenticators', { authenticators: ['bearer_token', 'cookie_session'] }, {}, told],
    ['no session cookie', { authenticators: ['bearer_token', 'anonymous'] }, {}, []],
    ['a token', { authenticators: ['cookie_session'], mutators: ['id_token'] }, {}, []],
    [
      'removed',
      { authenticators: ['cookie_session'], mutators: [{ handler: 'header', config: { remove: ['authorization'] } }] },
      {},
      [],
    ],
    ['profile secure', { authenticators: ['cookie_session'] }, { profile: 'secure' }, []],
    ['a rule that says so', { authenticators: ['cookie_session'] }, { upstream: { credentials: 'pass' } }, []],
    ['/decisions only', { authenticators: ['cookie_session'] }, { upstream: { url: '' } }, []],
  ])('%s', async (_, parts, config, expected) => {
    expect(await warnings(parts, config)).toEqual(expected)
  })
})

describe('a session of Kratos that is read as Oathkeeper reads others', () => {
  const kratos = { check_session_url: 'http://127.0.0.1:9/sessions/whoami', preserve_path: true }
  const asking = (handler: string, settings: object = {}) => ({ handler, config: { ...kratos, ...settings } })
  const header = (value: string) => [{ handler: 'header', config: { headers: { 'X-A': value } } }]
  const dropping = { safeguards: { client_headers: 'drop' } }
  const strict = { profile: 'secure' }
  const subject = expect.stringMatching(/^"subject_from" of "\w+" leads to nothing .*the subject is always empty$/)
  const unavailable = expect.stringMatching(/^"subject_from" .*every request is a 503$/)
  const extra = expect.stringMatching(/^"extra_from" of "\w+" leads to nothing in a session of Kratos/)

  it.each<[string, string, object, RuleParts['mutators'], Differing, unknown[]]>([
    ['a token', 'cookie_session', {}, ['id_token'], dropping, [subject]],
    ['a header of the subject', 'bearer_token', {}, header('{{ print .Subject }}'), dropping, [subject]],
    ['a header of the session', 'cookie_session', { subject_from: 'id' }, header('{{ .Extra.id }}'), dropping, [extra]],
    [
      'claims',
      'bearer_token',
      {},
      withToken({ claims: '{"a": "{{ .Extra.id }}"}' }).mutators,
      dropping,
      [subject, extra],
    ],
    [
      'claims of an object',
      'cookie_session',
      {},
      withToken({ claims: { a: '{{extra.id}}' } }).mutators,
      dropping,
      [subject, extra],
    ],
    ['the name of the default', 'cookie_session', { subject_from: 'subject' }, ['id_token'], dropping, [subject]],
    ['the default of the other', 'cookie_session', { subject_from: 'sub' }, ['id_token'], dropping, [subject]],
    ['a subject that has to be there', 'cookie_session', {}, ['noop'], strict, [unavailable]],
    [
      'both set',
      'cookie_session',
      { subject_from: 'identity.id', extra_from: '@this' },
      header('{{ .Subject }}{{ .Extra.id }}'),
      strict,
      [],
    ],
    ['nobody who reads any of it', 'cookie_session', {}, ['noop'], dropping, []],
    [
      'another session store',
      'cookie_session',
      { check_session_url: 'http://127.0.0.1:9/me' },
      ['id_token'],
      dropping,
      [],
    ],
  ])('%s', async (_name, handler, settings, mutators, config, expected) => {
    expect(await warnings({ authenticators: [asking(handler, settings)], mutators }, config)).toEqual(expected)
  })

  it('is told of once where the config says it for many rules', async () => {
    const cookie_session = { ...on, config: { ...kratos, extra_from: '@this' } }
    const rule: RuleParts = { authenticators: ['cookie_session'], mutators: ['id_token'] }
    expect(await problemsOf([rule, rule], { authenticators: { cookie_session }, ...dropping })).toHaveLength(1)
  })
})

describe('a data server that gets what clients send', () => {
  const all = 'the session cookie, Authorization, x-hasura-* headers'
  const hasura = { url: 'http://hasura.internal:8080' }
  const postgrest = { url: 'http://postgrest:3000' }
  const claims = (template: unknown): RuleParts => withToken({ claims: template })
  const dropsBoth = { mutators: [{ handler: 'header', config: { remove: ['Authorization', 'Cookie'] } }] }
  it.each<[string, RuleParts, Differing, string[]]>([
    ['Hasura by its host', {}, { upstream: hasura }, [`Hasura and gets, as the client sent it: ${all}`]],
    [
      'Hasura by its path',
      {},
      { upstream: { url: 'http://u/v1/graphql', websocket: false } },
      [`Hasura and gets, as the client sent it: ${all}`],
    ],
    [
      'Hasura by its claims',
      claims({ h: { 'x-hasura-user-id': 'a' } }),
      {},
      ['Hasura and gets, as the client sent it: the session cookie, x-hasura-* headers'],
    ],
    [
      'PostgREST by its host',
      {},
      { upstream: postgrest },
      ['PostgREST and gets, as the client sent it: the session cookie, Authorization'],
    ],
    [
      'PostgREST by its role',
      claims({ role: 'a' }),
      {},
      ['PostgREST and gets, as the client sent it: the session cookie'],
    ],
    [
      'PostgREST by its role, in a Go template',
      claims('{"role": "a"}'),
      {},
      ['PostgREST and gets, as the client sent it: the session cookie'],
    ],
    [
      'credentials removed',
      dropsBoth,
      { upstream: hasura },
      ['Hasura and gets, as the client sent it: x-hasura-* headers'],
    ],
    ['credentials removed for PostgREST', dropsBoth, { upstream: postgrest }, []],
    ['credentials dropped', {}, { upstream: { ...postgrest, credentials: 'drop' } }, []],
    ['all dropped by the rule', {}, { upstream: { ...hasura, client_headers: 'drop' } }, []],
    ['all dropped by the config', {}, { upstream: hasura, safeguards: { client_headers: 'drop' } }, []],
    ['a rule that says so', {}, { upstream: { ...hasura, client_headers: 'pass' } }, []],
    ['profile secure', {}, { upstream: hasura, profile: 'secure' }, []],
    [
      'profile secure, and a rule that passes',
      {},
      { upstream: { ...hasura, client_headers: 'pass' }, profile: 'secure' },
      [],
    ],
    ['another server', {}, { upstream: { url: 'http://notes' } }, []],
    ['/decisions only', {}, { upstream: { url: '' } }, []],
  ])('%s', async (_, parts, config, expected) => {
    expect(await warnings(parts, config)).toEqual(expected.map((text) => `The upstream looks like ${text}`))
  })
})

describe('id_token', () => {
  it.each([
    ['1h', 0],
    ['61m', 1],
    ['24h', 1],
  ])('ttl %s', async (ttl, count) => {
    expect(await warnings(withToken({ ttl }))).toHaveLength(count)
  })

  it('sees a default role that is not allowed, also in a Go template', async () => {
    const roles = {
      'x-hasura-default-role': 'user',
      'x-hasura-allowed-roles': ['admin'],
      'x-hasura-user-id': '{{ print .Subject }}',
    }
    const claims = JSON.stringify({ 'https://hasura.io/jwt/claims': roles })
    const secure = { profile: 'secure' }
    expect(await warnings(withToken({ claims }), secure)).toEqual([expect.stringContaining('default role "user"')])
  })
})

const handler = (name: string, config?: object) => ({ handler: name, ...(config !== undefined && { config }) })

describe('authenticators that are never asked', () => {
  const noop = '"bearer_token" is never asked: "noop" before it answers for every request'
  it.each<[string, RuleParts['authenticators'], unknown[]]>([
    ['noop before another', ['noop', 'bearer_token'], [noop]],
    ['noop last', ['bearer_token', 'noop'], []],
    ['unauthorized before another', ['unauthorized', 'noop'], [expect.stringContaining('"noop" is never asked')]],
    ['unauthorized that passes on', [{ ...handler('unauthorized'), on_error: 'next' } as never, 'noop'], []],
    ['a cookie behind anonymous', ['anonymous', 'cookie_session'], [expect.stringContaining('looks for a cookie')]],
    ['a token of the Authorization header behind anonymous', ['anonymous', 'bearer_token'], []],
    [
      'another token behind anonymous',
      ['anonymous', handler('bearer_token', { token_from: { query_parameter: 'token' } })],
      [expect.stringContaining('looks for a query parameter')],
    ],
    ['anonymous last', ['cookie_session', 'anonymous'], []],
  ])('%s', async (_, authenticators, expected) => {
    expect(await warnings({ authenticators, mutators: ['id_token'] })).toEqual(expected)
  })
})

describe('a session store that is asked at the path of the request', () => {
  const check_session_url = 'http://127.0.0.1:9/sessions/whoami'
  const subject_from = 'identity.id'
  it.each(['cookie_session', 'bearer_token'])('%s', async (name) => {
    const asked = (config: object) => ({
      authenticators: [handler(name, { check_session_url, subject_from, ...config })],
      mutators: ['id_token'],
    })
    expect(await warnings(asked({}))).toEqual([expect.stringContaining('preserve_path is not set')])
    expect(await warnings(asked({ preserve_path: true }))).toEqual([])
    expect(await warnings(asked({}), { profile: 'secure' })).toEqual([])
  })
})

describe('a token that the upstream does not get', () => {
  const authorization = handler('header', { headers: { AUTHORIZATION: 'Bearer {{ print .Subject }}' } })
  it.each<[string, RuleParts['mutators'], unknown[]]>([
    ['overwritten', ['id_token', 'noop', authorization], [expect.stringContaining('"header" after it sets')]],
    ['removed', ['id_token', handler('header', { remove: ['authorization'] })], [expect.stringContaining('removes')]],
    ['made twice', ['id_token', handler('id_token', { ttl: '1m' })], [expect.stringContaining('"id_token" after it')]],
    ['set before it', [authorization, 'id_token'], []],
    ['with other headers after it', ['id_token', handler('header', { headers: { 'X-User': 'a' } })], []],
    [
      'carried to another header',
      [
        'id_token',
        handler('header', { headers: { 'X-Token': '{{ .Header.Get "Authorization" }}' } }),
        handler('header', { remove: ['Authorization'] }),
      ],
      [],
    ],
  ])('%s', async (_, mutators, expected) => {
    expect(await warnings({ mutators })).toEqual(expected)
  })
})

describe("error handlers that are in each other's way", () => {
  const when = (...error: string[]) => ({ when: [{ error }] })
  const both = '"json" and "redirect" both answer every error'
  it.each<[string, NonNullable<RuleParts['errors']>, unknown[]]>([
    ['two without `when`', ['json', 'redirect'], [expect.stringContaining(both)]],
    [
      'one without `when`',
      [handler('redirect', when('unauthorized')), 'json'],
      [expect.stringContaining('"json" answers every error')],
    ],
    ['one and a step up', ['step_up', 'json'], [expect.stringContaining('those that are for "step_up"')]],
    ['an empty `when`', ['json', handler('redirect', { when: [] })], [expect.stringContaining(both)]],
    ['each with its own', [handler('redirect', when('unauthorized')), handler('json', when('forbidden'))], []],
    ['outages apart', ['redirect', handler('json', when('service_unavailable'))], []],
    ['outages twice', ['json', handler('redirect', when('service_unavailable'))], [expect.stringContaining('a 500')]],
    ['one alone', ['json'], []],
  ])('%s', async (_, errors, expected) => {
    expect(await warnings({ errors })).toEqual(expected)
  })

  it('knows the `when` of the config', async () => {
    const handlers = {
      json: { ...on, config: when('forbidden') },
      redirect: { ...on, config: { to: '/', ...when('unauthorized') } },
    }
    expect(await warnings({ errors: ['json', 'redirect'] }, { errors: { handlers } })).toEqual([])
  })

  it.each<[string[], unknown[]]>([
    [['json', 'redirect'], [{ message: expect.stringContaining('"redirect" never answers'), text: '"redirect"' }]],
    [['redirect', 'json'], []],
  ])('as fallback: %j', async (fallback, expected) => {
    const handlers = { json: on, redirect: { ...on, config: { to: '/login' } } }
    expect(await problemsOf([{}], { errors: { fallback, handlers } })).toEqual(expected)
  })
})

describe('caches', () => {
  it.each<[string, RuleParts, unknown[]]>([
    ['15m', { authenticators: [handler('cookie_session', { cache: { ttl: '15m' } })] }, []],
    [
      '16m',
      { authenticators: [handler('cookie_session', { cache: { ttl: '16m' } })] },
      [expect.stringContaining('after its user has logged out')],
    ],
    ['off', { authenticators: [handler('bearer_token', { cache: { enabled: false, ttl: '24h' } })] }, []],
    [
      'of revoked tokens',
      { authenticators: [handler('oauth2_introspection', { cache: { enabled: true, ttl: '1h' } })] },
      [expect.stringContaining('after it has been revoked')],
    ],
    ['of tokens, off', { authenticators: [handler('oauth2_introspection', { cache: { ttl: '1h' } })] }, []],
    [
      'of the hydrator',
      { mutators: [handler('hydrator', { cache: { enabled: true, ttl: '1h' } }), 'id_token'] },
      [expect.stringContaining('hydrator')],
    ],
  ])('%s', async (_, parts, expected) => {
    expect(await warnings({ mutators: ['id_token'], ...parts })).toEqual(expected)
  })
})

describe('a path that is never stripped', () => {
  const pattern = (url: string) => ({ match: { url } })
  const told = [expect.stringContaining('has no effect: no path of this rule')]
  it.each<[string, Differing, unknown[]]>([
    ['strip_path', { ...pattern('http://h/api/v1'), upstream: { strip_path: '/ap' } }, told],
    ['strip_path', { ...pattern('http://h/api/v1'), upstream: { strip_path: 'v1' } }, []],
    ['strip_path', { ...pattern('http://h/api/<.*>'), upstream: { strip_path: '/v1' } }, []],
    ['strip_path', { ...pattern('http://h/x'), upstream: { url: 'http://127.0.0.1:9/v1', strip_path: '/v1' } }, []],
    ['strip_path', { profile: 'secure', ...pattern('http://h/api/<.*>'), upstream: { strip_path: '/v1' } }, told],
    ['strip_path', { profile: 'secure', ...pattern('http://h/api/<.*>'), upstream: { strip_path: '/api/v1' } }, []],
    ['strip_prefix', { ...pattern('http://h/apiary<.*>'), upstream: { strip_prefix: '/api' } }, told],
    ['strip_prefix', { ...pattern('<https?>://h/api<.*>'), upstream: { strip_prefix: '/api' } }, []],
    ['strip_prefix', { ...pattern('http://<[a-z]+>/api'), upstream: { strip_prefix: '/x' } }, []],
    ['strip_prefix', { ...pattern('http://h'), upstream: { strip_prefix: '/x' } }, told],
  ])('%s %j', async (_, config, expected) => {
    expect(await warnings({ mutators: ['id_token'] }, config)).toEqual(expected)
  })
})

describe('WebSockets', () => {
  const at = (websocket?: object | boolean) => ({
    upstream: { url: 'http://u/v1/graphql', client_headers: 'pass', ...(websocket !== undefined && { websocket }) },
  })
  const unread = [expect.stringContaining('from the first message on a WebSocket')]
  const never = [expect.stringContaining('No WebSocket can be opened')]
  it.each<[string, Differing, unknown[]]>([
    ['by default', at(), unread],
    ['by default under secure', { profile: 'secure', ...at() }, []],
    ['as bytes', at(true), unread],
    ['as messages', at({ graphql: {} }), []],
    ['never', at(false), []],
    ['to another server', { upstream: { websocket: true } }, []],
    ['without GET', { ...at(true), match: { methods: ['POST'] } }, never],
  ])('to Hasura: %s', async (_, config, expected) => {
    expect(await warnings({ mutators: ['id_token'] }, config)).toEqual(expected)
  })
})

it('is told once, at its place, when a handler of the config is used by several rules', async () => {
  const config = { check_session_url: 'http://127.0.0.1:9/', cache: { ttl: '2h' } }
  const authenticators = { cookie_session: { ...on, config } }
  const rule = { authenticators: ['cookie_session'], mutators: ['id_token'] }
  expect(await problemsOf([rule, rule, rule], { authenticators })).toEqual([
    { message: expect.stringContaining('is kept for 2h'), text: '"ttl": "2h"' },
  ])
})
