import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDocument } from '../../src/documents/document.ts'
import { parseRules } from '../../src/rules/parse.ts'
import { atOnce } from '../support/pace.ts'
import { parseText, ruleOf, rulesOf, soundRule } from './documents.ts'
import { vectors } from './vectors.ts'

const errorsOf = (rule: unknown, strict = false): readonly string[] =>
  ruleOf(rule, strict)
    .problems.filter(({ severity }) => severity === 'error')
    .map(({ message }) => message)

describe('vectors: rule_parsing', () => {
  it.each(vectors('rule_parsing').map((vector) => [vector.id, vector] as const))('%s', (_, vector) => {
    const { text, json } = vector.when as { text?: string; json?: unknown }
    const parsed = parseText(text ?? JSON.stringify([json]))
    const { ok, rules } = vector.expect
    expect(parsed.decoded).toBe(ok)
    expect(parsed.decoded ? parsed.rules.length : undefined).toBe(rules)
  })
})

describe('vectors: rule_validation', () => {
  // Whether a handler exists and is enabled is for the pipeline to say.
  const aboutHandlers = new Set([
    'rule-validation-004',
    'rule-validation-009',
    'rule-validation-013',
    'rule-validation-018',
  ])
  const structural = vectors('rule_validation').filter(({ id }) => !aboutHandlers.has(id))

  it.each(structural.map((vector) => [vector.id, vector] as const))('%s', (_, vector) => {
    const errors = errorsOf(vector.when['rule'])
    expect(errors.length === 0).toBe(vector.expect['valid'])
    // Oathkeeper tells the first fault only.
    expect(errors[0] ?? '').toContain(vector.expect['reason_contains'] ?? '')
  })
})

describe('parseRules', () => {
  it('fills in what a rule leaves out', () => {
    const { rule, problems } = ruleOf({ ...soundRule, upstream: null, errors: null, description: null })
    expect(problems).toEqual([])
    expect(rule).toMatchObject({
      description: '',
      errors: null,
      upstream: { url: '', preserve_host: false, strip_path: '' },
      authorizer: { handler: 'allow', config: null },
    })
  })

  it('tells all that is missing at once, in the order of Oathkeeper', () => {
    expect(errorsOf({ upstream: { url: 'nowhere' } })).toEqual([
      'Value "match" is empty but must be set.',
      'Value "nowhere" of "upstream.url" is not a valid url: it has to start with http:// or https://',
      'Value of "authenticators" must be set and can not be an empty array.',
      'Value of "authorizer.handler" can not be empty.',
      'Value of "mutators" must be set and can not be an empty array.',
    ])
  })

  it('ignores keys that it does not know, but not silently', () => {
    const { rule, problems } = ruleOf({
      ...soundRule,
      authorizers: 'nil',
      match: { ...soundRule.match, method: ['PUT'] },
      mutators: [{ handler: 'noop', confg: {} }],
    })
    expect(rule.match.methods).toEqual(['GET'])
    expect(problems.map(({ severity, message, hint }) => [severity, message, hint])).toEqual([
      ['warning', 'Unknown key "authorizers" is ignored', 'Did you mean "authorizer"?'],
      ['warning', 'Unknown key "method" is ignored', 'Did you mean "methods"?'],
      ['warning', 'Unknown key "confg" is ignored', 'Did you mean "config"?'],
    ])
  })

  it('keeps the requests of a rule whose priority is faulty, and answers them with an error', () => {
    const { rule, problems } = ruleOf({ ...soundRule, priority: 'high' })
    expect(rule).toMatchObject({ priority: Number.MAX_SAFE_INTEGER, authenticators: [], match: soundRule.match })
    expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining('priority')])
  })

  it('says where things are', () => {
    const [rule] = rulesOf('- id: a\n  match:\n    url: http://h/a\n    metods: [GET]\n  authenticators: none\n')
    const places = rule?.problems.map(({ message, place }) => [
      message,
      (place as { line: number; column: number }).line,
    ])
    expect(places).toContainEqual(['Unknown key "metods" is ignored', 4])
    expect(places).toContainEqual([expect.stringContaining('"authenticators"'), 5])
    expect(rule?.locate(['match', 'url'])).toMatchObject({ file: 'rules.yaml', line: 3, column: 10 })
  })

  it('keeps what is sound of a rule with a fault, so that it still matches its requests', () => {
    const { rule, problems } = ruleOf({ ...soundRule, authenticators: 'noop', errors: [{ handler: 3 }] })
    expect(problems.filter(({ severity }) => severity === 'error')).toHaveLength(2)
    expect(rule).toMatchObject({
      id: 'sound',
      match: soundRule.match,
      authenticators: [],
      errors: null,
      mutators: [{ handler: 'noop' }],
    })
  })

  it.each([[3], ['text'], [[]]])('takes %j for a rule that is invalid', (raw) => {
    const { rule, problems } = ruleOf(raw)
    expect(problems.some(({ severity }) => severity === 'error')).toBe(true)
    expect(rule.match).toEqual({ url: '', methods: [] })
  })

  it('knows the gRPC form, which matches no HTTP request', () => {
    const { rule, problems } = ruleOf({ ...soundRule, match: { authority: 'api:443', full_method: 'pkg.Service/Do' } })
    expect(problems).toEqual([])
    expect(rule.match).toMatchObject({ url: 'rpc://api:443/pkg.Service/Do', methods: [] })
  })

  it.each(['http://tasks.foo-bar_baz', 'http://u:8080/base', 'https://[::1]:8443', 'HTTP://u', ''])(
    'takes %j for an upstream',
    (url) => {
      expect(ruleOf({ ...soundRule, upstream: { url } }, true).problems).toEqual([])
    },
  )

  it.each([
    'not a url',
    '/path',
    'ftp://u',
    'http://',
    'http:u',
    'http://u:port',
    'http://u /',
    'http://u\\x',
    'http://us er@u',
  ])('refuses %j as an upstream', (url) => {
    expect(errorsOf({ ...soundRule, upstream: { url } })).toEqual([expect.stringContaining('is not a valid url')])
  })

  it('warns of parts of an upstream URL that are never used, refuses them when strict, and shows no password', () => {
    const raw = { ...soundRule, upstream: { url: 'http://me:secret@hasura:8080/base?x=1#f' } }
    expect(errorsOf(raw)).toEqual([])
    expect(ruleOf(raw).problems).toHaveLength(1)
    expect(errorsOf(raw, true)).toEqual(['The credentials and query and fragment of "upstream.url" will not be used'])
    expect(JSON.stringify(errorsOf({ ...soundRule, upstream: { url: 'ftp://me:secret@u' } }))).not.toContain('secret')
  })

  it('never throws, and finds each problem inside the file', () => {
    const mutated = fc.record(
      {
        id: fc.oneof(fc.string(), fc.integer(), fc.constant(null)),
        version: fc.constantFrom('v0.30.0', '', 'latest', 3, null),
        match: fc.oneof(fc.constant(soundRule.match), fc.object(), fc.constant(null), fc.string()),
        authenticators: fc.oneof(fc.constant(soundRule.authenticators), fc.array(fc.object()), fc.string()),
        authorizer: fc.oneof(fc.constant(soundRule.authorizer), fc.object(), fc.constant([])),
        mutators: fc.array(fc.oneof(fc.constant({ handler: 'hydrator', config: { retry: {} } }), fc.anything())),
        upstream: fc.oneof(fc.record({ url: fc.oneof(fc.string(), fc.webUrl()) }), fc.integer()),
        errors: fc.oneof(fc.array(fc.object()), fc.constant(null)),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.oneof(fc.array(mutated, { maxLength: 2 }), fc.jsonValue()), (value) => {
        const text = JSON.stringify(value) ?? 'null'
        const { document } = parseDocument(text, 'rules.json')
        const parsed =
          document === undefined ? undefined : atOnce(parseRules(document, { strict: true, repository: 'rules.json' }))
        const problems =
          parsed === undefined ? [] : parsed.decoded ? parsed.rules.flatMap((rule) => rule.problems) : [parsed.problem]
        for (const { place } of problems)
          expect(place).toMatchObject({ file: 'rules.json', line: expect.any(Number) as unknown })
      }),
    )
  })
})
