import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/pipeline/contract/config_error.ts'
import type { Session } from '../../../src/pipeline/contract/session.ts'
import type { JsonObject } from '../../../src/pipeline/contract/values.ts'
import { goClaims } from '../../../src/tokens/claims/go.ts'
import { anyError, casesOf, exchangeOf, outcomeOf } from '../support.ts'

const asInGo = { missingField: 'empty' } as const
const strict = { missingField: 'error' } as const

interface VectorSession {
  readonly subject?: string
  readonly extra?: JsonObject | null
  readonly groups?: readonly string[]
  readonly match_context?: {
    readonly method: string
    readonly url: string
    readonly header: Readonly<Record<string, string[]>>
  }
}

function exchangeFor({ subject = '', extra = null, groups = [], match_context: context }: VectorSession) {
  return exchangeOf({
    session: { subject, extra },
    captures: groups,
    ...(context !== undefined && { method: context.method, url: context.url, headers: context.header }),
  })
}

interface ClaimsCase {
  readonly id: string
  readonly given: { readonly claims?: string; readonly session: VectorSession }
  readonly expect: {
    readonly claims_include?: JsonObject
    readonly claims_absent?: readonly string[]
    readonly error_status?: number
  }
}

/** What id_token adds to every token whatever the template says. */
const registered = new Set(['iss', 'sub', 'exp', 'iat', 'nbf', 'jti'])

// A value never becomes a claim of its own: Oathkeeper gives {"name": "a", "role": "admin"} here.
const different: Readonly<Record<string, JsonObject>> = { 'claims-template-026': { name: 'a","role":"admin' } }

const failed = { error: expect.objectContaining({ code: 'template_failed', status: 500 }) }

const evaluated = (claims: string, session: VectorSession) =>
  outcomeOf(() => goClaims(claims, asInGo).evaluate(exchangeFor(session)))

const fingerprintOf = (source: string, session: Partial<Session>): string | undefined =>
  goClaims(source, asInGo).fingerprint(exchangeOf({ session }))

describe('claims as Oathkeeper renders them', () => {
  const cases = (casesOf('oathkeeper', 'claims_template') as readonly ClaimsCase[]).filter(
    ({ given }) => given.claims !== undefined,
  )
  it.each(cases)(
    '$id',
    ({ id, given, expect: { claims_include: include = {}, claims_absent: absent = [], error_status } }) => {
      const outcome = evaluated(given.claims as string, given.session)
      const claims =
        different[id] ?? Object.fromEntries(Object.entries(include).filter(([name]) => !registered.has(name)))
      const value = expect.objectContaining<JsonObject>(claims)
      expect(outcome).toEqual(error_status === undefined ? { value } : failed)
      expect('value' in outcome ? absent.filter((name) => name in outcome.value) : []).toEqual([])
    },
  )
})

interface FunctionCase {
  readonly id: string
  readonly given: { readonly session: VectorSession }
  readonly when: { readonly template: string }
  readonly expect: { readonly output?: string; readonly error_status?: number }
}

describe('template functions inside a claim', () => {
  const cases = casesOf('oathkeeper', 'template_functions') as readonly FunctionCase[]
  it.each(cases)('$id', ({ given, when, expect: { output, error_status } }) => {
    const expected = error_status === undefined ? { value: { claim: output } } : anyError
    expect(evaluated(`{"claim": "${when.template}"}`, given.session)).toEqual(expected)
  })
})

describe('a Go template', () => {
  it('that is malformed is refused at load', () => {
    expect(() => goClaims('{"a": "{{ .Subject }"}', asInGo)).toThrowError(ConfigError)
    expect(() => goClaims('{"a": "{{ .Subject }"}', asInGo)).toThrowError(/line 1, column \d+/)
  })

  it.each(['[1]', '"text"', '1', 'null', '', '{"a":', '{"a":1} {"b":2}'])('that makes %j fails', (source) => {
    expect(() => goClaims(source, asInGo).evaluate(exchangeOf())).toThrowError(
      expect.objectContaining({ code: 'template_failed' }),
    )
  })

  it('takes the last of two equal members', () => {
    expect(goClaims('{"a":1,"a":2}', asInGo).evaluate(exchangeOf())).toEqual({ a: 2 })
  })

  it('may not read a missing field where that is an error', () => {
    const source = '{"role":"{{ .Extra.role }}"}'
    expect(() => goClaims(source, strict).evaluate(exchangeOf())).toThrowError(
      expect.objectContaining({ code: 'template_failed', reason: expect.stringContaining('role') }),
    )
    expect(goClaims('{"role":"{{ .Extra.role | default "user" }}"}', strict).evaluate(exchangeOf())).toEqual({
      role: 'user',
    })
  })

  it('sees the request', () => {
    const source = `{"url":"{{ .MatchContext.URL }}","host":"{{ .MatchContext.URL.Hostname }}","port":"{{ .MatchContext.URL.Port }}",
      "path":"{{ .MatchContext.URL.EscapedPath }}","q":"{{ .MatchContext.URL.Query.Get "a" }}","none":"{{ .MatchContext.URL.Query.Get "b" }}",
      "header":"{{ .MatchContext.Header.Get "x-tenant" }}","all":{{ index .MatchContext.Header "X-Tenant" | toJson }},
      "set":"{{ .Header.Get "x-role" }}","groups":{{ .MatchContext.RegexpCaptureGroups | toJson }}}`
    const exchange = {
      ...exchangeOf({
        url: 'https://gw.example:8443/a%20b?a=1&a=2',
        headers: { 'x-tenant': ['t1', 't2'] },
        captures: ['one'],
      }),
      edits: [['X-Role', 'r'] as const],
    }
    expect(goClaims(source, asInGo).evaluate(exchange)).toEqual({
      url: 'https://gw.example:8443/a%20b?a=1&a=2',
      host: 'gw.example',
      port: '8443',
      path: '/a%20b',
      q: '1',
      none: '',
      header: 't1',
      all: ['t1', 't2'],
      set: 'r',
      groups: ['one'],
    })
  })
})

describe('the fingerprint', () => {
  it.each([
    ['{"a":"{{ .Subject }}"}', { subject: 'a' }, { subject: 'b' }],
    ['{"a":"{{ .Extra.a }}"}', { extra: { a: 1 } }, { extra: { a: 2 } }],
    ['{"a":{{ .Extra | toJson }}}', { extra: { a: 1 } }, { extra: { b: 1 } }],
    ['{"a":"{{ with .Extra.a }}{{ .b }}{{ end }}"}', { extra: { a: { b: 1 } } }, { extra: { a: { b: 2 } } }],
    ['{"a":"{{ $e := .Extra }}{{ $e.a }}"}', { extra: { a: 1 } }, { extra: { a: 2 } }],
    ['{"a":"{{ index .Extra "a" }}"}', { extra: { a: 1 } }, { extra: { a: 2 } }],
    ['{"a":"{{ len .Extra.a }}"}', { extra: { a: 'x' } }, { extra: { a: 'xx' } }],
    ['{{ define "t" }}{{ .a }}{{ end }}{"a":"{{ template "t" .Extra }}"}', { extra: { a: 1 } }, { extra: { a: 2 } }],
  ])('of %s tells %j from %j', (source, one, other) => {
    expect(fingerprintOf(source, one)).not.toBe(fingerprintOf(source, other))
  })

  it('is of what the template reads alone', () => {
    const source = '{"a":"{{ .Extra.a }}"}'
    expect(fingerprintOf(source, { extra: { a: 1, other: 1 } })).toBe(
      fingerprintOf(source, { extra: { a: 1, other: 2 } }),
    )
  })

  it.each([
    '{"a":"{{ .MatchContext.Method }}"}',
    '{"a":{{ . | toJson }}}',
    '{"a":"{{ .Header.Get "x" }}"}',
    '{"a":"{{ uuidv4 }}"}',
    '{"a":"{{ now.Unix }}"}',
  ])('does not exist for %s', (source) => {
    expect(fingerprintOf(source, {})).toBeUndefined()
  })
})

describe('whatever a session holds', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '","admin":true,"x":"',
      '"}',
      '\\',
      '\\"',
      '\u2028',
      '\ud800',
      '{{ .Subject }}',
      '1,"admin":true',
      '}',
    ),
  )

  it('its values stay in their claims', () => {
    const template = goClaims(
      '{"s":"{{ print .Subject }}","{{ .Extra.a }}-key":1,"j":{{ .Extra.a | toJson }},"p":"<{{ .Extra.a }}>","admin":false}',
      asInGo,
    )
    fc.assert(
      fc.property(hostile, hostile, (subject, a) => {
        const claims = template.evaluate(exchangeOf({ session: { subject, extra: { a } } }))
        expect(claims['admin']).toBe(false)
        expect(Object.keys(claims).filter((name) => !['s', 'j', 'p', 'admin'].includes(name))).toEqual([`${a}-key`])
        expect(claims['s']).toBe(subject)
        expect(claims['p']).toBe(`<${a}>`)
      }),
    )
  })

  it('outside of a string a value is one JSON value, or the request fails', () => {
    const template = goClaims('{"v":{{ .Extra.a }},"admin":false}', asInGo)
    fc.assert(
      fc.property(hostile, (a) => {
        const outcome = outcomeOf(() => template.evaluate(exchangeOf({ session: { extra: { a } } })))
        expect(outcome).toEqual('value' in outcome ? { value: { v: JSON.parse(a), admin: false } } : failed)
      }),
    )
  })
})
