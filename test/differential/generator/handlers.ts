/** Handlers with random settings, as they stand in a rule, and the global section that enables them. */
import type { Random } from '../random.ts'
import type { Material } from '../scenario.ts'
import { claimsTemplate, valueTemplate } from './templates.ts'

export interface Step {
  readonly handler: string
  readonly config?: Readonly<Record<string, unknown>>
}

export interface Draw {
  readonly random: Random
  readonly material: Material
}

type Maker = (draw: Draw) => Step

const maybe = (random: Random, percent: number, entry: object): object => (random.chance(percent) ? entry : {})

const subjectPaths = [
  'subject',
  'sub',
  'identity.id',
  'identity.traits.email',
  'missing',
  'extra.count',
  'extra.list.0',
]
const extraPaths = [
  'extra',
  '@this',
  'identity',
  'identity.traits',
  '{"id":identity.id,"name":extra.name}',
  'missing',
  'subject',
]

function sessionStore({ random, material }: Draw): Readonly<Record<string, unknown>> {
  const origin = random.chance(3) ? material.origins.closed : material.origins.store
  return {
    check_session_url: `${origin}/session${random.chance(30) ? '?tenant=one' : ''}`,
    ...(random.chance(85) ? { preserve_path: true } : maybe(random, 50, { preserve_path: false })),
    ...maybe(random, 40, { preserve_query: random.chance(50) }),
    ...maybe(random, 30, { preserve_host: random.chance(80) }),
    ...maybe(random, 40, { force_method: random.pick(['GET', 'POST']) }),
    ...maybe(random, 40, {
      forward_http_headers: random.sample(2, [
        'X-Custom',
        'x-session-token',
        'Accept',
        'Authorization',
        'User-Agent',
        'Cookie',
      ]),
    }),
    ...maybe(random, 30, {
      additional_headers: { 'X-Added': 'by gateway', ...maybe(random, 40, { 'X-Custom': 'replaced' }) },
    }),
    ...maybe(random, 30, { subject_from: random.pick(subjectPaths) }),
    ...maybe(random, 30, { extra_from: random.pick(extraPaths) }),
  }
}

const tokenFrom = (random: Random): object =>
  maybe(random, 40, {
    token_from: random.pick([
      { header: 'X-Session-Token' },
      { header: 'Authorization' },
      { query_parameter: 'token' },
      { cookie: 'session' },
    ]),
  })

const authenticators: Readonly<Record<string, Maker>> = {
  noop: () => ({ handler: 'noop' }),
  anonymous: ({ random }) => ({
    handler: 'anonymous',
    ...maybe(random, 50, { config: { subject: random.pick(['guest', '']) } }),
  }),
  unauthorized: () => ({ handler: 'unauthorized' }),
  cookie_session: (draw) => ({
    handler: 'cookie_session',
    config: {
      ...sessionStore(draw),
      ...maybe(draw.random, 40, {
        only: draw.random.pick([['session'], ['session', 'other'], ['session'], ['absent']]),
      }),
    },
  }),
  bearer_token: (draw) => ({
    handler: 'bearer_token',
    config: { ...sessionStore(draw), ...tokenFrom(draw.random), ...maybe(draw.random, 15, { prefix: 'al' }) },
  }),
  jwt: ({ random, material }) => ({
    handler: 'jwt',
    config: {
      jwks_urls: random.sample(1 + random.below(2), material.verificationKeys),
      ...maybe(random, 70, {
        allowed_algorithms: random.pick([['RS256'], ['ES256'], ['RS256', 'ES256', 'HS256', 'PS256'], ['HS256']]),
      }),
      ...maybe(random, 30, { target_audience: random.pick([['one'], ['one', 'two'], ['none']]) }),
      ...maybe(random, 30, {
        trusted_issuers: random.pick([['https://issuer.test/'], ['https://other.test/', 'https://issuer.test/']]),
      }),
      ...maybe(random, 40, {
        required_scope: random.pick([['read'], ['read', 'write'], ['read.x'], []]),
        scope_strategy: random.pick(['none', 'exact', 'hierarchic', 'wildcard']),
      }),
      ...tokenFrom(random),
    },
  }),
  oauth2_introspection: ({ random, material }) => ({
    handler: 'oauth2_introspection',
    config: {
      introspection_url: `${material.origins.service}/introspect`,
      ...maybe(random, 40, { required_scope: random.pick([['read'], ['read', 'write'], ['read.x']]) }),
      ...maybe(random, 50, { scope_strategy: random.pick(['none', 'exact', 'hierarchic', 'wildcard']) }),
      ...maybe(random, 25, { target_audience: random.pick([['one'], ['none']]) }),
      ...maybe(random, 25, { trusted_issuers: ['https://issuer.test/'] }),
      ...maybe(random, 30, { preserve_host: true }),
      ...maybe(random, 30, {
        introspection_request_headers: { 'X-Added': 'by gateway', 'Content-Type': 'text/plain' },
      }),
      ...maybe(random, 20, { prefix: 'al' }),
      ...maybe(random, 25, {
        pre_authorization: {
          enabled: true,
          client_id: 'gateway',
          client_secret: 'gateway-secret',
          token_url: `${material.origins.service}/token`,
          ...maybe(random, 50, { scope: ['introspect'] }),
          ...maybe(random, 50, { audience: 'introspection' }),
        },
      }),
      ...tokenFrom(random),
    },
  }),
  oauth2_client_credentials: ({ random, material }) => ({
    handler: 'oauth2_client_credentials',
    config: {
      token_url: `${material.origins.service}/token`,
      ...maybe(random, 50, { required_scope: random.pick([['read'], ['read', 'write']]) }),
    },
  }),
}

const remoteCommon = ({ random }: Draw): object => ({
  ...maybe(random, 60, {
    headers: {
      'X-Subject': '{{ print .Subject }}',
      'X-Path': '{{ .MatchContext.URL.Path }}',
      'X-Value': valueTemplate(random),
    },
  }),
  ...maybe(random, 60, {
    forward_response_headers_to_upstream: random.sample(2, [
      'X-Remote-User',
      'X-Remote-Absent',
      'X-Custom',
      'x-remote-many',
    ]),
  }),
})

/** JSON of every kind, with values of every type in and outside of its strings. */
const payloads: readonly string[] = [
  '{"input":{"user":{{ .Subject | toJson }},"extra":{{ .Extra | toJson }}}}',
  '[{{ .Subject | toJson }}, {{ .Extra.count | toJson }}]',
  '"{{ print .Subject }}"',
  '{{ .Extra | toJson }}',
  '{"groups":{{ .MatchContext.RegexpCaptureGroups | toJson }},"method":"{{ .MatchContext.Method }}"}',
  '{"query":"{{ .MatchContext.URL.RawQuery }}","host":"{{ .MatchContext.URL.Host }}"}',
  '{"custom":"{{ .MatchContext.Header.Get "X-Custom" }}"}',
  '{"count":{{ .Extra.count }},"flag":{{ .Extra.flag }}}',
  'true',
  ' {"spaces" : [ 1 , 2 ] } ',
  '{"a":"{{ if eq .Subject "alice" }}yes{{ else }}no{{ end }}"}',
]

const authorizers: Readonly<Record<string, Maker>> = {
  allow: () => ({ handler: 'allow' }),
  deny: () => ({ handler: 'deny' }),
  remote: (draw) => ({
    handler: 'remote',
    config: {
      remote: `${draw.material.origins.service}/authorize/${draw.random.pick([200, 200, 200, 403, 401, 204])}?from=config`,
      ...remoteCommon(draw),
    },
  }),
  remote_json: (draw) => ({
    handler: 'remote_json',
    config: {
      remote: `${draw.material.origins.service}/authorize/${draw.random.pick([200, 200, 200, 200, 403, 404, 400, 204, 418, 451])}${draw.random.chance(20) ? '?tenant=one&x=%20' : ''}`,
      payload: draw.random.chance(30)
        ? '{"subject":"{{ print .Subject }}","path":"{{ .MatchContext.URL.Path }}"}'
        : draw.random.chance(40)
          ? draw.random.pick(payloads)
          : claimsTemplate(draw.random),
      ...remoteCommon(draw),
    },
  }),
  keto_engine_acp_ory: ({ random, material }) => ({
    handler: 'keto_engine_acp_ory',
    config: {
      base_url: `${material.origins.service}/keto${random.chance(30) ? '/' : ''}`,
      required_action: random.pick(['read', 'notes:{{ .MatchContext.Method }}', valueTemplate(random)]),
      required_resource: random.pick([
        'notes:all',
        'notes:{{ printIndex .MatchContext.RegexpCaptureGroups 0 }}',
        '{{ .MatchContext.URL.Path }}',
        'deny',
        'forbidden',
        'silent',
        'missing',
      ]),
      ...maybe(random, 40, { subject: random.pick(['{{ print .Extra.name }}', 'fixed', '', valueTemplate(random)]) }),
      ...maybe(random, 50, { flavor: random.pick(['exact', 'glob', 'regex']) }),
    },
  }),
}

const headerNames = [
  'X-User',
  'x-lower',
  'X-First',
  'X-Custom',
  'Authorization',
  'X-Odd_Name',
  'Accept',
  'X-Forwarded-For',
  'X-Roles',
  'Host',
]

const mutators: Readonly<Record<string, Maker>> = {
  noop: () => ({ handler: 'noop' }),
  header: ({ random }) => ({
    handler: 'header',
    config: {
      headers: Object.fromEntries(
        random.sample(1 + random.below(3), headerNames).map((name) => [name, valueTemplate(random)]),
      ),
    },
  }),
  cookie: ({ random }) => ({
    handler: 'cookie',
    // One templated cookie: Oathkeeper writes several in random order.
    config: { cookies: { [random.pick(['user', 'session', 'other'])]: valueTemplate(random) } },
  }),
  id_token: ({ random, material }) => ({
    handler: 'id_token',
    config: {
      issuer_url: random.pick(['https://gw.test/', '/relative']),
      jwks_url: random.pick(material.signingKeys),
      ...maybe(random, 75, { claims: claimsTemplate(random) }),
      ...maybe(random, 50, { ttl: random.pick(['60s', '1h', '5m', '90s']) }),
    },
  }),
  hydrator: ({ random, material }) => ({
    handler: 'hydrator',
    config: {
      api: {
        url: `${material.origins.service}/hydrate/${random.pick(['add', 'add', 'echo', 'replace', 'groups', 'more-headers', 'no-header', 'null-extra', 'other-subject', 'forbidden', 'unauthorized', 'missing', 'list', 'empty', 'garbage'])}?from=config`,
        ...maybe(random, 40, { auth: { basic: { username: 'gateway', password: 'gateway-secret' } } }),
      },
    },
  }),
}

const errorHandlers: Readonly<Record<string, Maker>> = {
  json: ({ random }) => ({
    handler: 'json',
    config: { ...maybe(random, 50, { verbose: random.chance(70) }), ...when(random) },
  }),
  redirect: ({ random }) => ({
    handler: 'redirect',
    config: {
      to: random.pick(['https://login.test/in?a=1', '/login', 'login', 'https://login.test/x#part']),
      ...maybe(random, 40, { code: random.pick([301, 302]) }),
      ...maybe(random, 60, { return_to_query_param: 'return_to' }),
      ...when(random),
    },
  }),
  www_authenticate: ({ random }) => ({
    handler: 'www_authenticate',
    config: { ...maybe(random, 50, { realm: 'The realm' }), ...when(random) },
  }),
}

const statuses = ['unauthorized', 'forbidden', 'internal_server_error', 'not_found']
const types = ['application/json', 'text/html', 'text/*', '*/*', 'application/x-www-form-urlencoded']

function when(random: Random): object {
  if (random.chance(35)) return {}
  const one = (): object => ({
    ...maybe(random, 65, { error: random.sample(1 + random.below(2), statuses) }),
    ...maybe(random, 60, {
      request: {
        header: {
          ...maybe(random, 75, { accept: random.sample(1 + random.below(2), types) }),
          ...maybe(random, 30, { content_type: random.sample(1, types) }),
        },
      },
    }),
  })
  return { when: random.chance(25) ? [one(), one()] : [one()] }
}

export const kinds = { authenticators, authorizers, mutators, errors: errorHandlers } as const
export type Kind = keyof typeof kinds

/** One handler of a kind by name, with random settings. */
export function makeStep(kind: Kind, name: string, draw: Draw): Step {
  const maker = kinds[kind][name]
  if (maker === undefined) throw new RangeError(`no such handler: ${kind}.${name}`)
  return maker(draw)
}

/** Global settings that satisfy the schema of a handler that is enabled. */
export function globalSections(draw: Draw, disabled: ReadonlySet<string>): Record<string, Record<string, unknown>> {
  const { random } = draw
  const section = (kind: Kind, fixed: Readonly<Record<string, object>>): Record<string, unknown> =>
    Object.fromEntries(
      Object.keys(kinds[kind]).map((name) => {
        if (disabled.has(`${kind}.${name}`)) return [name, { enabled: false }]
        const config = fixed[name] ?? withoutWhen(makeStep(kind, name, draw).config, random)
        return [name, { enabled: true, ...(config !== undefined && { config }) }]
      }),
    )
  const plainStore = { check_session_url: `${draw.material.origins.store}/session`, preserve_path: true }
  return {
    authenticators: section('authenticators', {
      cookie_session: plainStore,
      bearer_token: plainStore,
      jwt: { jwks_urls: draw.material.verificationKeys },
    }),
    authorizers: section('authorizers', {}),
    mutators: section('mutators', { header: { headers: {} }, cookie: { cookies: {} } }),
    errors: {
      fallback: random.pick([['json'], ['json'], ['redirect', 'json'], ['www_authenticate', 'json'], ['redirect']]),
      handlers: section('errors', {}),
    },
  }
}

/** Rules inherit a global `when`, and a fallback with one may find nobody responsible: both are for the few. */
function withoutWhen(config: Step['config'], random: Random): Step['config'] {
  if (config?.['when'] === undefined || random.chance(12)) return config
  const { when: _, ...rest } = config
  return rest
}
