/** A proxy as `mintkeeper proxy` makes it, between an application and a Kratos that both record what they are asked. */
import { oryProxyConfig } from '../../src/ory_proxy/config.ts'
import { sessionJwt } from '../../src/ory_proxy/session_jwt.ts'
import type { OryProxySettings } from '../../src/ory_proxy/settings.ts'
import { createGateway } from '../../src/index.ts'
import { type RecordedRequest, type Recorder, startRecorder } from '../support/recorder.ts'

export const session = {
  id: 'f2a3c9f0-0000-4000-8000-000000000001',
  active: true,
  expires_at: '2099-01-01T00:00:00Z',
  authenticated_at: '2026-01-01T00:00:00Z',
  authenticator_assurance_level: 'aal1',
  identity: { id: '11111111-0000-4000-8000-000000000001', state: 'active', traits: { email: 'ann@example.com' } },
}

/** Cookie and token of that session. */
export const good = { cookie: 'ory_kratos_session=good', token: 'ory_st_good' } as const

export interface OryProxy extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly app: Recorder
  readonly kratos: Recorder
  /** What Kratos was asked beside sessions. */
  relayed(): readonly RecordedRequest[]
}

export interface OryProxyInput {
  readonly settings?: Partial<OryProxySettings>
  /** What a config file would say. */
  readonly config?: object
}

export async function startOryProxy({ settings, config }: OryProxyInput = {}): Promise<OryProxy> {
  const app = await startRecorder()
  const kratos = await startRecorder(whoami)
  const base = await oryProxyConfig({
    upstream: app.origin,
    kratos: kratos.origin,
    kratosBaseUrl: kratos.origin,
    host: '127.0.0.1',
    port: 0,
    publishUrl: undefined,
    jwt: true,
    cookieDomain: '',
    defaultRedirectUrl: '/',
    allowedCorsOrigins: [],
    additionalCorsHeaders: [],
    rewriteHost: false,
    kratosHeaders: [],
    debug: false,
    ...settings,
  })
  const gateway = await createGateway({
    configFiles: [],
    env: {},
    base: { ...base, ...config },
    handlers: [sessionJwt],
    logTarget: { write: () => undefined },
  })
  const { proxy } = await gateway.listen()
  return {
    url: `http://127.0.0.1:${proxy.port}`,
    port: proxy.port,
    app,
    kratos,
    relayed: () => kratos.requests.filter(({ target }) => target !== '/sessions/whoami'),
    async [Symbol.asyncDispose]() {
      await gateway.close(0)
      await Promise.all([app.close(), kratos.close()])
    },
  }
}

function whoami(request: RecordedRequest): string {
  if (request.target !== '/sessions/whoami') return answer('200 OK', 'kratos')
  const signedIn =
    request.all('cookie').includes(good.cookie) ||
    request.all('x-session-token').includes(good.token) ||
    request.all('authorization').includes(`Bearer ${good.token}`)
  if (signedIn) return answer('200 OK', JSON.stringify(session), 'application/json; charset=utf-8')
  const error = { code: 401, status: 'Unauthorized', message: 'The request could not be authorized' }
  return answer('401 Unauthorized', JSON.stringify({ error }), 'application/json')
}

export const answer = (status: string, body: string, type = 'text/plain', ...lines: string[]): string =>
  [
    `HTTP/1.1 ${status}`,
    `Content-Type: ${type}`,
    ...lines,
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n')

/** As a client that does not follow redirects. */
export const get = (url: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { redirect: 'manual', headers })
