import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compileGjson } from '../../../src/languages/gjson/index.ts'

interface Case {
  readonly id: string
  readonly group: string
  readonly template: string
  readonly context: { readonly doc: unknown }
  readonly expect: unknown
  readonly expect_missing?: boolean
}

const file = new URL('../../vectors/templates.json', import.meta.url)
const cases = (JSON.parse(readFileSync(file, 'utf8')) as Case[]).filter((one) => one.group === 'gjson')

describe('what gjson finds', () => {
  it('has the cases', () => expect(cases.length).toBeGreaterThan(60))

  it.each(cases)('$id: $template', (one) => {
    const expected = one.expect_missing === true ? undefined : one.expect
    expect(compileGjson(one.template).get(one.context.doc)).toEqual(expected)
  })
})
