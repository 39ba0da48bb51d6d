/**
 * The end-to-end suites that Oathkeeper ships, restated with the same configs and rules. Where those name fixed ports and
 * example.com, free ports and a recorder take their place; the Host header keeps what the rules say.
 */
import { generateKeyPairSync } from 'node:crypto'
import { createRemoteJWKSet, jwtVerify, SignJWT } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import { startGateway, type ListeningGateway } from '../support/gateway.ts'
import { sendRaw } from '../support/raw-client.ts'
import { startRecorder, type Recorder } from '../support/recorder.ts'

const allow = { handler: 'allow' }
const noop = { handler: 'noop' }
const enabled = { enabled: true }

const portOf = (url: string): number => Number(new URL(url).port)

/** The status of a request with exactly these headers; `proxy` and `api` stand for the suites' ports. */
async function ask(
  gateway: ListeningGateway,
  [method, target]: readonly [method: string, target: string],
  headers: Readonly<Record<string, string>> = {},
  {
    plane = 'proxy',
    host = '127.0.0.1:6060',
    body = '',
  }: { plane?: 'proxy' | 'api'; host?: string; body?: string } = {},
): Promise<number> {
  const lines = Object.entries({
    Host: host,
    ...(body !== '' && { 'Content-Length': String(body.length) }),
    ...headers,
  })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const { status } = await sendRaw(portOf(gateway[plane]), `${method} ${target} HTTP/1.1\r\n${head}\r\n${body}`)
  return status
}

const opened: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

async function recorder(): Promise<Recorder> {
  const started = await startRecorder()
  opened.push({ [Symbol.asyncDispose]: () => started.close() })
  return started
}

async function open(input: Parameters<typeof startGateway>[0]): Promise<ListeningGateway> {
  const started = await startGateway(input)
  opened.push(started)
  return started
}

const base = {
  authenticators: { noop: enabled, anonymous: enabled },
  authorizers: { allow: enabled, deny: enabled },
  mutators: { noop: enabled },
}

describe('e2e: a token in, a token out', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const shared = { use: 'sig', alg: 'RS256' }
  const keySet = {
    keys: [
      { ...publicKey.export({ format: 'jwk' }), ...shared, kid: 'e1bd3f64-6bc4-42b9-a294-1e4590959eb3' },
      { ...privateKey.export({ format: 'jwk' }), ...shared, kid: '01cf6f34-07a8-40b7-b536-5fede7e2323e' },
    ],
  }
  const rule = (upstream: string): object => ({
    id: 'jwt-rule',
    upstream: { url: upstream },
    match: { url: 'http://127.0.0.1:<6660|6661>/jwt', methods: ['GET'] },
    authenticators: [{ handler: 'jwt' }],
    authorizer: allow,
    mutators: [{ handler: 'id_token' }],
  })

  const start = async (upstream: string): Promise<ListeningGateway> => {
    const keys = await recorder()
    const body = JSON.stringify(keySet)
    keys.respond = () => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    return open({
      config: {
        mutators: {
          id_token: {
            enabled: true,
            config: { issuer_url: 'https://my-oathkeeper/', jwks_url: `${keys.origin}/idt.json` },
          },
        },
        authorizers: { allow: enabled },
        authenticators: {
          jwt: { enabled: true, config: { jwks_urls: [`${keys.origin}/authn.json`], scope_strategy: 'none' } },
        },
        log: { level: 'debug' },
      },
      rules: [rule(upstream)],
    })
  }
  const token = (): Promise<string> =>
    new SignJWT({ sub: 'foobar' })
      .setProtectedHeader({ alg: 'RS256', kid: 'e1bd3f64-6bc4-42b9-a294-1e4590959eb3' })
      .setExpirationTime('1h')
      .sign(privateKey)

  it('holds on the proxy, and the upstream can verify what it gets', async () => {
    const upstream = await recorder()
    const test = await start(upstream.origin)
    const host = '127.0.0.1:6660'
    expect(await ask(test, ['GET', '/jwt'], { Authorization: `Bearer ${await token()}` }, { host })).toBe(200)
    const [passed = ''] = upstream.requests[0]?.all('authorization') ?? []
    const keys = createRemoteJWKSet(new URL(`${test.api}/.well-known/jwks.json`))
    const { payload } = await jwtVerify(passed.replace('Bearer ', ''), keys, { issuer: 'https://my-oathkeeper/' })
    expect(payload.sub).toBe('foobar')
    expect(await ask(test, ['GET', '/jwt'], { Authorization: 'Bearer not.valid.token' }, { host })).toBe(401)
    expect(upstream.requests).toHaveLength(1)
  })

  it('holds for decisions', async () => {
    const test = await start('http://127.0.0.1:6662')
    const options = { plane: 'api', host: '127.0.0.1:6661' } as const
    const valid = { Authorization: `Bearer ${await token()}` }
    expect(await ask(test, ['GET', '/decisions/jwt'], valid, options)).toBe(200)
    expect(await ask(test, ['GET', '/decisions/jwt'], { Authorization: 'Bearer not.valid.token' }, options)).toBe(401)
  })
})

describe('bearer-token: from the query, while the body goes on', () => {
  it('is accepted with an empty answer of the session store', async () => {
    const upstream = await recorder()
    upstream.respond = () => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
    const session = `${upstream.origin}/session`
    const test = await open({
      config: {
        authenticators: { noop: enabled, bearer_token: { enabled: true, config: { check_session_url: session } } },
        authorizers: base.authorizers,
        mutators: base.mutators,
      },
      rules: [
        {
          id: 'test',
          upstream: { url: upstream.origin },
          match: { url: 'http://127.0.0.1:6060/test', methods: ['POST'] },
          authenticators: [
            {
              handler: 'bearer_token',
              config: {
                check_session_url: session,
                preserve_path: true,
                preserve_query: false,
                force_method: 'GET',
                token_from: { query_parameter: 'token' },
              },
            },
          ],
          authorizer: allow,
          mutators: [noop],
        },
      ],
    })
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
    expect(await ask(test, ['POST', '/test?token=token'], form, { body: 'fk=fv' })).toBe(200)
    expect(upstream.requests.map(({ method, target, body }) => [method, target, body.toString()])).toEqual([
      ['GET', '/session?token=token', ''],
      ['POST', '/test?token=token', 'fk=fv'],
    ])
  })
})

describe('forwarded-header: the scheme that the proxy in front saw', () => {
  it.each([
    ['/http', undefined, 200],
    ['/http', 'http', 200],
    ['/http', 'https', 404],
    ['/https', undefined, 404],
    ['/https', 'http', 404],
    ['/https', 'https', 200],
  ])('%s with X-Forwarded-Proto %s: %i', async (path, proto, status) => {
    const upstream = await recorder()
    const rule = (scheme: 'http' | 'https'): object => ({
      id: `test-rule-${scheme}`,
      upstream: { url: `${upstream.origin}/`, strip_path: scheme },
      match: { url: `${scheme}://127.0.0.1:6060/${scheme}`, methods: ['GET'] },
      authenticators: [noop],
      authorizer: allow,
      mutators: [noop],
    })
    const test = await open({
      config: { ...base, serve: { proxy: { trust_forwarded_headers: true } } },
      rules: [rule('http'), rule('https')],
    })
    expect(await ask(test, ['GET', path], proto === undefined ? {} : { 'X-Forwarded-Proto': proto })).toBe(status)
    expect(upstream.requests.map(({ target }) => target)).toEqual(status === 200 ? ['/'] : [])
  })
})

describe('reload: config and rules change under the running gateway', () => {
  const makeRule = (upstream: string, id: string, path: string, authenticator: string, authorizer: string): object => ({
    id,
    upstream: { url: `${upstream}/`, strip_path: path },
    match: { url: `http://127.0.0.1:6060${path}`, methods: ['GET'] },
    authenticators: [{ handler: authenticator }],
    authorizer: { handler: authorizer },
    mutators: [noop],
  })

  it('follows each step', async () => {
    const { origin } = await recorder()
    const test = await open({ config: { ...base, access_rules: {} }, watchInterval: 20 })
    const status = (path: string): Promise<number> => ask(test, ['GET', path])
    const becomes = (path: string, expected: number): Promise<void> =>
      expect.poll(() => status(path), { timeout: 10_000 }).toBe(expected)
    const listener = { host: '127.0.0.1', port: 0 }
    const serve = { proxy: listener, api: listener, prometheus: listener }
    const configure = (config: object, files?: readonly string[]): void => {
      const repositories = files?.map((file) => `file://${test.directory}/${file}`)
      test.write('config.json', { ...base, serve, ...config, ...(repositories && { access_rules: { repositories } }) })
    }
    test.write('rules.1.json', [makeRule(origin, 'test-rule-1', '/rules', 'noop', 'allow')])
    test.write('rules.2.json', [makeRule(origin, 'test-rule-1', '/rules', 'anonymous', 'deny')])

    expect(await status('/rules')).toBe(404)
    configure({}, ['rules.1.json'])
    await becomes('/rules', 200)
    configure({}, ['rules.2.json'])
    await becomes('/rules', 403)
    configure({ authenticators: { noop: enabled, anonymous: { enabled: false } } }, ['rules.2.json'])
    await becomes('/rules', 500)
    expect(await status('/other-rules')).toBe(404)

    test.write('rules.3.json', [makeRule(origin, 'test-rule-2', '/other-rules', 'anonymous', 'allow')])
    configure({}, ['rules.1.json', 'rules.3.json'])
    await becomes('/rules', 200)
    await becomes('/other-rules', 200)
    test.write('rules.3.json', [makeRule(origin, 'test-rule-2', '/other-rules', 'anonymous', 'deny')])
    await becomes('/other-rules', 403)
    expect(await status('/rules')).toBe(200)

    configure({})
    await becomes('/rules', 404)
    await becomes('/other-rules', 404)
  })
})
