import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { environmentLayer } from '../../src/config/env.ts'
import { configSchema } from '../../src/config/schema.ts'
import { builtinHandlers } from '../../src/pipeline/builtin.ts'

const schema = configSchema(builtinHandlers)

function overlay(env: Record<string, string>, base: unknown = {}) {
  const { layer, problems } = environmentLayer(env, schema, { value: base, locate: () => 'file' })
  return { value: layer.value, locate: layer.locate, problems }
}

describe('environmentLayer', () => {
  it.each([
    ['SERVE_PROXY_PORT', '1', { serve: { proxy: { port: 1 } } }],
    ['SERVE_PROXY_TRUST_FORWARDED_HEADERS', 't', { serve: { proxy: { trust_forwarded_headers: true } } }],
    ['AUTHENTICATORS_NOOP_ENABLED', '0', { authenticators: { noop: { enabled: false } } }],
    ['AUTHENTICATORS_NOOP_ENABLED', 'maybe', { authenticators: { noop: { enabled: 'maybe' } } }],
    ['ACCESS_RULES_REPOSITORIES', 'a,"b,c",', { access_rules: { repositories: ['a', 'b,c', ''] } }],
    ['ACCESS_RULES_REPOSITORIES', '["a","b"]', { access_rules: { repositories: ['a', 'b'] } }],
    ['ACCESS_RULES_REPOSITORIES', '', { access_rules: { repositories: [] } }],
    ['ACCESS_RULES_REPOSITORIES_0', 'a', { access_rules: { repositories: ['a'] } }],
    [
      'MUTATORS_HEADER_CONFIG_HEADERS',
      '{"X-A":"b"}',
      { mutators: { header: { config: { headers: { 'X-A': 'b' } } } } },
    ],
    [
      'MUTATORS_ID_TOKEN_CONFIG_CLAIMS',
      '{"a":"{{ b }}"}',
      { mutators: { id_token: { config: { claims: '{"a":"{{ b }}"}' } } } },
    ],
    [
      'ERRORS_HANDLERS_JSON_CONFIG_WHEN',
      '[{"error":["forbidden"]}]',
      { errors: { handlers: { json: { config: { when: [{ error: ['forbidden'] }] } } } } },
    ],
    ['KRATOS_PUBLIC_URL', 'http://k/', { kratos: { public_url: 'http://k/' } }],
    ['PROFILE', 'secure', { profile: 'secure' }],
    ['SAFEGUARDS_TOKEN_BACKDATE', '3', { safeguards: { token_backdate: 3 } }],
    ['SERVE', '{"proxy":{"port":1}}', { serve: { proxy: { port: 1 } } }],
  ])('%s=%s', (name, text, expected) => {
    expect(overlay({ [name]: text }).value).toEqual(expected)
  })

  it.each(['LOG', 'SERVE', 'ERRORS', 'VERSION', 'PATH', 'SERVE_PROXY', 'serve_proxy_port', 'SERVE_PROXY_PORTS'])(
    'leaves %s alone where it is someone else’s',
    (name) => {
      const { value } = overlay({ [name]: name === 'SERVE_PROXY' ? '{}' : '/var/somewhere' })
      expect(value).toEqual(name === 'SERVE_PROXY' ? { serve: { proxy: {} } } : {})
    },
  )

  it('goes over the files and says where a value comes from', () => {
    const { value, locate } = overlay({ SERVE_PROXY_PORT: '2' }, { serve: { proxy: { port: 1, host: 'h' } } })
    expect(value).toEqual({ serve: { proxy: { port: 2, host: 'h' } } })
    expect(locate(['serve', 'proxy', 'port'])).toBe('environment variable SERVE_PROXY_PORT')
    expect(locate(['serve', 'proxy', 'host'])).toBe('file')
  })

  it('sets single items of a list', () => {
    const base = { access_rules: { repositories: ['a', 'b'] } }
    const { value, locate } = overlay({ ACCESS_RULES_REPOSITORIES_1: 'B', ACCESS_RULES_REPOSITORIES_2: 'c' }, base)
    expect(value).toEqual({ access_rules: { repositories: ['a', 'B', 'c'] } })
    expect(locate(['access_rules', 'repositories', 0])).toBe('file')
    expect(locate(['access_rules', 'repositories', 1])).toBe('environment variable ACCESS_RULES_REPOSITORIES_1')
    expect(base.access_rules.repositories).toEqual(['a', 'b'])
  })

  it('refuses to leave holes in a list', () => {
    expect(overlay({ ACCESS_RULES_REPOSITORIES_4: 'x' }).problems).toEqual([
      {
        severity: 'error',
        message: 'There is no item 3 before this one',
        place: 'environment variable ACCESS_RULES_REPOSITORIES_4',
      },
    ])
  })

  it('never throws, and never touches a prototype, whatever the variables hold', () => {
    const names = [
      'SERVE_PROXY',
      'ACCESS_RULES_REPOSITORIES',
      'LOG_LEVEL',
      'MUTATORS_HEADER_CONFIG_HEADERS',
      'SERVE_API_PORT',
    ]
    const text = fc.oneof(fc.string(), fc.json(), fc.constant('{"__proto__":{"admin":true}}'))
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), text), (env) => {
        overlay(env)
        expect(Object.hasOwn(Object.prototype, 'admin')).toBe(false)
      }),
    )
  })
})
