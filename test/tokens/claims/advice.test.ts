import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { outlineJsonnet } from '../../../src/languages/jsonnet/index.ts'
import { adviceOn, adviceOnMapper } from '../../../src/tokens/claims/advice.ts'

const namespace = 'https://hasura.io/jwt/claims'
const roles = { 'x-hasura-default-role': 'user', 'x-hasura-allowed-roles': ['user'] }
const messages = (claims: unknown, alg?: string): readonly string[] =>
  adviceOn(claims, alg).map(({ message }) => message)
const mapperMessages = (claims: string, alg?: string): readonly string[] =>
  adviceOnMapper(`local session = std.extVar('session'); { claims: ${claims} }`, alg).map(({ message }) => message)

describe('advice on claims', () => {
  it.each<readonly [unknown]>([
    [undefined],
    ['{"sub":1}'],
    [{ role: 'user' }],
    [{ aud: ['postgrest'], role: '{{extra.role}}' }],
    [{ [namespace]: { 'X-Hasura-Default-Role': 'user', 'x-hasura-allowed-roles': ['user'] } }],
    [{ [namespace]: { ...roles, 'x-hasura-user-id': '{{subject}}', 'x-hasura-orgs': '{a,b}' } }],
    [{ [namespace]: { ...roles, 'x-hasura-default-role': '{{extra.role}}' } }],
    [{ [namespace]: { ...roles, 'x-hasura-allowed-roles': '{{extra.roles}}' } }],
    [{ [namespace]: { ...roles, 'x-hasura-default-role': 'admin', 'x-hasura-allowed-roles': ['{{extra.role}}'] } }],
    [{ [namespace]: '{{extra.hasura}}' }],
    [{ 'claims.jwt.hasura.io': { ...roles, 'x-hasura-role': 'user', 'x-hasura-level': 3 } }],
  ])('%j needs none', (claims) => {
    expect(messages(claims, 'ES256')).toEqual([])
  })

  it('names claims that have no effect', () => {
    expect(adviceOn({ sub: 'x', role: 'y', exp: 1 }).map(({ path }) => path)).toEqual([['exp'], ['sub']])
  })

  const complaints: readonly (readonly [object, string, string])[] = [
    [{ 'x-hasura-default-role': undefined }, 'without', 'Hasura refuses tokens without x-hasura-default-role'],
    [{ 'x-hasura-allowed-roles': undefined }, 'without', 'Hasura refuses tokens without x-hasura-allowed-roles'],
    [
      { 'x-hasura-default-role': 'admin' },
      'not one of',
      'The default role "admin" is not one of x-hasura-allowed-roles; Hasura refuses such tokens',
    ],
    [
      { 'x-hasura-default-role': 1 },
      'name of a role',
      'Hasura refuses tokens whose x-hasura-default-role is not the name of a role',
    ],
    [
      { 'x-hasura-allowed-roles': 'user' },
      'list',
      'Hasura refuses tokens whose x-hasura-allowed-roles is not a list of texts',
    ],
    [
      { 'x-hasura-allowed-roles': ['user', 1] },
      'list',
      'Hasura refuses tokens whose x-hasura-allowed-roles is not a list of texts',
    ],
    [{ 'x-hasura-allowed-roles': [] }, 'Nobody', 'Nobody is allowed in with an empty x-hasura-allowed-roles'],
    [{ 'x-hasura-level': 3 }, 'text', 'Hasura expects a text as x-hasura-level'],
    [{ 'x-hasura-groups': ['a'] }, 'text', 'Hasura expects a text as x-hasura-groups'],
    [{ email: 'x' }, 'no notice', 'Hasura takes no notice of email: its session variables begin with x-hasura-'],
    [
      { 'x-hasura-role': 'user' },
      'no role',
      'Hasura takes no role from x-hasura-role in a token: clients choose theirs with a header of that name',
    ],
  ]

  it.each(complaints)('%j: %s, in each language', (variables, _, message) => {
    const claims = JSON.parse(JSON.stringify({ [namespace]: { ...roles, ...variables } })) as object
    expect(messages(claims)).toEqual([message])
    expect(messages(JSON.stringify({ ...claims, email: 'EMAIL' }).replace('EMAIL', '{{ .Extra.email }}'))).toEqual([
      message,
    ])
    expect(mapperMessages(JSON.stringify(claims))).toEqual([message])
  })

  it('leads to the value, where there is one', () => {
    expect(adviceOn({ [namespace]: { ...roles, 'x-hasura-level': 3 } })).toMatchObject([
      { path: [namespace, 'x-hasura-level'] },
    ])
  })

  it.each<readonly [unknown, string]>([
    ['{}', 'Hasura expects an object here'],
    [['a'], 'Hasura refuses tokens whose session variables are no object'],
    [null, 'Hasura refuses tokens whose session variables are no object'],
  ])('of a namespace that is %j', (value, message) => {
    expect(messages({ [namespace]: value })).toEqual([message])
  })

  it('names session variables beside the namespace', () => {
    expect(messages(roles)).toEqual([`Hasura looks for x-hasura-default-role within ${namespace}, not beside it`])
  })

  it('names an algorithm that Hasura cannot verify', () => {
    expect(messages({ [namespace]: roles }, 'PS256')).toEqual([
      'Hasura v2 cannot verify PS256, with which these tokens are signed',
    ])
    expect(messages({ role: 'user' }, 'PS256')).toEqual([])
  })

  it('names roles that RelyAuth would not find', () => {
    const mixed = { 'X-Hasura-Default-Role': 'user', 'x-hasura-allowed-roles': ['user'] }
    expect(messages({ 'claims.jwt.hasura.io': mixed })).toEqual([
      'RelyAuth does not find X-Hasura-Default-Role unless it is in lower case',
    ])
  })

  it.each<readonly [object, string]>([
    [{ aud: [] }, 'An empty aud is meant for nobody: PostgREST before version 13 refuses such tokens'],
    [{ aud: 1 }, 'aud is neither a text nor a list of texts (RFC 7519 section 4.1.3): verifiers refuse such tokens'],
    [
      { aud: ['postgrest', null], role: 'user' },
      'aud is neither a text nor a list of texts (RFC 7519 section 4.1.3): verifiers refuse such tokens',
    ],
    [{ aud: 'postgrest' }, 'Without a claim role PostgREST takes the request for an anonymous one'],
    [{ aud: ['hasura', 'postgrest'] }, 'Without a claim role PostgREST takes the request for an anonymous one'],
    [{ role: ['user'] }, 'PostgREST finds no database role that is called by this role'],
    [{ role: '' }, 'PostgREST finds no database role that is called by this role'],
  ])('%j: %s, in each language', (claims, message) => {
    expect(messages(claims)).toEqual([message])
    expect(messages(JSON.stringify(claims))).toEqual([message])
    expect(mapperMessages(JSON.stringify(claims))).toEqual([message])
  })

  it.each([
    '{"role": {{ if .Extra.admin }}["a"]{{ else }}["b"]{{ end }}}',
    '{{ range .Extra.roles }}{{ end }}{"role": 1}',
    '{"role": ',
    '{{ "}}" }}',
  ])('knows nothing of %s', (text) => {
    expect(messages(text)).toEqual([])
  })

  it('sees through what prints nothing, and through braces in texts', () => {
    const text = String.raw`{{/* }} */}}{{ $x := "}}" }}{"role": 1, "a\\\\": "{{ print "}}" }} {{ $x }}", "b": {{ .Extra.b | toJson }}}`
    expect(messages(text)).toEqual(['PostgREST finds no database role that is called by this role'])
  })
})

describe('advice on mappers', () => {
  it.each([
    '{ role: session.identity.metadata_public.role }',
    `{ '${namespace}': { 'x-hasura-default-role': 'user', 'x-hasura-allowed-roles': ['user'] + session.roles } }`,
    `{ '${namespace}': session.hasura }`,
    `{ '${namespace}': { 'x-hasura-user-id': 'a' } + session.hasura }`,
    `{ ['x-hasura-' + k]: k for k in ['a'] }`,
    "{ exp: std.extVar('claims').exp - 60 }",
    'std.mergePatch({}, session)',
  ])('%s needs none', (claims) => {
    expect(mapperMessages(claims)).toEqual([])
  })

  it('sees through names, sums and what is hidden', () => {
    const program =
      `local base = { role: 'user' }; local roles = ['a'] + ['b']; ` +
      `{ claims: base + { role: 1, hidden:: 2, '${namespace}': { 'x-hasura-default-role': 'c', 'x-hasura-allowed-roles': roles } } }`
    expect(adviceOnMapper(program).map(({ message }) => message)).toEqual([
      'The default role "c" is not one of x-hasura-allowed-roles; Hasura refuses such tokens',
      'PostgREST finds no database role that is called by this role',
    ])
  })

  it('names a subject without effect, and times that are fixed or no times', () => {
    expect(mapperMessages('{ sub: "x", exp: 1.5, nbf: 1, iat: "now" }')).toEqual([
      'The claim sub stays as it is; what the mapper makes of it has no effect',
      'The claim exp is no whole number of seconds: Hasura and PostgREST refuse such tokens',
      'The claim iat is no whole number of seconds: Hasura and PostgREST refuse such tokens',
      'The claim nbf is the same in every token',
    ])
  })

  it('never fails, and ends soon, whatever the program', () => {
    const pieces = [
      'local a = ',
      'a',
      '{',
      '}',
      '[',
      ']',
      'claims: ',
      '+',
      '; ',
      "'x'",
      '1',
      ',',
      'self',
      'if true then ',
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 30 }), (parts) => {
        expect(() => adviceOnMapper(parts.join(''))).not.toThrow()
      }),
    )
    const doubling = Array.from({ length: 60 }, (_, index) => `local a${index + 1} = [a${index}, a${index}];`).join('')
    expect(outlineJsonnet(`local a0 = 1; ${doubling} a60`)).toBeInstanceOf(Array)
    expect(outlineJsonnet('local a = a; a')).toBeUndefined()
    expect(outlineJsonnet('['.repeat(100_000))).toBeUndefined()
  })
})

interface HasuraVector {
  readonly id: string
  readonly group: string
  readonly given: { readonly config?: object; readonly claims?: Readonly<Record<string, unknown>> }
  readonly expect: { readonly error?: { readonly code?: string } }
}

describe('tokens that Hasura refuses for what they say', () => {
  const all = JSON.parse(
    readFileSync(new URL('../../vectors/downstream.json', import.meta.url), 'utf8'),
  ) as readonly HasuraVector[]
  const codes = new Set(['jwt-missing-role-claims', 'jwt-invalid-claims', 'access-denied'])
  const refused = all.filter(
    ({ group, given, expect: wanted }) =>
      group === 'hasura_claims' &&
      given.config === undefined &&
      given.claims?.[namespace] !== undefined &&
      codes.has(wanted.error?.code ?? '') &&
      // Which role a client asks for is not in the claims.
      !('headers' in given && 'x-hasura-role' in (given.headers as object)),
  )

  it.each(refused)('$id is warned of', ({ given }) => {
    expect(messages(given.claims)).toHaveLength(1)
  })
})
