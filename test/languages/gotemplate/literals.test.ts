import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileTemplate, TemplateSyntaxError } from '../../../src/languages/gotemplate/index.ts'

const render = (source: string): string => compileTemplate(source).render({})

describe('literals', () => {
  it.each([
    ['0x1F', '31'],
    ['0b11', '3'],
    ['0o17', '15'],
    ['017', '15'],
    ['1_000', '1000'],
    ['+3', '3'],
    ['-5', '-5'],
    ['.5', '0.5'],
    ['1e3', '1000'],
    ['0x1p-2', '0.25'],
    ["'a'", '97'],
    [String.raw`'\''`, '39'],
    ['9223372036854775807', '9223372036854775807'],
    [String.raw`"\u00e9\x41\101\t\U0001F600"`, 'éAA\t😀'],
    [String.raw`"\xe6\x97\xa5"`, '日'],
    ['`raw\\n`', 'raw\\n'],
  ])('%s is %s', (literal, output) => {
    expect(render(`{{ ${literal} }}`)).toBe(output)
  })

  it.each(['0x', '08', '1e', '1__0', '0b102', '1i', '9223372036854775808', "'ab'", '"\\400"', '"\\ud800"', '"\\q"'])(
    '%s is refused',
    (literal) => {
      expect(() => render(`{{ ${literal} }}`)).toThrow(TemplateSyntaxError)
    },
  )

  it('reads back every string that it quotes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const quoted = compileTemplate('{{ quote .x }}').render({ x: text })
        expect(render(`{{ ${quoted} }}`)).toBe(text)
      }),
    )
  })

  it('prints every number so that it reads back', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Number(compileTemplate('{{ .x }}').render({ x: value }))).toBe(value)
        expect(JSON.parse(compileTemplate('{{ toJson .x }}').render({ x: value }))).toBe(value)
      }),
    )
  })
})
