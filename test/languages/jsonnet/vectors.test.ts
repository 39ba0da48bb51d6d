import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compileJsonnet } from '../../../src/languages/jsonnet/index.ts'

type Data = NonNullable<NonNullable<Parameters<ReturnType<typeof compileJsonnet>['evaluate']>[0]>['extVars']>

interface Case {
  readonly id: string
  readonly group: string
  readonly template: string
  readonly context: { readonly ext_code?: Data; readonly ext_str?: Data; readonly tla_code?: Data }
  readonly expect: unknown
  readonly expect_error?: string
}

const file = new URL('../../vectors/templates.json', import.meta.url)
const cases = (JSON.parse(readFileSync(file, 'utf8')) as Case[]).filter((one) => one.group === 'jsonnet')

function evaluate({ template, context }: Case): unknown {
  const extVars = { ...context.ext_code, ...context.ext_str }
  return compileJsonnet(template).evaluate({ extVars, arguments: context.tla_code ?? {} })
}

/** The message alone: places are shown in another form. */
const withoutPlace = (message: string): string => message.replace(/^<cmdline>:\S+ /, '')

describe('what go-jsonnet makes of programs', () => {
  it('has the cases', () => expect(cases.length).toBeGreaterThan(30))

  it.each(cases.filter((one) => one.expect_error === undefined))('$id', (one) => {
    expect(JSON.stringify(evaluate(one))).toBe(JSON.stringify(one.expect))
  })

  it.each(cases.filter((one) => one.expect_error !== undefined))('$id', (one) => {
    expect(() => evaluate(one)).toThrow(withoutPlace(one.expect_error ?? ''))
  })
})
