/** Mintkeeper before a real Kratos: its public API below /.ory, its admin API below /admin-api, and an application that shows what it gets. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGateway } from '../../src/index.ts'
import { generateKeySet } from '../../src/tokens/generate.ts'
import { decodeJwt, type JWTPayload } from 'jose'
import type { Kratos } from './kratos.ts'

export interface Application extends AsyncDisposable {
  readonly origin: string
}

/** Answers with the headers of the request as JSON. */
export async function startApplication(): Promise<Application> {
  const server = createServer((request: IncomingMessage, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(request.headers))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

/** The claims of the token that the application got; absent when it got none. */
export function claimsOf(text: string): JWTPayload | undefined {
  const { authorization } = JSON.parse(text) as { readonly authorization?: string }
  return authorization === undefined ? undefined : decodeJwt(authorization.replace(/^Bearer /, ''))
}

export interface GatewayUnderTest extends AsyncDisposable {
  /** Ends in a slash. */
  readonly url: string
  readonly api: string
}

export async function startGateway(
  kratos: Kratos,
  application: Application,
  port: number,
  more: { readonly cache?: object; readonly extend?: object } = {},
): Promise<GatewayUnderTest> {
  const url = `http://127.0.0.1:${port}/`
  const any = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
  const open = {
    authenticators: [{ handler: 'noop' }],
    authorizer: { handler: 'allow' },
    mutators: [{ handler: 'noop' }],
  }
  const own = {
    authorizer: { handler: 'allow' },
    mutators: [{ handler: 'id_token' }],
    upstream: { url: application.origin },
  }
  const session = [{ handler: 'cookie_session' }, { handler: 'bearer_token' }]
  const rules = [
    { id: 'kratos', match: { url: `${url}.ory/<.*>`, methods: any }, ...open, upstream: { url: kratos.publicUrl, strip_prefix: '/.ory' } },
    { id: 'admin', match: { url: `${url}admin-api/<.*>`, methods: any }, ...open, upstream: { url: kratos.adminUrl, strip_prefix: '/admin-api' } },
    { id: 'app', match: { url: `${url}app<.*>`, methods: any }, authenticators: session, ...own },
    {
      id: 'second-factor',
      match: { url: `${url}vault`, methods: ['GET'] },
      ...own,
      authenticators: [{ handler: 'cookie_session', config: { require: { aal: 'aal2' } } }],
    },
  ] // prettier-ignore
  const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64')
  const on = { enabled: true }
  const store = {
    check_session_url: `${kratos.publicUrl}sessions/whoami`,
    preserve_path: true,
    subject_from: 'identity.id',
    extra_from: '@this',
    ...(more.cache !== undefined && { cache: more.cache }),
  }
  const gateway = await createGateway({
    configFiles: [],
    env: {},
    logTarget: { write: () => undefined },
    base: {
      profile: 'secure',
      serve: {
        proxy: { host: '127.0.0.1', port },
        api: { host: '127.0.0.1', port: 0 },
        prometheus: { host: '127.0.0.1', port: 0 },
      },
      kratos: {
        public_url: kratos.publicUrl,
        admin_url: kratos.adminUrl,
        ...(more.extend !== undefined && { extend_sessions: more.extend }),
      },
      authenticators: {
        noop: on,
        cookie_session: { enabled: true, config: store },
        bearer_token: { enabled: true, config: store },
      },
      authorizers: { allow: on },
      mutators: {
        noop: on,
        id_token: {
          enabled: true,
          config: {
            issuer_url: url,
            jwks_url: `base64://${base64(await generateKeySet({ alg: 'ES256' }))}`,
            claims: { aal: '{{ extra.authenticator_assurance_level }}', sid: '{{ extra.id }}' },
          },
        },
      },
      errors: {
        fallback: ['step_up', 'json'],
        handlers: {
          json: on,
          step_up: { enabled: true, config: { to: `${url}.ory/self-service/login/browser` } },
        },
      },
      access_rules: { repositories: [`inline://${base64(rules)}`] },
    } as never,
  })
  const { api } = await gateway.listen()
  return {
    url,
    api: `http://127.0.0.1:${api.port}/`,
    [Symbol.asyncDispose]: () => gateway.close(0),
  }
}
