import * as fc from 'fast-check'
import Handlebars from 'handlebars'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/pipeline/contract/config_error.ts'
import type { Session } from '../../../src/pipeline/contract/session.ts'
import type { Json, JsonObject } from '../../../src/pipeline/contract/values.ts'
import { compileObject, handlebarsClaims } from '../../../src/tokens/claims/handlebars.ts'
import { anyError, casesOf, exchangeOf, outcomeOf } from '../support.ts'

const extra: JsonObject = {
  id: 's1',
  identity: {
    id: 'u1',
    traits: { email: 'ada@example.org', name: { first: 'Ada', last: 'Lovelace' }, age: 36, nickname: null },
    metadata_public: { roles: ['editor', 'user'], quotas: { disk: 5, cpu: 2 } },
  },
  authentication_methods: [{ method: 'password' }, { method: 'totp' }],
}
const exchange = exchangeOf({
  session: { subject: 'u1', id: 's1', extra },
  url: 'https://gw.example:8443/api/x?tenant=t1&tenant=t2',
  method: 'PUT',
  headers: { 'X-Tenant': ['a', 'b'] },
  captures: ['one', 'two'],
})

const strict = { missingField: 'error' } as const
const lenient = { missingField: 'empty' } as const
/** What one string makes of the session above. */
const claim = (source: Json, options: typeof strict | typeof lenient = strict): unknown =>
  JSON.parse(JSON.stringify(handlebarsClaims({ claim: source }, options).evaluate(exchange)))['claim']

describe('a claim', () => {
  it.each<readonly [string, unknown]>([
    ['{{subject}}', 'u1'],
    ['{{extra.identity.traits.age}}', 36],
    ['{{extra.identity.metadata_public.roles}}', ['editor', 'user']],
    ['{{extra.identity.metadata_public.roles.[1]}}', 'user'],
    ['{{extra.identity.traits.name}}', { first: 'Ada', last: 'Lovelace' }],
    ['{{extra.identity.traits.nickname}}', null],
    ['{{! who }}{{subject}}', 'u1'],
    ['{{{subject}}}', 'u1'],
    ['{{@root.subject}}', 'u1'],
    ['user:{{subject}}', 'user:u1'],
    ['{{extra.identity.traits.age}} years', '36 years'],
    ['[{{extra.identity.traits.nickname}}]', '[]'],
    ['{ {{~extra.identity.metadata_public.roles~}} }', '{editor,user}'],
    ['{{json extra.identity.metadata_public.role default="user"}}', 'user'],
    ['{{json extra.identity.traits.nickname default="none"}}', 'none'],
    ['{{json extra.nothing default=null}}', null],
    ['{{json extra.nothing default=extra.identity.id}}', 'u1'],
    ['{{json extra.identity.traits.age default=1}}', 36],
    ['x={{json extra.identity.traits.name}}', 'x={"first":"Ada","last":"Lovelace"}'],
    ['{{lookup extra.identity.metadata_public.quotas "disk"}}', 5],
    ['{{#if (eq subject "guest")}}anon{{else}}user{{/if}}', 'user'],
    ['{{#if extra.nothing}}a{{else if (eq extra.id "s1")}}b{{else}}c{{/if}}', 'b'],
    ['{{#unless extra.nothing}}none{{/unless}}', 'none'],
    ['{{^if extra.nothing}}none{{/if}}', 'none'],
    ['{{#with extra.identity}}{{id}} {{../subject}} {{@root.extra.id}}{{/with}}', 'u1 u1 s1'],
    ['{{#with extra.nothing as |n|}}{{n}}{{else}}none{{/with}}', 'none'],
    ['{{#each extra.authentication_methods}}{{#unless @first}},{{/unless}}{{method}}{{/each}}', 'password,totp'],
    ['{{#each extra.identity.metadata_public.quotas as |value name|}}{{name}}={{value}};{{/each}}', 'disk=5;cpu=2;'],
    ['{{#each extra.identity.metadata_public.quotas}}{{@key}}{{@index}}{{#if @last}}.{{/if}}{{/each}}', 'disk0cpu1.'],
    ['{{#each extra.nothing}}x{{else}}none{{/each}}', 'none'],
    ['{{extra.identity.metadata_public.roles.length}} roles', '2 roles'],
    [
      '{{match_context.method}} {{match_context.url.scheme}} {{match_context.url.host}} {{match_context.url.path}}',
      'PUT https gw.example:8443 /api/x',
    ],
    ['{{match_context.url.query.tenant}}', 't1'],
    ['{{match_context.header.x-tenant}}', 'a'],
    ['{{match_context.regexp_capture_groups}}', ['one', 'two']],
    ['\\{{subject}}', '{{subject}}'],
    ['no template', 'no template'],
  ])('%s is %j', (source, expected) => {
    expect(claim(source)).toEqual(expected)
  })

  it('of another type is taken as it is', () => {
    expect(claim({ list: [1, true, null, '{{subject}}'], deep: { '{{subject}}': 1.5 } })).toEqual({
      list: [1, true, null, 'u1'],
      deep: { '{{subject}}': 1.5 },
    })
  })

  it('sees the headers that earlier mutators set', () => {
    const template = handlebarsClaims({ a: '{{header.x-role}}', b: '{{json header.x-gone default="gone"}}' }, strict)
    const edits = [
      ['X-Role', 'r'],
      ['X-Gone', 'g'],
      ['x-gone', null],
    ] as const
    expect(template.evaluate({ ...exchange, edits })).toEqual({ a: 'r', b: 'gone' })
  })

  it('never sees a prototype', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(claim(`[{{extra.${name}}}{{lookup extra "${name}"}}]`, lenient)).toBe('[]')
    }
  })
})

describe('a missing value', () => {
  it.each([
    '{{extra.nothing}}',
    'x{{extra.nothing}}',
    '{{json extra.nothing}}',
    '{{extra.nothing.below}}',
    '{{#with extra.identity}}{{nothing}}{{/with}}',
    '{{lookup extra "nothing"}}',
    '{{@index}}',
  ])('in %s is an error that names it', (source) => {
    expect(() => claim(source)).toThrowError(
      expect.objectContaining({ code: 'template_failed', reason: expect.stringMatching(/nothing|extra|@index/) }),
    )
  })

  it('where it may be missing is left out, or is no text', () => {
    const template = handlebarsClaims(
      { gone: '{{extra.nothing}}', list: ['{{extra.nothing}}', 1], text: 'x{{extra.nothing.below}}' },
      lenient,
    )
    expect(template.evaluate(exchange)).toEqual({ list: [1], text: 'x' })
  })
})

describe('a template with a mistake', () => {
  it.each([
    ['{{#if subject}}', /Parse error/, undefined],
    ['{{ .Subject }}', /Parse error/, /\{\{subject\}\}/],
    ['{{upper subject}}', /There is no helper \{\{upper\}\}/, /json, eq, lookup/],
    ['{{(upper subject)}}', /./, undefined],
    ['{{eq (upper subject) 1}}', /no helper/, /json/],
    ['{{#list subject}}{{/list}}', /There is no block \{\{#list\}\}/, /#if/],
    ['{{session.id}}', /"session", which does not exist/, /subject, extra/],
    ['{{#each extra.list}}{{../session}}{{/each}}', /"session"/, undefined],
    ['{{@root.session}}', /"session"/, undefined],
    ['{{../subject}}', /above the top/, undefined],
    ['{{@user}}', /no \{\{@user\}\}/, /@root/],
    ['{{> partial}}', /Partials/, undefined],
    ['{{json}}', /takes one value/, undefined],
    ['{{eq subject}}', /takes two values/, undefined],
    ['{{json subject fallback=1}}', /no option fallback=/, undefined],
    ['{{#if}}{{/if}}', /takes one value/, undefined],
    ['{{"constant"}}', /constant/, undefined],
    [`${'{{#if subject}}'.repeat(200)}${'{{/if}}'.repeat(200)}`, /nested too deeply/, undefined],
  ])('%s is refused at load, at its place', (source, message, hint) => {
    const compile = (): unknown => handlebarsClaims({ ok: 1, list: [{ bad: source }] }, strict)
    expect(compile).toThrowError(ConfigError)
    expect(compile).toThrowError(
      expect.objectContaining({
        message: expect.stringMatching(message),
        path: ['list', 0, 'bad'],
      }),
    )
    expect(compile).toThrowError(expect.toSatisfy((error: ConfigError) => hint?.test(error.hint ?? '') ?? true))
  })

  it('that puts an object into text fails', () => {
    expect(() => claim('x{{extra.identity.traits.name}}')).toThrowError(
      expect.objectContaining({ code: 'template_failed' }),
    )
  })
})

describe('a hostile template', () => {
  const big = exchangeOf({ session: { extra: { list: Array.from({ length: 200 }, (_, index) => index) } } })

  it('ends at the limit of steps', () => {
    const nested = `${'{{#each @root.extra.list}}'.repeat(4)}${'{{/each}}'.repeat(4)}`
    const template = handlebarsClaims({ a: `x${nested}` }, strict)
    expect(() => template.evaluate(big)).toThrowError(
      expect.objectContaining({ reason: expect.stringContaining('too many steps') }),
    )
  })

  it('ends at the limit of text', () => {
    const template = handlebarsClaims({ a: `x{{#each extra.list}}${'y'.repeat(10_000)}{{/each}}` }, strict)
    expect(() => template.evaluate(big)).toThrowError(
      expect.objectContaining({ reason: expect.stringContaining('too much text') }),
    )
  })
})

const fingerprintOf = (claims: JsonObject, session: Partial<Session>): string | undefined =>
  handlebarsClaims(claims, lenient).fingerprint(exchangeOf({ session }))

describe('the fingerprint', () => {
  it.each<readonly [string, Json, Json]>([
    ['{{extra.a}}', { a: 1 }, { a: 2 }],
    ['{{extra.a}}', { a: null }, {}],
    ['{{extra.a.length}} x', { a: 'xx' }, { a: 'xxx' }],
    ['{{#with extra.a}}{{b}}{{/with}}', { a: { b: 1 } }, { a: { b: 2 } }],
    ['{{#each extra.a}}{{this}}{{/each}}', { a: [1] }, { a: [1, 2] }],
    ['{{#each extra.a}}{{@root.extra.b}}{{/each}}', { a: [1], b: 1 }, { a: [1], b: 2 }],
    ['{{lookup extra.a extra.b}}', { a: { x: 1, y: 2 }, b: 'x' }, { a: { x: 1, y: 2 }, b: 'y' }],
    ['{{json extra.a default=extra.b}}', { b: 1 }, { b: 2 }],
    ['{{#if (eq extra.a 1)}}x{{/if}}', { a: 1 }, { a: 2 }],
    ['{{extra.a}}', { a: '\ud800' }, { a: '\ud801' }],
  ])('of %s tells %j from %j', (source, one, other) => {
    expect(fingerprintOf({ a: source }, { extra: one as JsonObject })).not.toBe(
      fingerprintOf({ a: source }, { extra: other as JsonObject }),
    )
  })

  it('is of what the template reads alone, in any order', () => {
    const source = { a: '{{extra.a}}', s: '{{subject}}' }
    expect(fingerprintOf(source, { extra: { a: { x: 1, y: 2 }, other: 1 } })).toBe(
      fingerprintOf(source, { extra: { a: { y: 2, x: 1 }, other: 2 } }),
    )
    expect(fingerprintOf({ a: 'constant' }, { subject: 'a' })).toBe(fingerprintOf({ a: 'constant' }, { subject: 'b' }))
  })

  it('does not exist for a template that reads the request', () => {
    expect(fingerprintOf({ a: '{{match_context.method}}' }, {})).toBeUndefined()
    expect(fingerprintOf({ a: '{{header.x-role}}' }, {})).toBeUndefined()
    expect(fingerprintOf({ a: '{{this}}' }, {})).toBeUndefined()
  })
})

interface HandlebarsCase {
  readonly id: string
  readonly mode: string
  readonly template: string
  readonly context: Json
  readonly expect?: Json
  readonly expect_error?: string
}

/** Cases of ways to use Handlebars that claims do not offer: text that is parsed as JSON afterwards, and escaping for HTML. */
const elsewhere = new Set(['default', 'text-json'])
const different: Readonly<Record<string, string>> = {
  'hb-strict-not-in-helper-args': 'a missing value is an error in {{json}}, too, unless it has a default',
}

describe('vectors', () => {
  const cases = (casesOf('templates', 'handlebars') as readonly HandlebarsCase[]).filter(
    ({ mode }) => !elsewhere.has(mode),
  )
  it.each(cases)('$id', ({ id, mode, template, context, expect: expected, expect_error: failure }) => {
    const run = (): unknown => {
      const source = mode === 'json-leaf' ? (JSON.parse(template) as JsonObject) : { text: template }
      const claims = JSON.parse(JSON.stringify(compileObject(source, strict).render(context))) as JsonObject
      return mode === 'json-leaf' ? claims : claims['text']
    }
    const fails = failure !== undefined || id in different
    expect(outcomeOf(run)).toEqual(fails ? anyError : { value: expected })
  })

  interface InjectionCase {
    readonly id: string
    readonly request: { readonly 'traits.name'?: string; readonly traits?: JsonObject }
    readonly given: { readonly claims_template?: string; readonly header_mutator?: JsonObject }
  }
  const injections = (casesOf('security', 'claims-template-injection') as readonly InjectionCase[]).filter(
    ({ request, given }) =>
      given.header_mutator === undefined && (request['traits.name'] ?? request.traits) !== undefined,
  )
  it.each(injections)('$id', ({ request }) => {
    const template = handlebarsClaims(
      {
        'https://hasura.io/jwt/claims': { 'x-hasura-default-role': 'user' },
        name: '{{extra.identity.traits.name}}',
        text: '{{extra.identity.traits.name}}.',
      },
      strict,
    )
    const name = request['traits.name'] ?? request.traits?.['name'] ?? null
    const claims = template.evaluate(exchangeOf({ session: { extra: { identity: { traits: { name } } } } }))
    expect(JSON.parse(JSON.stringify(claims))).toEqual({
      'https://hasura.io/jwt/claims': { 'x-hasura-default-role': 'user' },
      name,
      text: `${typeof name === 'string' ? name : ''}.`,
    })
  })
})

describe('whatever a session holds', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('","admin":true,"x":"', '{{subject}}', '}}{{', '\u2028', '\ud800', '\\', '"'),
  )

  it('its values stay in their claims', () => {
    const template = handlebarsClaims(
      { sub2: '{{subject}}', list: ['{{extra.a}}'], text: 'x {{extra.a}} {{json extra.a}}', admin: false },
      strict,
    )
    fc.assert(
      fc.property(hostile, hostile, (subject, a) => {
        const claims: unknown = JSON.parse(
          JSON.stringify(template.evaluate(exchangeOf({ session: { subject, extra: { a } } }))),
        )
        expect(claims).toEqual({ sub2: subject, list: [a], text: `x ${a} ${JSON.stringify(a)}`, admin: false })
      }),
    )
  })

  it('text comes out as Handlebars itself writes it', () => {
    const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))
    // With prototypes, because Handlebars compares contexts loosely and cannot compare objects without one.
    const plain = { noNullPrototype: true }
    const data = fc.record(
      {
        a: leaf,
        b: fc.record({ c: leaf, d: fc.array(leaf, { maxLength: 3 }) }, plain),
        e: fc.array(fc.record({ f: leaf }, plain), { maxLength: 3 }),
        g: fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), leaf, { maxKeys: 3, ...plain }),
      },
      plain,
    )
    // Every block starts with text: with `noEscape` Handlebars adds up numbers that nothing precedes.
    const piece = fc.constantFrom(
      ' text ',
      '{{a}}',
      '{{b.c}}',
      '{{ b.d }}',
      '{{{a}}}',
      '{{~a~}}',
      '{{#if a}}yes{{else}}no{{/if}}',
      '{{#if b.c includeZero=true}}yes{{/if}}',
      '{{#unless b.d}}empty{{/unless}}',
      '{{#each e}}.{{@index}}{{@first}}{{@last}}:{{f}}{{../a}};{{else}}none{{/each}}',
      '{{#each g}}.{{@key}}={{this}},{{/each}}',
      '{{#each e as |item i|}}.{{i}}{{item.f}}{{#each @root.b.d}}.{{this}}{{@../index}}{{../../a}}{{/each}}{{/each}}',
      '{{#with b}}.{{c}}{{../a}}{{#with d as |list|}}.{{list}}{{/with}}{{else}}none{{/with}}',
      '{{lookup b "c"}}',
      '{{^if a}}not{{/if}}',
      '{{!-- comment --}}',
      '\n  {{#if a}}\n  x\n  {{/if}}\n',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), data, (pieces, context) => {
        const source = `>${pieces.join('')}`
        const theirs = Handlebars.compile(source, { noEscape: true })(context)
        expect(compileObject({ text: source }, lenient).render(context as JsonObject)['text']).toBe(theirs)
      }),
      { numRuns: 500 },
    )
  })
})
