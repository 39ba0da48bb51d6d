/** Tokenizer templates, good and bad, as Kratos' config has them. */
import { generateKeySet } from '../../src/tokens/generate.ts'
import type { JWK } from 'jose'

export interface Case {
  readonly name: string
  /** Jsonnet; absent for a template without a mapper. */
  readonly mapper?: string
  /** What is signed with, ready for `jwks_url`. Default: one ES256 key. */
  readonly keys?: string
  /** Beside keys, mapper and `ttl: 10m`. */
  readonly more?: Readonly<Record<string, unknown>>
  /** Without an external id of the identity. */
  readonly plainPerson?: boolean
  /** What Mintkeeper does otherwise on purpose, and why. */
  readonly difference?: string
}

export const inline = (value: unknown): string =>
  `base64://${Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64')}`

/** It answers 400 by its source; but what it tells its tracing of it ends in a fault. */
const STUMBLES = 'Kratos means to answer 400 and answers 500'

const session = "local session = std.extVar('session');\nlocal claims = std.extVar('claims');\n"
/** A mapper whose claims are this object. */
const claims = (body: string): string => `${session}{ claims: ${body} }`

export async function cases(): Promise<readonly Case[]> {
  const set = async (alg: string): Promise<{ keys: [JWK] }> => generateKeySet({ alg, kid: `key-${alg}` })
  const [es, rs] = [await set('ES256'), await set('RS256')]
  const { kid: _, ...unnamed } = es.keys[0]
  const { d: _d, ...half } = es.keys[0]
  const { alg: _alg, ...unsaid } = es.keys[0]
  const algorithms = ['RS256', 'RS512', 'PS256', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'HS256', 'HS512']
  return [
    ...(await Promise.all(
      algorithms.map(async (alg): Promise<Case> => ({ name: `signed with ${alg}`, keys: inline(await set(alg)) })),
    )),
    { name: 'the first of two keys', keys: inline({ keys: [rs.keys[0], es.keys[0]] }) },
    { name: 'a key without kid', keys: inline({ keys: [unnamed] }) },
    { name: 'a bare key', keys: inline(es.keys[0]) },
    { name: 'members that nobody knows', keys: inline({ set: 'x', keys: es.keys }) },
    { name: 'a key for encryption', keys: inline({ keys: [{ ...es.keys[0], use: 'enc' }] }) },

    { name: 'Hasura', mapper: claims("{ 'https://hasura.io/jwt/claims': { 'x-hasura-default-role': 'user', 'x-hasura-allowed-roles': ['user'], 'x-hasura-user-id': session.identity.id } }") },
    { name: 'PostgREST', mapper: claims("{ role: 'web_user', userId: session.identity.id, email: session.identity.traits.email }") },
    { name: 'extended iss, whole session', mapper: claims("{ iss: claims.iss + '/additional-component', schema_id: session.identity.schema_id, session: session }") },
    { name: 'registered claims replaced', mapper: claims("{ jti: 'mine', iss: 'me', exp: 3, iat: 1, nbf: 2, sid: 'other' }") },
    { name: 'registered claims made null', mapper: claims('{ jti: null, sid: null, iss: null }') },
    { name: 'sub is not replaced', mapper: claims("{ sub: 'somebody else' }") },
    { name: 'audiences', mapper: claims("{ aud: ['a', 'b'] }") },
    { name: 'all default claims as they are', mapper: claims('claims') },
    { name: 'other members of the output', mapper: `${session}{ claims: { a: 1 }, more: 'ignored', sub: 'x' }` },
    { name: 'no claims of its own', mapper: claims('{}') },
    { name: 'arithmetic', mapper: claims('{ a: 0.1 + 0.2, b: 1e21, c: -0, d: 10 / 4, e: 7 % 3, f: 1 << 4, g: std.pow(2, 53) }') },
    { name: 'text', mapper: claims("{ a: '<>&\\u2028é😀', b: 'x' * 1, c: std.length('😀') }".replace("b: 'x' * 1, ", '')) },
    { name: 'functions and comprehensions', mapper: claims("{ [m.method]: m.aal for m in session.authentication_methods } + { n: std.foldl(function(a, b) a + b, [x * x for x in std.range(1, 5) if x % 2 == 1], 0) }") },
    { name: 'inheritance and hidden fields', mapper: `${session}local base = { a: 1, b: self.a + 1, hidden:: 3, c: self.hidden };\n{ claims: base { a: 5, d: super.b } }` },
    { name: 'the standard library', mapper: claims("{ md5: std.md5('a'), b64: std.base64('hé'), sorted: std.sort([3, 1, 2]), set: std.set(['b', 'a', 'b']), split: std.split('a,b', ','), upper: std.asciiUpper('abc'), format: '%05.2f|%-4s|%x' % [3.14159, 'ab', 255], keys: std.objectFields(session.identity), json: std.manifestJsonMinified({ b: 1, a: [true, null] }), parsed: std.parseJson('{\"a\": [1]}'), type: std.type(session) }") },
    { name: 'a default where nothing is', mapper: claims("{ role: std.get(session.identity.traits, 'role', 'visitor'), public: session.identity.metadata_public }") },
    { name: 'a condition on the assurance level', mapper: claims("{ [if session.authenticator_assurance_level == 'aal1' then 'weak' else null]: true, strong: session.authenticator_assurance_level == 'aal2' }") },
    { name: 'an assertion that holds', mapper: `${session}assert session.active; { assert true, claims: { ok: true } }` },
    { name: 'deep structures', mapper: claims('{ a: [[[{ b: [1, [2, [3, {}]]] }]]], e: [], o: {} }') },
    { name: 'a text block and comments', mapper: `${session}// one\n# two\n/* three */\n{ claims: { t: |||\n  two\n    lines\n||| } }` },
    { name: 'the external id as subject', more: { subject_source: 'external_id' } },
    { name: 'the id as subject, said', more: { subject_source: 'id' } },
    { name: 'a ttl of several units', more: { ttl: '1h30m10s' } },
    { name: 'a claim of a __proto__', mapper: claims("{ ['__proto__']: { admin: true }, constructor: 1 }") },

    { name: 'no external id', plainPerson: true, more: { subject_source: 'external_id' } },
    { name: 'no claims in the output', mapper: '{ other: 1 }', difference: STUMBLES },
    { name: 'claims that are a list', mapper: '{ claims: [1] }', difference: STUMBLES },
    { name: 'claims that are text', mapper: "{ claims: 'x' }", difference: STUMBLES },
    { name: 'claims that are null', mapper: '{ claims: null }', difference: STUMBLES },
    { name: 'an output that is no object', mapper: '42', difference: STUMBLES },
    { name: 'a syntax error', mapper: '{ claims: { a: } }' },
    { name: 'an error of its own', mapper: "{ claims: error 'no' }" },
    { name: 'a field that is missing', mapper: claims('{ a: session.identity.traits.nothing }') },
    { name: 'an assertion that fails', mapper: '{ assert false, claims: {} }' },
    { name: 'a variable that nobody gave', mapper: "{ claims: std.extVar('other') }" },
    { name: 'a name that nobody defined', mapper: '{ claims: { a: nothing } }' },
    { name: 'an import', mapper: "{ claims: import 'x.jsonnet' }" },
    { name: 'a file as text', mapper: "{ claims: { a: importstr '/etc/passwd' } }" },
    { name: 'recursion without end', mapper: 'local f(x) = f(x + 1) + 1; { claims: { a: f(0) } }' },
    { name: 'a list without end', mapper: '{ claims: { a: std.foldl(function(a, b) a + b, std.range(0, 100000000), 0) } }' },
    { name: 'an output that is too large', mapper: "{ claims: { a: std.repeat('x', 400000) } }" },
    { name: 'a function in the claims', mapper: '{ claims: { a: function(x) x } }' },
    { name: 'a division by nothing', mapper: '{ claims: { a: 1 / 0 } }' },
    { name: 'text compared with a number', mapper: "{ claims: { a: 'x' < 1 } }" },
    { name: 'a set without keys', keys: inline({ keys: [] }) },
    { name: 'the public half alone', keys: inline({ keys: [half] }) },
    { name: 'a key without alg', keys: inline({ keys: [unsaid] }) },
    { name: 'an alg of another kind of key', keys: inline({ keys: [{ ...es.keys[0], alg: 'RS256' }] }) },
    { name: 'an alg that nobody knows', keys: inline({ keys: [{ ...es.keys[0], alg: 'XX256' }] }) },
    { name: 'keys that are no JSON', keys: inline('not json') },
    { name: 'keys that are no base64', keys: 'base64://abc' },
    { name: 'a key file that is missing', keys: 'file:///nowhere/keys.json' },
    { name: 'a mapper file that is missing', more: { claims_mapper_url: 'file:///nowhere/mapper.jsonnet' } },

    { name: 'an exp of its own beyond the session', mapper: claims('{ exp: 4102444800 }'), difference: 'a token ends with its session' },
    { name: 'no ttl', more: { ttl: undefined }, difference: 'without a ttl Kratos’ tokens have expired when they are made; here they last ten minutes' },
    { name: 'a ttl beyond the session', more: { ttl: '48h' }, difference: 'a token ends with its session' },
  ] // prettier-ignore
}

/** The template for the config of both, with this name for its URL of a key set unless the case has one. */
export function templateOf({ mapper, keys, more }: Case, usual: string): Readonly<Record<string, unknown>> {
  return {
    jwks_url: keys ?? usual,
    ttl: '10m',
    ...(mapper !== undefined && { claims_mapper_url: inline(mapper) }),
    ...more,
  }
}
