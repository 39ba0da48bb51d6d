import { readFileSync } from 'node:fs'
import { decodeJwt, decodeProtectedHeader, type JWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { createWhoami } from '../../src/api/whoami.ts'
import { session as sessionSection } from '../../src/config/schema/session.ts'
import type { ErrorAnswer } from '../../src/pipeline/contract/outcomes.ts'
import type { Safeguards } from '../../src/pipeline/contract/safeguards.ts'
import type { TokenTemplate } from '../../src/pipeline/contract/tokens.ts'
import type { JsonObject } from '../../src/pipeline/contract/values.ts'
import { readAnswer } from '../../src/sessions/answer.ts'
import { createMappers } from '../../src/tokens/claims/mappers.ts'
import { createMapperWorkers } from '../../src/tokens/claims/workers/pool.ts'
import { createTokenTemplate } from '../../src/tokens/token_template.ts'
import { inboundOf } from '../support/inbound.ts'
import { asBase64, exchangeOf, privateKey, publicOf, setupOf, testClock } from './support.ts'

interface KeyDescription {
  readonly kty: string
  readonly crv?: string
  readonly alg: string | null
  readonly kid?: string
  readonly use?: string
  readonly private: boolean
}

interface TokenizerCase {
  readonly id: string
  readonly group: string
  readonly given: {
    readonly template: string | null
    readonly session: JsonObject
    readonly jwks: readonly KeyDescription[]
    readonly jwks_raw?: string
    readonly subject_source: string | null
    readonly base_url: string
    readonly now: number
    readonly ttl: string | null
  }
  readonly expect: {
    readonly claims?: JsonObject
    readonly claims_include?: JsonObject
    readonly claims_equal_path?: Readonly<Record<string, string>>
    readonly header?: JsonObject
    readonly error?: { readonly status: number; readonly body: { readonly error: JsonObject } }
  }
}

const file = new URL('../vectors/kratos.json', import.meta.url)
const all = JSON.parse(readFileSync(file, 'utf8')) as readonly TokenizerCase[]
const cases = all.filter(({ group }) => group === 'tokenizer')
const casesNamed = (...ids: readonly string[]): TokenizerCase[] =>
  ids.map((id) => cases.find((one) => one.id === `tokenizer/${id}`) as TokenizerCase)

/** A default lifetime that makes no token that has ended: the schema of Kratos says 1m, its documentation 10m, its code 0. */
const LIFETIME = 'tokenizer/ttl-omitted-is-zero'
/** Refused when the config is loaded, as Kratos' own schema does. */
const REFUSED = 'tokenizer/subject-source-unknown'
/** Found and told in full when the config is loaded; a client hears one sentence. */
const KEY_FAULTS = new Set(['tokenizer/broken-keyfile', 'tokenizer/empty-set', 'tokenizer/alg-invalid-missing'])

const usual: Readonly<Record<string, string>> = { RSA: 'RS256', oct: 'HS512', 'P-384': 'ES384', 'P-521': 'ES512' }
const made = new Map<string, Promise<JWK>>()

/** Made once for each kind: RSA keys take their time. */
async function keyOf({ kty, crv, alg, kid, use, private: isPrivate }: KeyDescription): Promise<JWK> {
  const kind = usual[crv ?? kty] ?? 'ES256'
  const making = made.get(kind) ?? privateKey(kind, 'k')
  made.set(kind, making)
  const { alg: _alg, kid: _kid, use: _use, ...bare } = await making
  const key: JWK = { ...bare, ...(alg !== null && { alg }), ...(kid !== undefined && { kid }), ...(use && { use }) }
  return isPrivate ? key : publicOf(key, kid ?? '')
}

interface Made {
  readonly template: TokenTemplate
  readonly whoami: (tokenizeAs: string) => Promise<ErrorAnswer>
}

async function make({ given }: TokenizerCase, options: Partial<Safeguards> = {}): Promise<Made> {
  const { template: mapper, ttl, subject_source: source, jwks_raw: raw } = given
  const clock = testClock(given.now * 1000)
  const safeguards = { token_backdate: 0, missing_signing_keys: 'isolate', ...options } as const
  const setup = setupOf({ profile: 'secure', safeguards, clock })
  const keys = { keys: await Promise.all(given.jwks.map(keyOf)) }
  const written = {
    jwks_url: raw === undefined ? asBase64(keys) : `base64://${Buffer.from(raw).toString('base64')}`,
    ...(mapper !== null && { claims_mapper_url: `base64://${Buffer.from(mapper).toString('base64')}` }),
    ...(ttl !== null && { ttl }),
    ...(source !== null && { subject_source: source }),
  }
  const section = sessionSection.parse({ whoami: { tokenizer: { templates: { t: written } } } })
  const settings = section.whoami.tokenizer.templates['t']
  if (settings === undefined) throw new Error('the template got lost')
  const template = await createTokenTemplate(settings, {
    ...setup,
    mappers: createMappers(),
    workers: createMapperWorkers(),
    issuer: given.base_url,
  })
  const body = JSON.stringify(given.session)
  const whoami = createWhoami({
    ...setup,
    kratos: 'http://kratos',
    cookie: 'ory_kratos_session',
    sessions: { ask: (question) => readAnswer({ status: 200, headers: {}, body }, question) },
    templates: new Map([['t', template]]),
  })
  const ask = (name: string) =>
    whoami(
      inboundOf(`http://gw.example/sessions/whoami?tokenize_as=${name}`, {
        headers: { 'x-session-token': 'ory_st_a' },
      }),
    )
  return { template, whoami: ask }
}

async function tokenOf(one: TokenizerCase): Promise<string> {
  const { body } = await (await make(one)).whoami('t')
  return (JSON.parse(body) as { readonly tokenized: string }).tokenized
}

const exchangeFor = ({ given }: TokenizerCase) =>
  exchangeOf({ session: { subject: 'someone', id: given.session['id'] as string, extra: given.session } })

const uuid: unknown = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)

describe("Kratos' tokenizer", () => {
  it('has cases', () => expect(cases.length).toBe(36))

  it.each(cases.filter(({ id, expect: { error } }) => error === undefined && id !== LIFETIME))('$id', async (one) => {
    const token = await tokenOf(one)
    const { claims, claims_include: include, header, claims_equal_path: paths } = one.expect
    const payload = decodeJwt(token)
    // A case that gives only some of the claims says nothing of the others.
    expect(payload).toEqual({ jti: uuid, ...(claims ?? { ...payload, ...include }) })
    for (const name of Object.keys(paths ?? {})) expect(payload[name]).toEqual(one.given.session)
    const told = decodeProtectedHeader(token)
    expect(told).toEqual(header ?? told)
  })

  it.each(cases.filter(({ id, expect: { error } }) => error !== undefined && id !== REFUSED))('$id', async (one) => {
    const { status, body } = await (await make(one)).whoami('t')
    const { error } = JSON.parse(body) as { readonly error: JsonObject }
    const reason = KEY_FAULTS.has(one.id) ? 'Unable to sign JSON Web Token.' : one.expect.error?.body.error['reason']
    expect(status).toBe(one.expect.error?.status)
    expect(error).toEqual({ ...one.expect.error?.body.error, reason })
  })

  it('asks at load for a subject source that it knows', async () => {
    for (const one of casesNamed('subject-source-unknown')) await expect(make(one)).rejects.toThrow('subject_source')
  })

  it('makes tokens that live ten minutes unless it is told otherwise', async () => {
    for (const one of casesNamed('ttl-omitted-is-zero')) {
      const { exp = 0, iat = 0 } = decodeJwt(await tokenOf(one))
      expect(exp - iat).toBe(600)
    }
  })

  it.each(
    casesNamed('broken-keyfile', 'empty-set', 'alg-invalid-missing', 'alg-none', 'public-key-only', 'kty-alg-mismatch'),
  )('$id is told at load, where keys have to be there', async (one) => {
    await expect(make(one, { missing_signing_keys: 'refuse' })).rejects.toMatchObject({
      name: 'ConfigError',
      path: ['jwks_url'],
    })
  })
})

describe("Kratos' invariants", () => {
  const [plain, mapped, twoKeys, aud] = casesNamed(
    'es256-no-mapper',
    'null-jti-stays-null',
    'two-keys-first-signs',
    'aud-string',
  ) as [TokenizerCase, TokenizerCase, TokenizerCase, TokenizerCase]

  it('default-claim-set, no-aud', async () => {
    expect(Object.keys(decodeJwt(await tokenOf(plain))).sort()).toEqual([
      'exp',
      'iat',
      'iss',
      'jti',
      'nbf',
      'sid',
      'sub',
    ])
    expect(decodeJwt(await tokenOf(aud)).aud).toBe('hasura')
  })

  it('jti-fresh, not-cached: each whoami has a token of its own', async () => {
    const { whoami } = await make(plain)
    const [first, second] = [await whoami('t'), await whoami('t')].map(
      ({ body }) => decodeJwt((JSON.parse(body) as { readonly tokenized: string }).tokenized).jti,
    )
    expect(first).not.toBe(second)
  })

  it('but id_token hands a token out again', async () => {
    const { template } = await make(plain)
    const token = await template.mint(exchangeFor(plain))
    expect(await template.mint(exchangeFor(plain))).toBe(token)
    expect(await template.issue(exchangeFor(plain))).not.toBe(token)
  })

  it('header, first-key, alg-from-key', async () => {
    const header = decodeProtectedHeader(await tokenOf(twoKeys))
    expect(header).toEqual({ alg: 'ES256', kid: twoKeys.given.jwks[0]?.kid, typ: 'JWT' })
  })

  it('a key without a kid signs', async () => {
    const [key] = plain.given.jwks as [KeyDescription]
    const { kid: _kid, ...nameless } = key
    const token = await tokenOf({ ...plain, given: { ...plain.given, jwks: [nameless] } })
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', kid: '', typ: 'JWT' })
  })

  it('merge-shallow, output: replaced also by null, and all but claims ignored', async () => {
    const template = "{ claims: { iss: { a: 1 }, sid: null }, others: 'ignored', sub: 'x' }"
    const claims = decodeJwt(await tokenOf({ ...mapped, given: { ...mapped.given, template } }))
    expect(claims).toMatchObject({ iss: { a: 1 }, sid: null, sub: expect.not.stringMatching('x') as string })
    expect(claims).not.toHaveProperty('others')
  })

  it('float64: as Kratos, whole numbers beyond 2^53 lose their last digits', async () => {
    const template = '{ claims: { n: 9007199254740993 } }'
    expect(decodeJwt(await tokenOf({ ...mapped, given: { ...mapped.given, template } }))['n']).toBe(9007199254740992)
  })

  it('no-cache-header, error-before-headers', async () => {
    const { whoami } = await make(plain)
    const names = ({ headers }: ErrorAnswer): string[] => headers.map(([name]) => name.toLowerCase())
    const granted = await whoami('t')
    expect(names(granted)).not.toContain('ory-session-cache-for')
    expect(names(granted)).toContain('x-kratos-authenticated-identity-id')
    const refused = await whoami('unknown')
    expect(refused.status).toBe(400)
    expect(names(refused)).not.toContain('x-kratos-authenticated-identity-id')
    expect(names(refused)).not.toContain('set-cookie')
  })

  it('sandbox: a mapper reads no file and no environment', async () => {
    const template = "{ claims: { a: importstr '/etc/hostname' } }"
    await expect(make({ ...mapped, given: { ...mapped.given, template } })).rejects.toThrow('import not available')
  })
})

describe('a token of a template', () => {
  const [plain] = casesNamed('es256-no-mapper') as [TokenizerCase]
  const ended = { ...plain, given: { ...plain.given, ttl: '48h' } }
  const end = Date.parse('2023-02-02T00:00:00Z') / 1000

  it('ends with its session at the latest, unlike in Kratos', async () => {
    expect(decodeJwt(await tokenOf(ended)).exp).toBe(end)
  })

  it.each([
    ['later', 'std.extVar("claims").exp + 1000000', end],
    ['earlier', '1675209700', 1675209700],
  ])('whose mapper says that it ends %s', async (_name, exp, expected) => {
    const template = `{ claims: { exp: ${exp} } }`
    expect(decodeJwt(await tokenOf({ ...ended, given: { ...ended.given, template } })).exp).toBe(expected)
  })

  it('is not made when its mapper takes its end away', async () => {
    const template = '{ claims: { exp: null } }'
    const { whoami } = await make({ ...ended, given: { ...ended.given, template } })
    expect(await whoami('t')).toMatchObject({ status: 400 })
  })

  it('is not made of a session that has ended', async () => {
    const late = { ...plain, given: { ...plain.given, now: end + 1 } }
    const { template } = await make(late)
    const exchange = exchangeFor(late)
    const past = { ...exchange, session: { ...exchange.session, expiresAt: end * 1000 } }
    await expect(template.issue(past)).rejects.toMatchObject({ code: 'credentials_invalid' })
  })

  it('has the subject of a session that knows no identity', async () => {
    const { template } = await make(plain)
    const claims = await template.claims(exchangeOf({ session: { subject: 'robot', extra: { scope: 'read' } } }))
    expect(claims).toMatchObject({ sub: 'robot' })
    expect(claims).not.toHaveProperty('sid')
  })
})
