/** What browsers see of sessions, at a whole gateway: cookies that are issued again, and the way to a second factor. */
import { describe, expect, it } from 'vitest'
import type { ListeningGateway } from '../support/gateway.ts'
import { startServer } from '../support/http_server.ts'
import { sendRaw, type RawResponse } from '../support/raw-client.ts'
import { startRecorder } from '../support/recorder.ts'
import { rule, sessionOf, startStd } from './setup.ts'

const navigation = 'Accept: text/html,*/*;q=0.8\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n'
const script = 'Accept: application/json\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Site: same-origin\r\n'

const get = ({ addresses }: ListeningGateway, path: string, lines: string): Promise<RawResponse> =>
  sendRaw(
    addresses.proxy.port,
    `GET ${path} HTTP/1.1\r\nHost: gw.example\r\nCookie: ory_kratos_session=ALICE\r\n${lines}\r\n`,
  )

const cookiesOf = ({ headers }: RawResponse): string[] =>
  headers.filter(([name]) => name.toLowerCase() === 'set-cookie').map(([, value]) => value)

describe('a session cookie that Kratos issues again', () => {
  const issued = ['ory_kratos_session=NEW; Path=/; HttpOnly; SameSite=Lax', 'csrf_token=c; Path=/']

  it('reaches the client beside the cookies of the upstream, which cannot set its own', async () => {
    await using store = await startServer((_request, response) => {
      response.setHeader('set-cookie', issued)
      response.end(JSON.stringify(sessionOf('alice')))
    })
    const upstream = await startRecorder(
      () =>
        'HTTP/1.1 200 OK\r\nSet-Cookie: ory_kratos_session=EVIL\r\nSet-Cookie: theme=dark\r\nContent-Length: 2\r\n\r\nok',
    )
    await using gateway = await startStd({ store: store.url, upstream: upstream.origin })
    const response = await get(gateway, '/admin/x', navigation)
    expect(response.status).toBe(200)
    expect(cookiesOf(response)).toEqual(['theme=dark', ...issued])
    await upstream.close()
  })

  it('reaches the client with a refusal, too, such as one that clears it', async () => {
    const cleared = 'ory_kratos_session=; Max-Age=0; Path=/'
    await using store = await startServer((_request, response) => {
      response.writeHead(401, { 'set-cookie': cleared }).end('{}')
    })
    await using gateway = await startStd({ store: store.url })
    const response = await get(gateway, '/admin/x', script)
    expect(response.status).toBe(401)
    expect(cookiesOf(response)).toEqual([cleared])
  })

  it('may be set by an upstream that the rule says so of', async () => {
    await using store = await startServer((_request, response) => response.end(JSON.stringify(sessionOf('alice'))))
    const own = 'HTTP/1.1 200 OK\r\nSet-Cookie: ory_kratos_session=OWN\r\nContent-Length: 2\r\n\r\nok'
    const upstream = await startRecorder(() => own)
    const url = upstream.origin
    await using gateway = await startStd({
      store: store.url,
      rules: [
        rule('/pass', { upstream: { url, session_cookie_responses: 'pass' } }),
        rule('/drop', { upstream: { url, session_cookie_responses: 'drop' } }),
      ],
    })
    expect(cookiesOf(await get(gateway, '/pass', script))).toEqual(['ory_kratos_session=OWN'])
    expect(cookiesOf(await get(gateway, '/drop', script))).toEqual([])
    await upstream.close()
  })
})

describe('a session without the second factor that Kratos asks for', () => {
  const refusal =
    '{"error":{"id":"session_aal2_required","code":403,"status":"Forbidden",' +
    '"reason":"An active session was found"},"redirect_browser_to":"https://id.example/self-service/login/browser?aal=aal2"}'
  const errors = {
    fallback: ['step_up', 'json'],
    handlers: {
      json: { enabled: true },
      step_up: { enabled: true, config: { to: 'https://id.example/self-service/login/browser' } },
    },
  }
  const startRefusing = async () => {
    const store = await startServer((_request, response) =>
      response.writeHead(403, { 'content-type': 'application/json' }).end(refusal),
    )
    const gateway = await startStd({ store: store.url, errors })
    return {
      gateway,
      async [Symbol.asyncDispose]() {
        await gateway[Symbol.asyncDispose]()
        await store[Symbol.asyncDispose]()
      },
    }
  }

  it('is led to the flow when it navigates, and from there back to where it was', async () => {
    await using test = await startRefusing()
    const response = await get(test.gateway, '/admin/x?page=2', navigation)
    expect(response.status).toBe(302)
    const location = new URL(response.header('location') ?? '')
    expect(location.origin + location.pathname).toBe('https://id.example/self-service/login/browser')
    expect(Object.fromEntries(location.searchParams)).toEqual({
      aal: 'aal2',
      return_to: 'http://gw.example/admin/x?page=2',
    })
    expect(response.header('cache-control')).toBe('no-store')
  })

  it('gets Kratos’ JSON to the byte when a script asks', async () => {
    await using test = await startRefusing()
    const response = await get(test.gateway, '/admin/x', script)
    expect(response.status).toBe(403)
    expect(response.body.toString()).toBe(refusal)
    expect(response.header('content-type')).toMatch(/^application\/json/)
  })

  it.each([
    'X-Forwarded-Host: evil.example\r\n',
    'X-Forwarded-Proto: https\r\nX-Forwarded-Uri: //evil.example/\r\n',
    'Forwarded: host=evil.example\r\n',
    'X-Original-URL: https://evil.example/\r\n',
    'Referer: https://evil.example/\r\nOrigin: https://evil.example\r\n',
  ])('comes back to nowhere else, whatever it says: %j', async (lines) => {
    await using test = await startRefusing()
    const response = await get(test.gateway, '/admin/x', navigation + lines)
    expect(response.header('location')).toContain(`return_to=${encodeURIComponent('http://gw.example/admin/x')}`)
    expect(response.header('location')).not.toContain('evil')
  })
})
