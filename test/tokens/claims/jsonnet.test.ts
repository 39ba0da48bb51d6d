import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../../src/errors.ts'
import { ConfigError } from '../../../src/pipeline/contract/config_error.ts'
import type { JsonObject } from '../../../src/pipeline/contract/values.ts'
import { jsonnetMapper } from '../../../src/tokens/claims/jsonnet.ts'

const defaults = { iss: 'https://gw.example/', sub: 'i1', sid: 's1', jti: 'j', exp: 1900, iat: 1000, nbf: 1000 }
const session = (traits: JsonObject): JsonObject => ({ id: 's1', identity: { id: 'i1', traits } })
const map = (source: string, traits: JsonObject = {}): JsonObject =>
  jsonnetMapper(source, 'mapper.jsonnet').map(session(traits), defaults)

interface TokenizerCase {
  readonly id: string
  readonly group: string
  readonly given: {
    readonly template: string | null
    readonly session: JsonObject & { readonly id: string; readonly identity: JsonObject }
    readonly subject_source: string | null
    readonly base_url: string
    readonly now: number
    readonly ttl: string | null
  }
  readonly expect: {
    readonly claims?: JsonObject
    readonly claims_include?: JsonObject
    readonly claims_equal_path?: Readonly<Record<string, string>>
    readonly error?: unknown
  }
}

const file = new URL('../../vectors/kratos.json', import.meta.url)
/** Without a mapper there is nothing to map; the two others fail before the mapper would run. */
const elsewhere = new Set(['tokenizer/external-id-missing', 'tokenizer/broken-keyfile'])
const cases = (JSON.parse(readFileSync(file, 'utf8')) as TokenizerCase[]).filter(
  (one) => one.group === 'tokenizer' && typeof one.given.template === 'string' && !elsewhere.has(one.id),
)

/** The claims of a case, as Kratos makes them with the template's ttl of one minute. */
function claimsOf({ given }: TokenizerCase): JsonObject {
  const sub =
    given.subject_source === 'external_id' ? given.session.identity['external_id'] : given.session.identity['id']
  const times = { iat: given.now, nbf: given.now, exp: given.now + 60 }
  return jsonnetMapper(given.template ?? '', 'mapper.jsonnet').map(given.session, {
    ...times,
    iss: given.base_url,
    sid: given.session.id,
    jti: 'any',
    sub: sub ?? '',
  })
}

describe("Kratos' own cases", () => {
  it('are there', () => expect(cases.length).toBeGreaterThan(10))

  it.each(cases.filter((one) => one.expect.claims !== undefined))('$id', (one) => {
    expect({ jti: 'any', ...one.expect.claims }).toEqual(claimsOf(one))
  })

  it.each(cases.filter((one) => one.expect.claims_include !== undefined))('$id', (one) => {
    const claims = claimsOf(one)
    expect(claims).toMatchObject(one.expect.claims_include ?? {})
    const paths = Object.entries(one.expect.claims_equal_path ?? {}).filter(([, path]) => path === 'given.session')
    for (const [name] of paths) expect(claims[name]).toEqual(one.given.session)
  })

  it.each(cases.filter((one) => one.expect.error !== undefined))('$id', (one) => {
    expect(() => claimsOf(one)).toThrow(GatewayError)
  })
})

describe('mappers as people have them', () => {
  it("Hasura's namespace", () => {
    const source = `
      local session = std.extVar('session');
      local roles = if std.objectHas(session.identity.traits, 'roles') then session.identity.traits.roles else [];
      {
        claims: {
          'https://hasura.io/jwt/claims': {
            'x-hasura-allowed-roles': std.uniq(std.sort(roles + ['user'])),
            'x-hasura-default-role': 'user',
            'x-hasura-user-id': session.identity.id,
          },
        },
      }`
    expect(map(source, { roles: ['editor'] })['https://hasura.io/jwt/claims']).toEqual({
      'x-hasura-allowed-roles': ['editor', 'user'],
      'x-hasura-default-role': 'user',
      'x-hasura-user-id': 'i1',
    })
  })

  it("PostgREST's role and a user ID", () => {
    const source = "local s = std.extVar('session'); { claims: { role: 'web_user', userId: s.identity.id } }"
    expect(map(source)).toEqual({ ...defaults, role: 'web_user', userId: 'i1' })
  })

  it('an issuer that is extended, and the whole session', () => {
    const source = `
      local claims = std.extVar('claims');
      local session = std.extVar('session');
      { claims: { iss: claims.iss + 'additional-component', session: session } }`
    expect(map(source, { email: 'ada@example.org' })).toEqual({
      ...defaults,
      iss: 'https://gw.example/additional-component',
      session: session({ email: 'ada@example.org' }),
    })
  })
})

describe('what a mapper says', () => {
  it('replaces any claim but sub', () => {
    const source = "{ claims: { iss: 'x', exp: 1, iat: null, sid: [1], jti: 'mine', sub: 'root' } }"
    expect(map(source)).toEqual({ ...defaults, iss: 'x', exp: 1, iat: null, sid: [1], jti: 'mine' })
  })

  it('cannot make a subject where there is none', () => {
    const mapper = jsonnetMapper("{ claims: { sub: 'root' } }", 'mapper.jsonnet')
    expect(mapper.map(session({}), { iss: 'x' })).toEqual({ iss: 'x' })
  })

  it('is nothing without claims', () => {
    for (const source of ['{}', '{ claims: [] }', '{ claims: null }', '[]', 'null', '{ claims:: { a: 1 } }']) {
      expect(() => map(source)).toThrow(expect.objectContaining({ code: 'template_failed' }))
    }
  })
})

describe('mistakes', () => {
  it('are told when the mapper is loaded, with their place', () => {
    expect(() => jsonnetMapper('{\n  claims: { a: s },\n}', 'file:///mappers/a.jsonnet')).toThrow(
      new ConfigError('The claims mapper cannot be used: file:///mappers/a.jsonnet:2:16 Unknown variable: s'),
    )
  })

  it('cannot reach files', () => {
    expect(() => jsonnetMapper("{ claims: importstr '/etc/hostname' }", 'm.jsonnet')).toThrow('import not available')
  })

  it('name a missing field and the place', () => {
    expect(() => map("{ claims: { mail: std.extVar('session').identity.traits.mail } }")).toThrow(
      expect.objectContaining({
        code: 'template_failed',
        reason: 'The claims mapper failed at mapper.jsonnet:1:57: there is no field mail',
      }),
    )
  })

  it.each([
    "{ claims: { a: std.parseInt(std.extVar('session').identity.traits.email) } }",
    "{ claims: { a: std.parseJson(std.extVar('session').identity.traits.email) } }",
    "{ claims: { a: std.parseYaml('[' + std.extVar('session').identity.traits.email) } }",
    "{ claims: error std.extVar('session').identity.traits.email }",
    "{ claims: { a: {}[std.extVar('session').identity.traits.email] } }",
    "assert false : std.extVar('session').identity.traits.email; {}",
  ])('never quote the session: %s', (source) => {
    expect(() => map(source, { email: 'ada_private' })).toThrow(
      expect.objectContaining({
        code: 'template_failed',
        reason: expect.not.stringContaining('ada_private') as string,
      }),
    )
  })

  it('of endless work end at a limit', () => {
    expect(() => map('local f(x) = f(x + 1); { claims: { a: f(0) } }')).toThrow(
      expect.objectContaining({ code: 'template_failed' }),
    )
  })
})

describe('hostile traits', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '","admin":true,"x":"',
      "' + error 'x' + '",
      '${admin}',
      '%s %d %(admin)s',
      '|||\nadmin\n|||',
      '__proto__',
      '\u2028\ud800',
      'x'.repeat(10_000),
    ),
  )

  it('inside of a text stay in it', () => {
    fc.assert(
      fc.property(hostile, (name) => {
        const claims = map(
          "{ claims: { hello: 'Hello ' + std.extVar('session').identity.traits.name + '!', admin: false } }",
          { name },
        )
        expect(claims).toEqual({ ...defaults, hello: `Hello ${name.toWellFormed()}!`, admin: false })
      }),
    )
  })

  it('as a whole value, of any kind, stay that value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (given) => {
        const value = JSON.parse(JSON.stringify(given).toWellFormed()) as JsonObject
        const claims = map("{ claims: { x: std.extVar('session').identity.traits.x, admin: false } }", { x: value })
        expect(claims).toEqual({ ...defaults, x: value, admin: false })
      }),
    )
  })

  it('as a name of the same object never get the better of one that is there', () => {
    const source = "{ claims: { admin: false, [std.extVar('session').identity.traits.name]: true } }"
    expect(() => map(source, { name: 'admin' })).toThrow(expect.objectContaining({ code: 'template_failed' }))
    const claims = map(source, { name: '__proto__' })
    expect(Object.hasOwn(claims, '__proto__')).toBe(true)
    expect(Object.getPrototypeOf(claims)).toBe(Object.prototype)
    expect(claims['admin']).toBe(false)
  })
})
