import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  compileTemplate,
  type GoRecord,
  TemplateExecError,
  TemplateSyntaxError,
} from '../../../src/languages/gotemplate/index.ts'
import { goSession, type SessionData } from './session.ts'

interface Vector {
  readonly id: string
  readonly group: string
  readonly template: string
  readonly data: 'session' | 'map'
  readonly context: GoRecord
  readonly expect?: string
  readonly expect_error?: 'parse' | 'exec'
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../vectors/${name}`, import.meta.url), 'utf8'))

const vectors = (read('templates.json') as readonly Vector[]).filter(({ group }) => group === 'gotemplate')

/** Found when the template is compiled, where Go finds them when it runs. */
const foundEarlier = new Set(['go-trap-print-two-args', 'go-trap-nil-command'])

const render = ({ template, data, context }: Vector): string =>
  compileTemplate(template).render(data === 'session' ? goSession(context) : context)

describe('Go templates as text/template with sprig renders them', () => {
  it.each(vectors.filter(({ expect: output }) => output !== undefined))('$id', (vector) => {
    expect(render(vector)).toBe(vector.expect)
  })

  it.each(vectors.filter(({ expect_error: error }) => error !== undefined))('$id fails', (vector) => {
    const early = vector.expect_error === 'parse' || foundEarlier.has(vector.id)
    expect(() => render(vector)).toThrow(early ? TemplateSyntaxError : TemplateExecError)
  })
})

interface OathkeeperVector {
  readonly id: string
  readonly group: string
  readonly given: {
    readonly claims?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly session?: {
      readonly subject?: string
      readonly extra?: GoRecord | null
      readonly groups?: readonly string[]
      readonly match_context?: { readonly method: string; readonly url: string; readonly header: GoRecord }
    }
  }
  readonly when: { readonly template?: string }
  readonly expect: {
    readonly claims_include?: Readonly<Record<string, unknown>>
    readonly claims_absent?: readonly string[]
    readonly session_headers?: Readonly<Record<string, string>>
    readonly output?: string
    readonly error_status?: number
  }
}

const oathkeeper = (read('oathkeeper.json') as { readonly cases: readonly OathkeeperVector[] }).cases

function sessionOf({ given }: OathkeeperVector): SessionData {
  const { subject = '', extra = null, groups, match_context: match } = given.session ?? {}
  return {
    Subject: subject,
    Extra: extra,
    MatchContext: {
      ...(groups === undefined ? {} : { RegexpCaptureGroups: groups }),
      ...(match === undefined ? {} : { Method: match.method, URL: match.url, Header: match.header }),
    },
  }
}

/** Set by the id_token mutator after the template. */
const registered = new Set(['iss', 'sub'])
/** The trait that injects a claim in Oathkeeper: here it stays in its string. */
const injection = 'claims-template-026'

describe('claims templates of Oathkeeper', () => {
  const cases = oathkeeper.filter(({ group, given }) => group === 'claims_template' && given.claims !== undefined)

  it.each(cases.filter(({ id, expect: { claims_include: claims } }) => claims !== undefined && id !== injection))(
    '$id',
    (vector) => {
      const claims = JSON.parse(claimsOf(vector)) as Record<string, unknown>
      const expected = Object.entries(vector.expect.claims_include ?? {}).filter(([name]) => !registered.has(name))
      expect(claims).toMatchObject(Object.fromEntries(expected))
      for (const name of vector.expect.claims_absent ?? []) expect(claims).not.toHaveProperty(name)
    },
  )

  it('keeps a trait from adding a claim, which Oathkeeper lets it do', () => {
    const vector = cases.find(({ id }) => id === injection) as OathkeeperVector
    expect(JSON.parse(claimsOf(vector))).toEqual({ name: vector.given.session?.extra?.['name'] })
  })
})

const claimsOf = (vector: OathkeeperVector): string =>
  compileTemplate(vector.given.claims ?? '', { output: 'json' }).render(goSession(sessionOf(vector)))

describe('header templates and functions of Oathkeeper', () => {
  const headers = oathkeeper.filter(({ group, given }) => group === 'header_mutator' && given.headers !== undefined)

  it.each(headers.filter(({ expect: { session_headers: values } }) => values !== undefined))('$id', (vector) => {
    for (const [name, template] of Object.entries(vector.given.headers ?? {})) {
      const value = compileTemplate(template).render(goSession(sessionOf(vector)))
      expect(value).toBe(vector.expect.session_headers?.[name])
    }
  })

  const functions = oathkeeper.filter(({ group }) => group === 'template_functions')

  it.each(functions.filter((vector) => vector.expect.output !== undefined))('$id', (vector) => {
    expect(renderFunction(vector)).toBe(vector.expect.output)
  })

  it.each(functions.filter((vector) => vector.expect.error_status !== undefined))('$id fails', (vector) => {
    expect(() => renderFunction(vector)).toThrow(/^template:/)
  })
})

const renderFunction = (vector: OathkeeperVector): string =>
  compileTemplate(vector.when.template ?? '').render(goSession(sessionOf(vector)))
