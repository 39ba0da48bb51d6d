import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  compileRegexp,
  quoteMeta,
  RegexpStepLimitError,
  RegexpSyntaxError,
} from '../../../src/languages/regexp/index.ts'

interface Case {
  readonly id: string
  readonly group: string
  readonly template: string
  readonly context: { readonly input: string }
  readonly expect?: { readonly match: boolean; readonly groups: readonly string[] | null }
  readonly expect_error?: 'compile' | 'timeout'
}

const file = new URL('../../vectors/templates.json', import.meta.url)
const cases = (JSON.parse(readFileSync(file, 'utf8')) as Case[]).filter((one) => one.group === 'regexp')

/** An access rule's pattern: literal outside of `<...>`, a regular expression inside, each of which must stand alone. */
function compileRule(template: string) {
  let source = '^'
  let literal = ''
  let depth = 0
  let inner = ''
  for (const character of template) {
    if (character === '<' && depth++ === 0) {
      source += quoteMeta(literal)
      literal = ''
    } else if (character === '>' && --depth <= 0) {
      if (depth < 0) throw new RegexpSyntaxError('unbalanced', 0)
      compileRegexp(`^${inner}$`)
      source += `(${inner})`
      inner = ''
    } else if (depth > 0) inner += character
    else literal += character
  }
  if (depth > 0) throw new RegexpSyntaxError('unbalanced', 0)
  return compileRegexp(`${source}${quoteMeta(literal)}$`)
}

describe('what dlclark/regexp2 does with access rule patterns', () => {
  it('has the cases', () => expect(cases.length).toBeGreaterThan(70))

  const refused = cases.filter((one) => one.expect_error === 'compile')
  const endless = cases.filter((one) => one.expect_error === 'timeout')
  const matched = cases.filter((one) => one.expect_error === undefined)

  it.each(refused)('$id refuses $template', (one) => {
    expect(() => compileRule(one.template)).toThrow(RegexpSyntaxError)
  })

  it.each(endless)('$id gives $template up', (one) => {
    expect(() => compileRule(one.template).exec(one.context.input)).toThrow(RegexpStepLimitError)
  })

  it.each(matched)('$id: $template', (one) => {
    const regexp = compileRule(one.template)
    const found = regexp.exec(one.context.input)
    expect(found !== null).toBe(one.expect?.match)
    expect(found?.slice(1) ?? null).toEqual(one.expect?.groups)
    expect(regexp.test(one.context.input)).toBe(one.expect?.match)
  })
})
