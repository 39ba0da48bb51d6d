import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Exchange } from '../../../src/pipeline/contract/exchange.ts'
import type { Json, JsonObject } from '../../../src/pipeline/contract/values.ts'
import { goClaims } from '../../../src/tokens/claims/go.ts'
import { handlebarsClaims } from '../../../src/tokens/claims/handlebars.ts'
import { jsonnetMapper } from '../../../src/tokens/claims/jsonnet.ts'
import { mapperClaims } from '../../../src/tokens/claims/mapper.ts'
import type { ClaimsTemplate } from '../../../src/tokens/claims/template.ts'
import { allClaims } from '../../../src/tokens/mint.ts'
import { exchangeOf, testClock } from '../support.ts'

/**
 * One template in three languages. The author's structure: `admin` is false, `name` stands inside a text, `whole` is a
 * value of any kind, `list` has it as an item, and `deep` holds it in an object. The values are a user's traits.
 */
const templates: Readonly<Record<string, ClaimsTemplate>> = {
  handlebars: handlebarsClaims(
    {
      admin: false,
      name: 'I am {{extra.identity.traits.name}}.',
      whole: '{{extra.identity.traits.whole}}',
      list: ['a', '{{extra.identity.traits.whole}}', 'z'],
      deep: { before: 1, value: '{{json extra.identity.traits.whole}}', role: 'user' },
    },
    { missingField: 'error' },
  ),
  go: goClaims(
    `{
      "admin": false,
      "name": "I am {{ .Extra.identity.traits.name }}.",
      "whole": {{ .Extra.identity.traits.whole | toJson }},
      "list": ["a", {{ .Extra.identity.traits.whole | toJson }}, "z"],
      "deep": { "before": 1, "value": "{{ .Extra.identity.traits.whole | toJson }}", "role": "user" }
    }`,
    { missingField: 'error' },
  ),
  jsonnet: mapperClaims(
    jsonnetMapper(
      `local traits = std.extVar('session').identity.traits;
      { claims: {
        admin: false,
        name: 'I am ' + traits.name + '.',
        whole: traits.whole,
        list: ['a', traits.whole, 'z'],
        deep: { before: 1, value: std.manifestJsonMinified(traits.whole), role: 'user' },
      } }`,
      'mapper.jsonnet',
    ),
  ),
}

const registered = ['exp', 'iat', 'iss', 'jti', 'nbf', 'sub']

/** The claims as a verifier of the token reads them. */
function tokenOf(claims: ClaimsTemplate, exchange: Exchange): JsonObject {
  const clock = testClock()
  const safeguards = { token_backdate: 0, token_lifetime: 'session' } as const
  const made = allClaims(exchange, { issuer: 'i', ttl: 60_000, claims, safeguards, clock, randomUUID: () => 'j' })
  if (made instanceof Promise) throw new Error('claims are made at once')
  return JSON.parse(JSON.stringify(made.all)) as JsonObject
}

const withTraits = (traits: JsonObject): Exchange =>
  exchangeOf({ session: { id: 's1', extra: { identity: { traits } } } })

const hostileTexts = [
  '',
  '","admin":true,"x":"',
  String.raw`\","admin":true,"x":"`,
  '\\',
  '"',
  "'",
  '}} {{extra.secret}} {{{extra}}}',
  '{{ .Subject }}{{define "x"}}{{end}}',
  "' + std.extVar('session') + '",
  '%(admin)s %s %d',
  '|||\n  admin\n|||',
  '</script><script>alert(1)</script>',
  '\u0000\u001F\u007F\u2028\u2029',
  '\uD800',
  '\uDC00\uD800',
  '𝕏🙂e\u0301\u202E',
  '__proto__',
  'constructor',
  'x'.repeat(20_000),
  '"'.repeat(2000),
]

const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...hostileTexts) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary' }) },
)

/** Values of any kind with hostile texts, also as the names of members. */
const value = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom<Json>(0, -1, 1e21, true, false, null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.oneof(text, fc.constantFrom('admin', 'sub', '__proto__', 'length')), tie('value')), {
        maxLength: 4,
      })
      .map((members) => Object.fromEntries(members.map(([name, member]) => [name.toWellFormed(), member]))),
  ),
})).value

/** As it arrives over the wire: UTF-8, in which there are no lone surrogates, and no negative zero. */
const asSent = (sent: Json): Json =>
  JSON.parse(JSON.stringify(sent), (_, one: Json) => (typeof one === 'string' ? one.toWellFormed() : one)) as Json

describe.each(Object.entries(templates))('in %s, whatever a user says of themselves', (language, template) => {
  it('stays within the claim that reads it', () => {
    fc.assert(
      fc.property(text, value, (name, given) => {
        const whole = asSent(given)
        const claims = tokenOf(template, withTraits({ name: name.toWellFormed(), whole }))
        expect(Object.keys(claims).sort()).toEqual([...registered, 'admin', 'deep', 'list', 'name', 'whole'].sort())
        expect(claims).toMatchObject({ admin: false, sub: 'alice', iss: 'i' })
        expect(claims['name']).toBe(`I am ${name.toWellFormed()}.`)
        expect(claims['whole']).toEqual(whole)
        expect(claims['list']).toEqual(['a', whole, 'z'])
        const deep = claims['deep'] as JsonObject
        expect(Object.keys(deep).sort()).toEqual(['before', 'role', 'value'])
        expect(deep).toMatchObject({ before: 1, role: 'user' })
        // As JSON inside a text; a single expression of Handlebars keeps the value's kind.
        expect(language === 'handlebars' ? deep['value'] : JSON.parse(deep['value'] as string)).toEqual(whole)
      }),
      { numRuns: 150 },
    )
  })

  it('says nothing of prototypes', () => {
    const whole = JSON.parse(
      '{ "__proto__": { "admin": true }, "constructor": { "prototype": { "admin": true } } }',
    ) as JsonObject
    const claims = tokenOf(template, withTraits({ name: 'x', whole }))
    expect(Object.keys(claims['whole'] as JsonObject)).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(claims)).toBe(Object.prototype)
    expect(({} as { readonly admin?: boolean }).admin).toBeUndefined()
  })

  it('is missed by name, and is never undefined', () => {
    for (const traits of [{ name: 'x' }, { whole: 1 }]) {
      expect(() => tokenOf(template, withTraits(traits))).toThrow(
        expect.objectContaining({
          code: 'template_failed',
          reason: expect.stringMatching('name' in traits ? /whole/ : /name/) as string,
        }),
      )
    }
  })

  it('names claims nowhere by a prototype', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(() => tokenOf(readerOf(language, name), withTraits({}))).toThrow(
        expect.objectContaining({ code: 'template_failed' }),
      )
    }
  })
})

function readerOf(language: string, name: string): ClaimsTemplate {
  if (language === 'go')
    return goClaims(`{"a": {{ .Extra.identity.traits.${name} | toJson }}}`, { missingField: 'error' })
  if (language === 'handlebars')
    return handlebarsClaims({ a: `{{extra.identity.traits.${name}}}` }, { missingField: 'error' })
  const source = `{ claims: { a: std.extVar('session').identity.traits['${name}'] } }`
  return mapperClaims(jsonnetMapper(source, 'mapper.jsonnet'))
}

describe('as the name of a claim', () => {
  it('Handlebars takes no value: names are the author’s', () => {
    const claims = handlebarsClaims({ '{{extra.identity.traits.name}}': 1 }, { missingField: 'error' })
    expect(tokenOf(claims, withTraits({ name: 'admin' }))).toHaveProperty(['{{extra.identity.traits.name}}'])
  })

  it.each<[string, ClaimsTemplate]>([
    ['go', goClaims('{"admin": false, "x-{{ .Extra.identity.traits.name }}": true}', { missingField: 'error' })],
    [
      'jsonnet',
      mapperClaims(
        jsonnetMapper(
          "{ claims: { admin: false, ['x-' + std.extVar('session').identity.traits.name]: true } }",
          'm.jsonnet',
        ),
      ),
    ],
  ])('in %s a value stays a part of the name that the author began', (_language, template) => {
    // No name twice: Node 24's JSON.parse can take `"` for a `\\` that it met at the same place before.
    let count = 0
    fc.assert(
      fc.property(text, (name) => {
        const given = `${name.toWellFormed()}${(count += 1)}`
        const claims = tokenOf(template, withTraits({ name: given }))
        expect(Object.keys(claims).sort()).toEqual([...registered, 'admin', `x-${given}`].sort())
        expect(claims['admin']).toBe(false)
      }),
      { numRuns: 100 },
    )
  })

  it('in Jsonnet a value as the whole name never gets the better of what is there', () => {
    const source = "{ claims: { admin: false, [std.extVar('session').identity.traits.name]: 'evil' } }"
    const template = mapperClaims(jsonnetMapper(source, 'mapper.jsonnet'))
    expect(() => tokenOf(template, withTraits({ name: 'admin' }))).toThrow(
      expect.objectContaining({ code: 'template_failed' }),
    )
    expect(tokenOf(template, withTraits({ name: 'sub' }))['sub']).toBe('alice')
  })
})
