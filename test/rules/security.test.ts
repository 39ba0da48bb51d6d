/** The attacks on the rule engine that rules alone have to withstand; the others are the pipeline's and the front's. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseDocument } from '../../src/documents/document.ts'
import { createMatcher, type Match } from '../../src/rules/matcher.ts'
import { loadRepositories } from '../../src/rules/repositories/load.ts'
import { startServer } from '../support/http_server.ts'
import { atOnce } from '../support/pace.ts'
import { ruleOf, soundRule } from './documents.ts'

interface Vector {
  readonly id: string
  readonly given: { readonly rules?: readonly string[]; readonly rule?: object }
  readonly request: { readonly path?: string; readonly rule?: object }
}

const file = new URL('../vectors/security.json', import.meta.url)
const { meta, cases } = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly meta: {
    readonly profiles: { readonly std: { readonly rules: readonly { url: string; methods: string[] }[] } }
  }
  readonly cases: readonly Vector[]
}

function vector(id: string): Vector {
  const found = cases.find((candidate) => candidate.id === id)
  if (found === undefined) throw new Error(`no vector ${id}`)
  return found
}

function match(
  rules: readonly { readonly url: string; readonly methods: readonly string[] }[],
  path: string,
): Match<number> {
  const entries = rules.map((rule, index) => ({
    ...rule,
    priority: 0,
    id: `${index}`,
    value: index,
    locate: () => undefined,
  }))
  return atOnce(createMatcher(entries, 'regexp')).matcher.match('GET', `http://gw.example${path}`)
}

describe('security vectors: rule-engine', () => {
  it('rule-002: a request that two rules match is nobody’s', () => {
    const { given, request } = vector('rule-002')
    const rules = (given.rules ?? []).map((url) => ({ url, methods: ['GET'] }))
    expect(match(rules, request.path ?? '')).toEqual({ kind: 'several', values: [0, 1] })
  })

  it('rule-003: a request that no rule matches is nobody’s', () => {
    expect(match(meta.profiles.std.rules, vector('rule-003').request.path ?? '')).toEqual({ kind: 'none' })
    expect(match(meta.profiles.std.rules, '/admin/x')).toMatchObject({ kind: 'one', value: 1 })
  })

  it('rule-004: a rule without authenticators is invalid', () => {
    const errors = ruleOf({ ...soundRule, ...vector('rule-004').given.rule }).problems
    expect(errors).toEqual([
      expect.objectContaining({ severity: 'error', message: expect.stringContaining('authenticators') as unknown }),
    ])
  })

  it('rule-011: a repository does not lead to a local file', async () => {
    await using server = await startServer((_, response) =>
      response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    )
    const { rules, problems } = await loadRepositories([`${server.url}/redirect`], { missing: 'refuse' })
    expect(rules).toEqual([])
    expect(problems).toMatchObject([{ severity: 'error' }])
  })

  it('rule-014: keys that are given twice are refused; unknown ones are told', () => {
    expect(parseDocument('[{"id":"a","id":"b"}]', 'rules.json').problems).toMatchObject([{ severity: 'error' }])
    const { problems } = ruleOf({ ...soundRule, authenticator: [] })
    expect(problems).toMatchObject([{ severity: 'warning', hint: 'Did you mean "authenticators"?' }])
  })

  it('rule-015: an upstream URL with more than scheme, host, port and path is refused when strict', () => {
    const { problems } = ruleOf({ ...soundRule, ...vector('rule-015').request.rule }, true)
    expect(problems).toMatchObject([{ severity: 'error' }])
  })
})
