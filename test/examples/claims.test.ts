/** The ready-made claims: the same in each language, and accepted by whom they are for. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { StandIn } from '../../demo/stand-in/server.ts'
import { adviceOn, adviceOnMapper } from '../../src/tokens/claims/advice.ts'
import { cli, folder } from '../cli/run.ts'
import { root, text } from '../deploy/files.ts'
import { servePostgraphile, startDataServers, subjectFunction } from '../support/data_servers.ts'
import { startGateway, type ListeningGateway } from '../support/gateway.ts'
import { hasuraSession, type HasuraConfig } from '../support/hasura.ts'

const templates = ['hasura', 'hasura-ddn', 'postgrest', 'supabase', 'oidc'] as const
const languages = ['yaml', 'tmpl', 'jsonnet'] as const
type Template = (typeof templates)[number]
type Language = (typeof languages)[number]
type Claims = Readonly<Record<string, unknown>>

const source = (name: Template, language: Language): string => text(`examples/claims/${name}.${language}`)
const inConfig = (name: Template, language: Language): unknown =>
  language === 'yaml' ? parse(source(name, language)) : source(name, language)

const subject = '11111111-1111-4111-8111-111111111111'
const session = (metadata: unknown): object => ({
  id: '22222222-2222-4222-8222-222222222222',
  active: true,
  expires_at: '2100-01-01T00:00:00Z',
  authenticator_assurance_level: 'aal2',
  identity: {
    id: subject,
    traits: { email: 'alice@example.com', name: { first: 'Alice', last: 'Liddell' } },
    verifiable_addresses: [{ value: 'alice@example.com', verified: true, via: 'email' }],
    ...(metadata !== undefined && { metadata_public: metadata }),
  },
})

async function claimsOf(name: Template, language: Language, metadata: unknown): Promise<Claims> {
  using files = folder()
  const file = files.write('session.json', session(metadata))
  const template = path.join(root, 'examples', 'claims', `${name}.${language}`)
  const { exitCode, out, err } = await cli(['claims', 'test', template, '--session', file])
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
  const { exp, iat, nbf, jti, iss, sid, ...claims } = JSON.parse(out) as Claims
  expect([exp, iat, nbf].every(Number.isSafeInteger)).toBe(true)
  expect([typeof jti, typeof iss]).toEqual(['string', 'string'])
  // Kratos' own tokens name the session; of the profiles only one does.
  return name === 'oidc' ? { ...claims, sid } : claims
}

describe.each(templates)('%s', (name) => {
  it.each([
    ['a role', { role: 'editor' }, 'editor'],
    ['no role', { other: 1 }, undefined],
    ['no metadata', null, undefined],
    ['nothing of metadata', undefined, undefined],
  ])('says the same in each language of a user with %s', async (_, metadata, role) => {
    const [yaml, ...others] = await Promise.all(languages.map((language) => claimsOf(name, language, metadata)))
    expect(others).toEqual([yaml, yaml])
    expect(yaml).toEqual({ sub: subject, ...expected[name](role) })
  })

  it.each(languages)('needs no advice (%s)', (language) => {
    const advice =
      language === 'jsonnet' ? adviceOnMapper(source(name, language)) : adviceOn(inConfig(name, language), 'ES256')
    expect(advice).toEqual([])
  })
})

const email = 'alice@example.com'
const variables = (role = 'user'): Claims => ({
  'x-hasura-default-role': role,
  'x-hasura-allowed-roles': [role],
  'x-hasura-user-id': subject,
  'x-hasura-email': email,
})
const expected: Readonly<Record<Template, (role: string | undefined) => Claims>> = {
  hasura: (role) => ({ aud: 'hasura', 'https://hasura.io/jwt/claims': variables(role) }),
  'hasura-ddn': (role) => ({ aud: 'hasura-ddn', 'claims.jwt.hasura.io': variables(role) }),
  postgrest: (role = 'authenticated') => ({ aud: ['postgrest', 'postgraphile'], role, email, aal: 'aal2' }),
  supabase: (role = 'user') => ({
    aud: 'authenticated',
    role: 'authenticated',
    aal: 'aal2',
    session_id: '22222222-2222-4222-8222-222222222222',
    email,
    phone: '',
    is_anonymous: false,
    app_metadata: { provider: 'kratos', role },
    user_metadata: { email, name: { first: 'Alice', last: 'Liddell' } },
  }),
  oidc: () => ({
    aud: 'services',
    sid: '22222222-2222-4222-8222-222222222222',
    acr: 'aal2',
    name: 'Alice Liddell',
    given_name: 'Alice',
    family_name: 'Liddell',
    email,
    email_verified: true,
  }),
}

interface HasuraVector {
  readonly id: string
  readonly group: string
  readonly given: {
    readonly config?: HasuraConfig & { readonly claims_map?: unknown; readonly issuer?: string }
    readonly claims?: Claims | null
    readonly headers?: Readonly<Record<string, string>>
    readonly signature?: string
  }
  readonly expect: {
    readonly error?: { readonly code: string; readonly message?: string } | string
    readonly session?: Claims
  }
}

describe('Hasura', () => {
  const vectors = (
    JSON.parse(readFileSync(new URL('../vectors/downstream.json', import.meta.url), 'utf8')) as readonly HasuraVector[]
  ).filter(
    ({ id, group, given }) =>
      group === 'hasura_claims' &&
      // v3, signatures, lifetimes and maps of single claims are told apart elsewhere.
      id.startsWith('hs-') &&
      typeof given.claims === 'object' &&
      given.claims !== null &&
      given.claims['exp'] === undefined &&
      given.signature === undefined &&
      given.config?.claims_map === undefined,
  )

  const answerTo = ({ given }: HasuraVector): unknown =>
    hasuraSession(given.claims ?? {}, given.headers?.['x-hasura-role'], given.config)

  it.each(vectors.filter((vector) => vector.expect.error !== undefined))('refuses claims: $id', (vector) => {
    expect(answerTo(vector)).toMatchObject({ error: vector.expect.error })
  })

  it.each(vectors.filter((vector) => vector.expect.error === undefined))('takes claims: $id', (vector) => {
    expect(answerTo(vector)).toMatchObject({ session: vector.expect.session ?? { 'x-hasura-role': 'user' } })
  })

  it.each(languages)('gets a role and a user of each token (%s)', async (language) => {
    const v2 = await claimsOf('hasura', language, { role: 'editor' })
    const others = { 'x-hasura-user-id': subject, 'x-hasura-email': email }
    expect(hasuraSession(v2)).toEqual({ session: { 'x-hasura-role': 'editor', ...others } })
    expect(hasuraSession(v2, 'admin')).toMatchObject({ error: { code: 'access-denied' } })
    const ddn = await claimsOf('hasura-ddn', language, { role: 'editor' })
    const namespace = { claims_namespace: 'claims.jwt.hasura.io' }
    expect(hasuraSession(ddn, undefined, namespace)).toEqual({ session: { 'x-hasura-role': 'editor', ...others } })
  })
})

/** As in the README: Supabase has functions for what its claims say. */
const schema = `
  ${subjectFunction}
  create role editor nologin;
  grant editor to authenticator;
  grant usage on schema api to editor;
  grant select on api.notes to editor;
  create policy all_notes on api.notes for select to editor using (true);

  create schema auth;
  create function auth.jwt() returns json language sql stable as $$
    select nullif(current_setting('request.jwt.claims', true), '')::json
  $$;
  create function auth.uid() returns uuid language sql stable as $$ select (auth.jwt() ->> 'sub')::uuid $$;
  grant usage on schema auth to anon, authenticated;
  create function api.me() returns json language sql stable as $$
    select json_build_object(
      'uid', auth.uid(), 'role', current_user, 'session', auth.jwt() ->> 'session_id',
      'app_role', auth.jwt() -> 'app_metadata' ->> 'role'
    )
  $$;
`

interface Stack extends AsyncDisposable {
  readonly kratos: StandIn
  readonly gateway: ListeningGateway
}

/** Real servers behind a gateway; its rules are `/SERVER-LANGUAGE/…`. */
async function startStack(): Promise<Stack> {
  const stack = new AsyncDisposableStack()
  try {
    const { database, kratos, keys, publicKeys } = await startDataServers(stack)
    const { fill, connect } = database.postgres
    const databaseUri = await fill([
      { owner: kratos.alice.id, text: 'of Alice' },
      { owner: kratos.bob.id, text: 'of Bob' },
    ])
    const superuser = await connect()
    await superuser.query(schema)
    await superuser.end()

    const upstreams = {
      postgrest: (await database.servePostgrest(databaseUri, publicKeys)).url,
      supabase: (await database.servePostgrest(databaseUri, publicKeys, 'authenticated')).url,
      postgraphile: await servePostgraphile(stack, { uri: databaseUri, keys: publicKeys }),
    }
    const gateway = stack.use(await startGateway(gatewayInput(kratos, keys, upstreams)))
    const owned = stack.move()
    return { kratos, gateway, [Symbol.asyncDispose]: () => owned.disposeAsync() }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

function gatewayInput(kratos: StandIn, keys: string, upstreams: Readonly<Record<string, string>>) {
  const signs = { jwks_url: `file://${keys}`, issuer_url: 'https://gateway.example/' }
  const mapper = (name: Template): object => ({
    ...signs,
    claims_mapper_url: `file://${path.join(root, 'examples', 'claims', `${name}.jsonnet`)}`,
  })
  const rules = Object.entries(upstreams).flatMap(([server, url]) =>
    languages.map((language) => {
      const name: Template = server === 'supabase' ? 'supabase' : 'postgrest'
      const config = language === 'jsonnet' ? { template: name } : { ...signs, claims: inConfig(name, language) }
      return {
        id: `${server}-${language}`,
        match: { url: `http://127.0.0.1:<[0-9]+>/${server}-${language}/<.*>`, methods: ['GET', 'POST'] },
        authenticators: [{ handler: 'bearer_token' }],
        authorizer: { handler: 'allow' },
        mutators: [{ handler: 'id_token', config }],
        upstream: { url, strip_path: `/${server}-${language}` },
      }
    }),
  )
  return {
    rules,
    config: {
      profile: 'secure',
      session: {
        whoami: { tokenizer: { templates: { postgrest: mapper('postgrest'), supabase: mapper('supabase') } } },
      },
      authenticators: {
        bearer_token: {
          enabled: true,
          config: {
            check_session_url: `${kratos.publicUrl}/sessions/whoami`,
            prefix: 'ory_st_',
            subject_from: 'identity.id',
            extra_from: '@this',
          },
        },
      },
      authorizers: { allow: { enabled: true } },
      mutators: { id_token: { enabled: true, config: signs } },
    },
  }
}

describe('with real servers', () => {
  let stack: Stack
  let tokens: { readonly alice: string; readonly bob: string }

  beforeAll(async () => {
    stack = await startStack()
    const { kratos } = stack
    kratos.alice.metadata_public = null
    kratos.bob.metadata_public = { role: 'editor' }
    tokens = { alice: kratos.signIn(kratos.alice).token, bob: kratos.signIn(kratos.bob).token }
  })
  afterAll(() => stack[Symbol.asyncDispose]())

  const ask = async (target: string, user: keyof typeof tokens, query?: string): Promise<unknown> => {
    const response = await fetch(`${stack.gateway.proxy}/${target}`, {
      headers: { Authorization: `Bearer ${tokens[user]}`, 'Content-Type': 'application/json' },
      ...(query !== undefined && { method: 'POST', body: JSON.stringify({ query }) }),
    })
    expect(response.status).toBe(200)
    return response.json()
  }

  it.each(languages)('PostgREST shows each user what their role may see (%s)', async (language) => {
    const target = `postgrest-${language}/notes?select=text&order=id`
    expect(await ask(target, 'alice')).toEqual([{ text: 'of Alice' }])
    expect(await ask(target, 'bob')).toEqual([{ text: 'of Alice' }, { text: 'of Bob' }])
  })

  it.each(languages)('PostGraphile does, too (%s)', async (language) => {
    const [target, query] = [`postgraphile-${language}/graphql`, '{ allNotes(orderBy: ID_ASC) { nodes { text } } }']
    const nodes = (...texts: readonly string[]): object => ({
      data: { allNotes: { nodes: texts.map((each) => ({ text: each })) } },
    })
    expect(await ask(target, 'alice', query)).toEqual(nodes('of Alice'))
    expect(await ask(target, 'bob', query)).toEqual(nodes('of Alice', 'of Bob'))
  })

  it.each(languages)("Supabase's functions find what they look for (%s)", async (language) => {
    const { kratos } = stack
    expect(await ask(`supabase-${language}/rpc/me`, 'bob')).toEqual({
      uid: kratos.bob.id,
      role: 'authenticated',
      session: expect.stringMatching(/^[\da-f-]{36}$/u),
      app_role: 'editor',
    })
  })

  it('signs tokens under a kid, as all of them want it', async () => {
    const response = await fetch(`${stack.gateway.api}/decisions/postgrest-yaml/notes`, {
      headers: { Authorization: `Bearer ${tokens.alice}` },
    })
    const token = response.headers.get('authorization')?.replace('Bearer ', '') ?? ''
    expect(decodeJwt(token)).toMatchObject({ sub: stack.kratos.alice.id, role: 'authenticated' })
  })
})

describe('examples/claims/mintkeeper.yaml', () => {
  it('is accepted without a word', async () => {
    using files = folder()
    for (const name of ['mintkeeper.yaml', 'rules.yaml', ...templates.map((each) => `${each}.jsonnet`)]) {
      const content = text(`examples/claims/${name}`).replaceAll('file://./', `file://${files.path}/`)
      files.write(name, content)
    }
    await cli(['jwks', 'generate', '--out', files.file('id_token.json')])
    const { exitCode, out, err } = await cli(['validate', '-c', files.file('mintkeeper.yaml')])
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    expect(out).toMatch(/^ok: 5 rules, 5 upstreams, 1 signing key set, profile secure$/mu)
  })
})
