/** What a rule says of headers for its own upstream, over the profile: what arrives, and what the rules API shows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startGateway } from '../support/gateway.ts'
import { sendRaw } from '../support/raw-client.ts'
import { type RecordedRequest, type Recorder, startRecorder } from '../support/recorder.ts'
import { type RuleParts, ruleOf } from './scenario.ts'

let upstream: Recorder
beforeAll(async () => {
  upstream = await startRecorder()
})
afterAll(() => upstream.close())

const on = { enabled: true }
const config = {
  authenticators: { anonymous: on, noop: on },
  authorizers: { allow: on },
  mutators: { noop: on, cookie: { ...on, config: { cookies: {} } }, header: { ...on, config: { headers: {} } } },
}
const sent = [
  'Authorization: Bearer client',
  'X-Session-Token: token',
  'Cookie: ory_kratos_session=s; theme=dark',
  'X-Hasura-Role: admin',
  'X-Forwarded-For: 192.0.2.7',
]

interface Got {
  readonly request: RecordedRequest
  readonly rule: object
  readonly problems: readonly { readonly message: string }[]
}

async function ask(profile: string, own: object, parts: RuleParts = {}): Promise<Got> {
  const rule = { ...ruleOf({ authenticators: ['noop'], ...parts }), upstream: { url: upstream.origin, ...own } }
  await using gateway = await startGateway({ config: { profile, ...config }, rules: [rule] })
  upstream.reset()
  const bytes = `GET /x HTTP/1.1\r\nHost: gw.example\r\n${sent.join('\r\n')}\r\n\r\n`
  expect((await sendRaw(gateway.addresses.proxy.port, bytes)).status).toBe(200)
  const [shown] = (await (await fetch(`${gateway.api}/rules`)).json()) as { readonly upstream: object }[]
  return { request: upstream.requests[0]!, rule: shown?.upstream ?? {}, problems: gateway.gateway.problems }
}

/** Of what the client sent, the names of what arrived; and the session cookie. */
function arrived(request: RecordedRequest): string[] {
  const names = ['authorization', 'x-session-token', 'x-hasura-role', 'x-forwarded-for']
  const cookies = request.all('cookie').join().includes('ory_kratos_session') ? ['session cookie'] : []
  return [...names.filter((name) => request.all(name).length > 0), ...cookies]
}

const credentials = ['authorization', 'x-session-token']

describe('upstream of a rule', () => {
  it.each<[string, object, string[]]>([
    ['oathkeeper', {}, [...credentials, 'x-hasura-role', 'session cookie']],
    ['oathkeeper', { client_headers: 'drop' }, []],
    ['oathkeeper', { credentials: 'drop' }, ['x-hasura-role']],
    ['oathkeeper', { client_headers: 'drop', credentials: 'pass' }, [...credentials, 'session cookie']],
    ['oathkeeper', { forwarded_headers: 'set', client_headers: 'drop' }, ['x-forwarded-for']],
    ['secure', {}, ['x-forwarded-for']],
    ['secure', { forwarded_headers: 'none' }, []],
    ['secure', { credentials: 'pass' }, [...credentials, 'x-forwarded-for', 'session cookie']],
    ['secure', { client_headers: 'pass' }, [...credentials, 'x-hasura-role', 'x-forwarded-for', 'session cookie']],
    ['secure', { client_headers: 'pass', credentials: 'drop' }, ['x-hasura-role', 'x-forwarded-for']],
  ])('with the profile %s, %j', async (profile, own, expected) => {
    const { request, rule } = await ask(profile, own)
    expect(arrived(request)).toEqual(expected)
    // Never the address that the client claims for itself.
    expect(request.all('x-forwarded-for')).not.toContain('192.0.2.7')
    expect(request.all('cookie').join()).toContain('theme=dark')
    expect(rule).toMatchObject(own)
  })

  it.each([
    ['oathkeeper', { credentials: 'drop' }, 'new=1; theme=dark'],
    ['oathkeeper', { client_headers: 'drop' }, 'new=1; theme=dark'],
    ['oathkeeper', {}, 'new=1; ory_kratos_session=s; theme=dark'],
    ['secure', {}, 'new=1; theme=dark'],
    ['secure', { credentials: 'pass' }, 'new=1; ory_kratos_session=s; theme=dark'],
  ])('with the profile %s, %j, the mutator `cookie` brings back nothing', async (profile, own, expected) => {
    const mutators = [{ handler: 'cookie', config: { cookies: { new: '1' } } }]
    const { request } = await ask(profile, own, { mutators })
    expect(request.all('cookie')).toEqual([expected])
  })

  it('a cookie that a token is taken from stays behind like the session cookie, and the upstream may set it', async () => {
    const own = 'HTTP/1.1 200 OK\r\nSet-Cookie: token=new\r\nContent-Length: 2\r\n\r\nok'
    const taking = {
      handler: 'bearer_token',
      config: { check_session_url: 'http://127.0.0.1:9/', token_from: { cookie: 'token' }, prefix: 'x' },
    }
    const rule = {
      ...ruleOf({ authenticators: [taking, 'noop'] }),
      upstream: { url: upstream.origin },
    }
    const authenticators = {
      ...config.authenticators,
      bearer_token: { ...on, config: { check_session_url: 'http://127.0.0.1:9/' } },
    }
    await using gateway = await startGateway({
      config: { ...config, profile: 'secure', authenticators },
      rules: [rule],
    })
    upstream.reset()
    upstream.respond = () => own
    const bytes = 'GET /x HTTP/1.1\r\nHost: gw.example\r\nCookie: token=secret; theme=dark\r\n\r\n'
    const response = await sendRaw(gateway.addresses.proxy.port, bytes)
    expect(upstream.requests.map((request) => request.all('cookie'))).toEqual([['theme=dark']])
    expect(response.header('set-cookie')).toBe('token=new')
    upstream.reset()
  })

  it.each(['Host', 'content-length', 'Connection', 'TE'])(
    'a mutator that sets %s is warned of, and does not',
    async (name) => {
      const mutators = [{ handler: 'header', config: { headers: { [name]: '9' } } }]
      const { request, problems } = await ask('secure', {}, { mutators })
      expect(problems.map(({ message }) => message)).toEqual([
        `The header "${name}" has no effect: it is the gateway's own to write`,
      ])
      expect(request.all(name)).not.toContain('9')
    },
  )
})
