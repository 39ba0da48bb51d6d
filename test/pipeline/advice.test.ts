/** Mistakes that load, and are warned of. */
import { describe, expect, it } from 'vitest'
import { generateKeySet } from '../../src/tokens/generate.ts'
import { loadGateway } from '../support/gateway.ts'
import { type RuleParts, ruleOf } from './scenario.ts'

const on = { enabled: true }
const session = { ...on, config: { check_session_url: 'http://127.0.0.1:9/' } }

async function warnings(parts: RuleParts, { upstream = {}, ...config }: { upstream?: object } & object = {}) {
  const jwks = await generateKeySet({ alg: 'ES256' })
  const idToken = {
    issuer_url: 'http://h/',
    jwks_url: `base64://${Buffer.from(JSON.stringify(jwks)).toString('base64')}`,
  }
  await using test = await loadGateway({
    config: {
      authenticators: { anonymous: on, cookie_session: session, bearer_token: session },
      authorizers: { allow: on },
      mutators: { noop: on, id_token: { ...on, config: idToken }, header: { ...on, config: { headers: {} } } },
      ...config,
    },
    rules: [{ ...ruleOf(parts), upstream: { url: 'http://127.0.0.1:9', ...upstream } }],
  })
  expect(test.gateway.problems.every(({ severity }) => severity === 'warning')).toBe(true)
  return test.gateway.problems.map(({ message }) => message)
}

const withToken = (config: object): RuleParts => ({ mutators: [{ handler: 'id_token', config }] })

describe('authorization left to the client', () => {
  const told = [expect.stringContaining("client's own Authorization")]
  it.each<[string, RuleParts, object, unknown[]]>([
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
    expect(await warnings(withToken({ claims }))).toEqual([expect.stringContaining('default role "user"')])
  })
})
