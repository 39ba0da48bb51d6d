/** Configs and rules by family: each family puts one part of the gateway in the foreground and mixes in the rest. */
import { createRandom, type Random } from '../random.ts'
import type { Material, Rule, Scenario } from '../scenario.ts'
import { globalSections, kinds, makeStep, type Draw, type Kind, type Step } from './handlers.ts'
import { makePattern, type Strategy } from './patterns.ts'
import { makeRequest, type PatternedRule } from './requests.ts'

interface Family {
  readonly name: string
  /** Names from which a rule's handlers are drawn; the more often, the more likely. */
  readonly authenticators: readonly string[]
  readonly authorizers: readonly string[]
  readonly mutators: readonly string[]
  /** Percent of rules with error handlers of their own. */
  readonly ownErrors: number
  /** Percent of configs with CORS. */
  readonly cors: number
}

const plain: Family = {
  name: 'plain',
  authenticators: ['noop', 'anonymous', 'unauthorized'],
  authorizers: [...Array<string>(8).fill('allow'), 'deny'],
  mutators: ['noop', 'noop', 'header'],
  ownErrors: 15,
  cors: 0,
}
const sessions = ['cookie_session', 'bearer_token', 'cookie_session', 'anonymous']
const tokens = ['jwt', 'jwt', 'oauth2_introspection', 'oauth2_client_credentials', 'anonymous']

const families: readonly Family[] = [
  { ...plain },
  { ...plain, name: 'session', authenticators: sessions },
  { ...plain, name: 'header', authenticators: sessions, authorizers: ['allow'], mutators: ['header'] },
  { ...plain, name: 'cookie', authenticators: sessions, authorizers: ['allow'], mutators: ['cookie', 'header'] },
  {
    ...plain,
    name: 'id_token',
    authenticators: sessions,
    authorizers: ['allow'],
    mutators: ['id_token', 'id_token', 'header'],
  },
  {
    ...plain,
    name: 'errors',
    authenticators: [...sessions, 'unauthorized'],
    authorizers: ['allow', 'deny'],
    ownErrors: 90,
  },
  { ...plain, name: 'jwt', authenticators: ['jwt', 'jwt', 'jwt', 'anonymous'], mutators: ['header', 'id_token'] },
  { ...plain, name: 'oauth2', authenticators: tokens, mutators: ['header', 'id_token', 'noop'] },
  {
    ...plain,
    name: 'remote',
    authenticators: [...sessions, 'noop'],
    authorizers: ['remote', 'remote_json', 'keto_engine_acp_ory', 'remote_json'],
  },
  {
    ...plain,
    name: 'hydrator',
    authenticators: sessions,
    authorizers: ['allow'],
    mutators: ['hydrator', 'header', 'id_token'],
  },
  { ...plain, name: 'cors', authenticators: ['noop', 'unauthorized', 'cookie_session'], cors: 100 },
  {
    name: 'mixed',
    authenticators: Object.keys(kinds.authenticators),
    authorizers: [...Object.keys(kinds.authorizers), 'allow', 'allow'],
    mutators: Object.keys(kinds.mutators),
    ownErrors: 40,
    cors: 25,
  },
]

export interface GeneratorOptions {
  readonly seed: number
  readonly configs: number
  readonly requestsPerConfig: number
  readonly material: Material
}

/** The same options make the same scenarios, each independent of how many there are. */
export function generate({ seed, configs, requestsPerConfig, material }: GeneratorOptions): Scenario[] {
  return Array.from({ length: configs }, (_, index) => {
    const family = families[index % families.length]!
    return makeScenario(family, index, { random: createRandom(seed, index), material }, requestsPerConfig)
  })
}

function makeScenario(family: Family, index: number, draw: Draw, count: number): Scenario {
  const { random } = draw
  const strategy: Strategy = random.chance(30) ? 'glob' : 'regexp'
  const disabled = new Set(random.chance(25) ? [random.pick(disableable)] : [])
  const made = Array.from({ length: 5 + random.below(4) }, (_, number) => makeRule(family, draw, strategy, number))
  return {
    id: `${family.name}-${index}`,
    config: {
      serve: {
        proxy: { ...(random.chance(35) && { trust_forwarded_headers: true }), ...makeCors(random, family.cors) },
        api: makeCors(random, family.cors / 2),
      },
      access_rules: { matching_strategy: strategy },
      ...globalSections(draw, disabled),
    },
    rules: [...made.map(({ rule }) => rule), alwaysValid],
    requests: Array.from({ length: count }, () => makeRequest(draw, made)),
  }
}

const disableable = [
  'authenticators.anonymous',
  'authorizers.deny',
  'mutators.header',
  'errors.redirect',
  'errors.www_authenticate',
]

/** So that there is one when all others need a handler that is disabled: without any, Oathkeeper never gets ready. */
const alwaysValid: Rule = {
  id: 'always-valid',
  match: { url: 'http://gw.test/always-valid', methods: ['GET'] },
  authenticators: [{ handler: 'noop' }],
  authorizer: { handler: 'allow' },
  mutators: [{ handler: 'noop' }],
  upstream: { url: '' },
}

function makeRule(family: Family, draw: Draw, strategy: Strategy, number: number): PatternedRule {
  const { random } = draw
  // Now and then two rules share a folder, so that some requests match both.
  const folder = number > 0 && random.chance(8) ? `/r${number - 1}` : `/r${number}`
  const pattern = makePattern(random, strategy, folder)
  // Each handler once: Oathkeeper keeps one template per rule and header for all its steps.
  const steps = (kind: Kind, names: readonly string[], most: number): Step[] =>
    [...new Set(random.sample(1 + random.below(most), names))].map((name) => makeStep(kind, name, draw))
  // Keto's policies are for regular expressions alone.
  const fits = (name: string): boolean => strategy === 'regexp' || name !== 'keto_engine_acp_ory'
  const distinct = random.sample(1 + random.below(3), Object.keys(kinds.errors))
  const rule: Rule = {
    id: `rule-${number}`,
    match: {
      url: pattern.url,
      methods: [
        'GET',
        random.pick(['POST', 'post']),
        ...random.sample(random.below(6), ['PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH']),
      ],
    },
    authenticators: [
      ...steps('authenticators', family.authenticators, 3),
      ...(random.chance(25) ? [{ handler: 'noop' }] : []),
    ],
    authorizer: makeStep('authorizers', random.pick(family.authorizers.filter(fits)), draw),
    mutators: steps('mutators', family.mutators, 3),
    ...(random.chance(family.ownErrors) && { errors: distinct.map((name) => makeStep('errors', name, draw)) }),
    upstream: makeUpstream(draw, folder),
  }
  return { rule, pattern }
}

function makeUpstream({ random, material }: Draw, folder: string): Rule['upstream'] {
  const origin = random.chance(4) ? material.origins.closed : material.origins.upstream
  const path = random.pick(['', '', '/', '/base', '/base/', '/base/r1?ignored=1', '/b%20se'])
  return {
    url: origin + path,
    ...(random.chance(35) && {
      strip_path: random.pick([folder, `${folder.slice(1)}/`, '/r', '/base', 'literal']),
    }),
    ...(random.chance(35) && { preserve_host: random.chance(80) }),
  }
}

function makeCors(random: Random, percent: number): object {
  if (!random.chance(percent)) return {}
  return {
    cors: {
      enabled: true,
      ...(random.chance(80) && {
        allowed_origins: random.pick([
          ['*'],
          ['https://app.test'],
          ['https://*.app.test', 'https://app.test'],
          ['https://*.example.com'],
          ['HTTPS://App.test'],
        ]),
      }),
      ...(random.chance(50) && {
        allowed_methods: random.sample(3, ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH']),
      }),
      ...(random.chance(50) && {
        allowed_headers: random.pick([['Authorization', 'X-Custom'], ['*'], ['content-type']]),
      }),
      ...(random.chance(50) && { exposed_headers: random.pick([['Content-Type'], ['X-One', 'x-two'], []]) }),
      ...(random.chance(50) && { allow_credentials: random.chance(70) }),
      ...(random.chance(50) && { max_age: random.pick([0, 5, 600]) }),
    },
  }
}
