/** Small habits of Oathkeeper that no document tells; a comparison with the program itself has shown them. */
import { afterEach, describe, expect, it } from 'vitest'
import { startGateway, type ListeningGateway } from '../support/gateway.ts'
import { sendRaw, type RawResponse } from '../support/raw-client.ts'
import { startRecorder, type Recorder } from '../support/recorder.ts'

const enabled = { enabled: true }
const opened: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

async function recorder(answer?: string): Promise<Recorder> {
  const started = await startRecorder(answer === undefined ? undefined : () => answer)
  opened.push({ [Symbol.asyncDispose]: () => started.close() })
  return started
}

async function open(rule: object, config: object = {}): Promise<ListeningGateway> {
  const started = await startGateway({
    config: {
      authenticators: { anonymous: enabled, noop: enabled, unauthorized: enabled },
      authorizers: { allow: enabled },
      mutators: {
        noop: enabled,
        header: { enabled: true, config: { headers: {} } },
        cookie: { enabled: true, config: { cookies: {} } },
      },
      ...config,
    },
    rules: [
      {
        id: 'one',
        match: { url: 'http://gw.test/<.*>', methods: ['GET'] },
        authenticators: [{ handler: 'noop' }],
        authorizer: { handler: 'allow' },
        mutators: [{ handler: 'noop' }],
        ...rule,
      },
    ],
  })
  opened.push(started)
  return started
}

const get = ({ proxy }: ListeningGateway, ...lines: readonly string[]): Promise<RawResponse> =>
  sendRaw(Number(new URL(proxy).port), ['GET /x HTTP/1.1', 'Host: gw.test', ...lines, '', ''].join('\r\n'))

const setHeader = (value: string): object => ({
  mutators: [{ handler: 'header', config: { headers: { 'X-Seen': value } } }],
})

describe('an anonymous subject', () => {
  it('that is empty is the usual one', async () => {
    const upstream = await recorder()
    const test = await open({
      upstream: { url: upstream.origin },
      authenticators: [{ handler: 'anonymous', config: { subject: '' } }],
      ...setHeader('{{ print .Subject }}'),
    })
    await get(test)
    expect(upstream.requests[0]?.all('x-seen')).toEqual(['anonymous'])
  })
})

describe('a header that Connection names', () => {
  it('ends at the gateway, for templates too', async () => {
    const upstream = await recorder()
    const test = await open({
      upstream: { url: upstream.origin },
      ...setHeader('[{{ .MatchContext.Header.Get "X-Named" }}|{{ .MatchContext.Header.Get "X-Other" }}]'),
    })
    await get(test, 'Connection: close, x-named', 'X-Named: 1', 'X-Other: 2')
    expect(upstream.requests[0]?.all('x-seen')).toEqual(['[|2]'])
    expect(upstream.requests[0]?.all('x-named')).toEqual([])
  })
})

describe('a template', () => {
  it('writes the query of the URL', async () => {
    const upstream = await recorder()
    const test = await open({
      upstream: { url: upstream.origin },
      ...setHeader('{{ .MatchContext.URL.Query.Encode }}.'),
    })
    await sendRaw(Number(new URL(test.proxy).port), 'GET /x?b=2&a=1 HTTP/1.1\r\nHost: gw.test\r\n\r\n')
    expect(upstream.requests[0]?.all('x-seen')).toEqual(['a=1&b=2.'])
  })

  it('fails where a function of maps gets a key that is not there', async () => {
    const upstream = await recorder()
    const test = await open({ upstream: { url: upstream.origin }, ...setHeader('{{ keys .Extra.missing }}') })
    expect((await get(test)).status).toBe(500)
    expect(upstream.requests).toEqual([])
  })
})

describe('cookies that the cookie mutator leaves alone', () => {
  it('keep their quotes', async () => {
    const upstream = await recorder()
    const mutators = [{ handler: 'cookie', config: { cookies: { user: 'me' } } }]
    const test = await open({ upstream: { url: upstream.origin }, mutators })
    await get(test, 'Cookie: theme="dark"; size=2')
    expect(upstream.requests[0]?.all('cookie')).toEqual(['user=me; theme="dark"; size=2'])
  })
})

describe('error handlers', () => {
  const when = [{ error: ['internal_server_error'] }]

  it('that are disabled fail only the requests they are responsible for', async () => {
    const redirect = { handler: 'redirect', config: { to: '/login', when } }
    const errors = [{ handler: 'www_authenticate' }, redirect]
    const test = await open(
      { upstream: { url: '' }, authenticators: [{ handler: 'unauthorized' }], errors },
      { errors: { handlers: { www_authenticate: enabled } } },
    )
    expect((await get(test)).status).toBe(401)
  })

  it('for `*/*` answer an Accept that is no type, too', async () => {
    const any = [{ request: { header: { accept: ['*/*'] } } }]
    const test = await open(
      { upstream: { url: '' }, authenticators: [{ handler: 'unauthorized' }] },
      {
        errors: {
          fallback: ['redirect', 'json'],
          handlers: { redirect: { enabled: true, config: { to: '/login', when: any } } },
        },
      },
    )
    expect((await get(test, 'Accept: bad')).status).toBe(302)
  })

  it('that ask for credentials do not answer an outage as an internal error', async () => {
    const store = await recorder('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n')
    const config = { check_session_url: `${store.origin}/whoami`, preserve_path: true }
    const test = await open(
      {
        upstream: { url: '' },
        authenticators: [{ handler: 'cookie_session' }],
        errors: [{ handler: 'www_authenticate', config: { when } }],
      },
      {
        authenticators: { cookie_session: { enabled: true, config } },
        errors: { handlers: { www_authenticate: enabled } },
      },
    )
    expect((await get(test, 'Cookie: session=1')).status).toBe(503)
  })
})
