/**
 * The catalogue of attacks and its set-up `std`: a public part and parts that need a session, with the profile `secure`.
 * Every other file of this folder tries cases of the catalogue on it.
 */
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { decodeJwt, type JWTPayload } from 'jose'
import type { Decision } from '../../src/index.ts'
import { generateKeySet } from '../../src/tokens/generate.ts'
import {
  loadGateway,
  startGateway,
  type GatewayInput,
  type ListeningGateway,
  type TestGateway,
} from '../support/gateway.ts'

export interface Vector {
  readonly id: string
  readonly class: string
  readonly request: {
    readonly kind: string
    readonly bytes_b64?: string
    readonly header?: object
    readonly payload?: string | object
    readonly signature?: string
    readonly 'traits.name'?: string
  }
  readonly expect: {
    readonly status: readonly (number | null | readonly number[])[]
    readonly upstream?: 'not_reached' | UpstreamExpectation
  }
}

/** What of the requests that came to the upstream is looked at; the rest of what is said there is in words. */
export interface UpstreamExpectation {
  /** Only when the client got this status. */
  readonly if?: number
  readonly path?: string
  readonly paths?: readonly string[]
  readonly requests?: number
  readonly body?: string
  readonly headers_absent?: readonly string[]
  readonly names_absent_regex?: string
}

const file = new URL('../vectors/security.json', import.meta.url)
export const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly Vector[] }

export const idsOf = (name: string): string[] => cases.filter((each) => each.class === name).map(({ id }) => id)

export function vector(id: string): Vector {
  const found = cases.find((candidate) => candidate.id === id)
  if (found === undefined) throw new Error(`no vector ${id}`)
  return found
}

export const bytesOf = (id: string): Buffer => Buffer.from(vector(id).request.bytes_b64 ?? '', 'base64')

export const HOUR = 3_600_000

/** What Kratos says of an active session. */
export const sessionOf = (name: string, changes: object = {}): object => ({
  id: `session-of-${name}`,
  active: true,
  expires_at: new Date(Date.now() + HOUR).toISOString(),
  identity: { id: name, state: 'active', traits: {} },
  ...changes,
})

/** Knows ALICE and BOB by their cookies, and nobody else. */
export function whoami(request: IncomingMessage, response: ServerResponse): void {
  const [, name] = /^ory_kratos_session=(ALICE|BOB)$/.exec(request.headers.cookie ?? '') ?? []
  if (name === undefined) response.writeHead(401).end('{}')
  else response.end(JSON.stringify(sessionOf(name.toLowerCase())))
}

const on = { enabled: true }
const jwks = JSON.stringify(await generateKeySet({ alg: 'ES256', kid: 'k' }))
/** The key set that signs, as a URL. */
export const keyUrl = `base64://${Buffer.from(jwks).toString('base64')}`

export interface Std {
  /** Origin of the session store. */
  readonly store: string
  readonly upstream?: string
  readonly errors?: object
  /** Replaces the rules of the set-up. */
  readonly rules?: readonly object[]
  readonly handlers?: GatewayInput['handlers']
  readonly config?: object
}

export function rule(path: string, parts: object = {}, upstream = 'http://127.0.0.1:9'): object {
  return {
    id: path,
    match: { url: `http://gw.example${path}`, methods: ['GET', 'POST'] },
    authenticators: [{ handler: 'cookie_session' }],
    authorizer: { handler: 'allow' },
    mutators: [{ handler: 'id_token' }],
    upstream: { url: upstream },
    ...parts,
  }
}

/** The rules of the set-up; those of the catalogue, and one that also takes clients without a session. */
function stdRules(upstream?: string): readonly object[] {
  const open = { authenticators: [{ handler: 'anonymous' }], mutators: [{ handler: 'noop' }] }
  const csrf = { allowed_origins: ['https://app.example'], content_types: ['application/json'], safe_methods: [] }
  const cookie = { handler: 'cookie_session', config: { csrf } }
  const withMethods = (made: object, methods: readonly string[], changes: object = {}): object => {
    const { match, ...rest } = made as { readonly match: object }
    return { ...rest, match: { ...match, methods, ...changes } }
  }
  const rest = { upstream: { url: upstream ?? 'http://127.0.0.1:9', strip_path: '/rest' } }
  return [
    withMethods(rule('/public<(/.*)?>', open, upstream), ['GET', 'HEAD', 'POST']),
    withMethods(rule('/admin<(/.*)?>', {}, upstream), ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
    rule('/v1/graphql', { authenticators: [cookie, { handler: 'bearer_token' }] }, upstream),
    withMethods(rule('/rest/<.*>', rest, upstream), ['GET', 'POST', 'PATCH', 'DELETE']),
    withMethods(rule('/https-only', open, upstream), ['GET'], { url: 'https://gw.example/https-only' }),
    rule('/mixed', { authenticators: [{ handler: 'cookie_session' }, { handler: 'anonymous' }] }, upstream),
  ]
}

function inputOf({ store, upstream, errors, rules, handlers, config }: Std): GatewayInput {
  return {
    config: {
      profile: 'secure',
      authenticators: {
        anonymous: on,
        cookie_session: {
          enabled: true,
          config: { check_session_url: `${store}/sessions/whoami`, subject_from: 'identity.id', extra_from: '@this' },
        },
        bearer_token: {
          enabled: true,
          config: { check_session_url: `${store}/sessions/whoami`, subject_from: 'identity.id' },
        },
      },
      authorizers: { allow: on, deny: on },
      mutators: {
        noop: on,
        id_token: {
          enabled: true,
          config: { issuer_url: 'https://gw.example', jwks_url: keyUrl },
        },
      },
      ...(errors !== undefined && { errors }),
      ...config,
    },
    rules: rules ?? stdRules(upstream),
    ...(handlers !== undefined && { handlers }),
  }
}

export const loadStd = (std: Std): Promise<TestGateway> => loadGateway(inputOf(std))
export const startStd = (std: Std): Promise<ListeningGateway> => startGateway(inputOf(std))

/** The claims of the token that an allowed request goes on with. */
export function claimsOf(decision: Decision): JWTPayload {
  if (!decision.allowed) throw new Error(`refused: ${decision.error.message}`)
  const token = decision.edits.find(([name]) => name.toLowerCase() === 'authorization')?.[1] ?? ''
  return decodeJwt(token.replace('Bearer ', ''))
}
