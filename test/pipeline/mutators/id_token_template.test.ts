import { decodeJwt, type JWTPayload } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Decision } from '../../../src/pipeline/contract/decision.ts'
import { generateKeySet } from '../../../src/tokens/generate.ts'
import { loadGateway, type TestGateway } from '../../support/gateway.ts'
import { startServer, type TestServer } from '../../support/http_server.ts'
import { inboundOf } from '../../support/inbound.ts'

let kratos: TestServer
let roles: readonly string[]
let keys: string

beforeAll(async () => {
  keys = JSON.stringify(await generateKeySet({ alg: 'ES256', kid: 'k1' }))
  kratos = await startServer((_, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        id: 's1',
        active: true,
        expires_at: '2999-01-01T00:00:00Z',
        identity: { id: 'alice', external_id: 'A-1', traits: {}, metadata_public: { roles } },
      }),
    ),
  )
})
afterAll(() => kratos[Symbol.asyncDispose]())
beforeEach(() => {
  roles = ['editor']
})

const mapper = "{ claims: { roles: std.extVar('session').identity.metadata_public.roles } }"

interface Input {
  readonly template?: object
  readonly rule?: object
  readonly profile?: 'secure' | 'oathkeeper'
}

/** A gateway with one template `t`, of which the mapper is a file. */
async function gatewayWith({ template, rule = {}, profile = 'secure' }: Input = {}): Promise<TestGateway> {
  const jwks_url = `base64://${Buffer.from(keys).toString('base64')}`
  const config = (mapperUrl: string): object => ({
    profile,
    kratos: { public_url: kratos.url },
    session: { whoami: { tokenizer: { templates: { t: { jwks_url, claims_mapper_url: mapperUrl, ...template } } } } },
    authenticators: {
      cookie_session: {
        enabled: true,
        config: {
          check_session_url: `${kratos.url}/sessions/whoami`,
          subject_from: 'identity.id',
          extra_from: '@this',
        },
      },
    },
    authorizers: { allow: { enabled: true } },
    mutators: { id_token: { enabled: true, config: { template: 't' } } },
  })
  const rules = [
    {
      id: 'r',
      match: { url: 'http://gw.example/<.*>', methods: ['GET'] },
      authenticators: [{ handler: 'cookie_session' }],
      authorizer: { handler: 'allow' },
      mutators: [{ handler: 'id_token', config: rule }],
      upstream: { url: 'http://127.0.0.1:9' },
    },
  ]
  const inline = `base64://${Buffer.from(mapper).toString('base64')}`
  const loaded = await loadGateway({ config: config(inline), rules })
  // The mapper's place is known only now that there is a folder.
  const url = `file://${loaded.directory}/mapper.jsonnet`
  loaded.write('mapper.jsonnet', mapper)
  const written = { access_rules: { repositories: [`file://${loaded.directory}/rules.json`] }, ...config(url) }
  loaded.write('config.json', written)
  const { problems } = await loaded.gateway.reload()
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
  return loaded
}

const decide = async ({ gateway }: TestGateway, path = '/notes'): Promise<Decision> =>
  gateway.decide(inboundOf(`http://gw.example${path}`, { headers: { cookie: 'ory_kratos_session=a' } }))

async function claimsOf(gateway: TestGateway, path?: string): Promise<JWTPayload> {
  const decision = await decide(gateway, path)
  if (!decision.allowed) throw decision.error
  return decodeJwt(String(decision.edits[0]?.[1]).replace('Bearer ', ''))
}

describe('id_token with a template', () => {
  it('sends what Kratos would', async () => {
    await using gateway = await gatewayWith()
    const claims = await claimsOf(gateway)
    expect(claims).toMatchObject({ iss: kratos.url, sub: 'alice', sid: 's1', roles: ['editor'] })
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(600)
  })

  it('sends the same token again, until the session says something else', async () => {
    await using gateway = await gatewayWith()
    const before = await claimsOf(gateway)
    expect(await claimsOf(gateway)).toEqual(before)
    roles = ['admin']
    expect((await claimsOf(gateway))['roles']).toEqual(['admin'])
  })

  it('on a thread of its own sends the same', async () => {
    await using gateway = await gatewayWith({ template: { evaluation: { worker: true, timeout: '30s' } } })
    expect(await claimsOf(gateway)).toMatchObject({ sub: 'alice', roles: ['editor'] })
  })

  it('names the subject as it is told', async () => {
    await using gateway = await gatewayWith({ template: { subject_source: 'external_id' } })
    expect((await claimsOf(gateway)).sub).toBe('A-1')
  })

  it('makes one token for each request that its mapper reads', async () => {
    await using gateway = await gatewayWith()
    gateway.write('mapper.jsonnet', "{ claims: { path: std.extVar('match_context').url.path } }")
    await gateway.gateway.reload()
    expect((await claimsOf(gateway, '/a'))['path']).toBe('/a')
    const again = await claimsOf(gateway, '/b')
    expect(again['path']).toBe('/b')
    expect(await claimsOf(gateway, '/b')).toEqual(again)
  })

  it('refuses a request whose session lacks what the mapper reads', async () => {
    await using gateway = await gatewayWith()
    gateway.write('mapper.jsonnet', "{ claims: { mail: std.extVar('session').identity.traits.mail } }")
    await gateway.gateway.reload()
    const decision = await decide(gateway)
    expect(decision).toMatchObject({ allowed: false, error: { code: 'template_failed', status: 500 } })
    expect(!decision.allowed && decision.error.reason).toContain('there is no field mail')
  })
})

describe('a reload', () => {
  it('follows a mapper that was edited, and keeps one that was broken', async () => {
    await using gateway = await gatewayWith()
    gateway.write('mapper.jsonnet', '{ claims: { edited: true } }')
    expect((await gateway.gateway.reload()).kept).toEqual([])
    expect((await claimsOf(gateway))['edited']).toBe(true)
    gateway.write('mapper.jsonnet', '{ claims: ')
    const { kept, files } = await gateway.gateway.reload()
    expect(kept.map(({ message }) => message)).toEqual([
      expect.stringMatching(/mapper.jsonnet:1:.*the old one stays in use/),
    ])
    expect(files).toContain(`${gateway.directory}/mapper.jsonnet`)
    expect((await claimsOf(gateway))['edited']).toBe(true)
  })
})

describe('a config is refused', () => {
  it.each<[string, Input, string]>([
    [
      'whose mapper is broken',
      { template: { claims_mapper_url: 'base64://eyBj' } },
      'The claims mapper cannot be used',
    ],
    ['whose mapper is missing', { template: { claims_mapper_url: 'file:///no/such' } }, 'the file does not exist'],
    ['with a mapper and claims', { template: { claims: { a: 1 } } }, 'either claims_mapper_url or claims'],
    ['with a key set that cannot sign', { template: { jwks_url: 'file:///no/such' } }, 'the file does not exist'],
    ['with a lifetime that is none', { template: { ttl: '3s' } }, 'would have expired when it is made'],
    ['with a name that there is not', { rule: { template: 'tt' } }, 'There is no template "tt"'],
    ['with claims beside a template', { rule: { claims: { a: 1 } } }, 'claims and template exclude each other'],
    ['with an unknown subject', { template: { subject_source: 'email' } }, 'must be "id" or "external_id"'],
  ])('%s', async (_name, input, message) => {
    await expect(gatewayWith(input)).rejects.toThrow(message)
  })

  it('without template, issuer and keys', async () => {
    const mutators = { id_token: { enabled: true, config: { ttl: '1m' } } }
    await expect(loadGateway({ config: { mutators } })).rejects.toThrow(
      /"mutators.id_token.config.issuer_url" is missing[\s\S]*"mutators.id_token.config.jwks_url" is missing/,
    )
  })

  it('but as in Oathkeeper, a key set that cannot sign isolates the rules that need it', async () => {
    const { gateway, ...rest } = await loadGateway({
      config: {
        kratos: { public_url: kratos.url },
        session: { whoami: { tokenizer: { templates: { t: { jwks_url: 'file:///no/such' } } } } },
      },
    })
    expect(gateway.problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('file:///no/such: the file does not exist'),
    ])
    await rest[Symbol.asyncDispose]()
  })
})
