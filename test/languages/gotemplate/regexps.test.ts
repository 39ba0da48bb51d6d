import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compileTemplate,
  type GoRecord,
  TemplateExecError,
  TemplateSyntaxError,
} from '../../../src/languages/gotemplate/index.ts'

const render = (source: string, data: GoRecord = {}): string => compileTemplate(source).render(data)

function caught(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

// Expected values are what Go 1.24 with sprig 3.3.0 prints.
describe('regular expressions', () => {
  it.each([
    ['{{ regexMatch "^a+$" "aaa" }} {{ regexMatch "b" "aaa" }}', 'true false'],
    ['{{ regexFind "[a-z]+" "12ab34cd" }}|{{ regexFind "x" "a" }}', 'ab|'],
    ['{{ regexFindAll "[0-9]+" "1 22 333" 2 | toJson }}', '["1","22"]'],
    ['{{ regexFindAll "x" "a" -1 | toJson }} {{ regexFindAll "a" "a" 0 | toJson }}', 'null null'],
    ['{{ regexFindAll "a*" "baac" -1 | toJson }}', '["","aa",""]'],
    ['{{ regexFindAll "" "😀é" -1 | len }}', '3'],
    ['{{ regexSplit ",\\\\s*" "a, b,c" -1 | toJson }}', '["a","b","c"]'],
    ['{{ regexSplit "," "a,b,c" 2 | toJson }} {{ regexSplit "," "a,b" 0 | toJson }}', '["a","b,c"] null'],
    ['{{ regexSplit "" "ab" 2 | toJson }} {{ regexSplit "," "" -1 | toJson }}', '["a","b"] [""]'],
    ['{{ regexSplit "" "" -1 | toJson }} {{ regexSplit "," "a," -1 | toJson }}', '[] ["a",""]'],
    ['{{ regexReplaceAll "(\\\\w+)@(\\\\w+)" "u@h" "${2}.$1" }}', 'h.u'],
    ['{{ regexReplaceAll "(?P<user>\\\\w+)@" "u@h" "$user " }}', 'u h'],
    ['{{ regexReplaceAll "(a)" "a" "[$1x][${1}x][$$1][$][$9][${01}][${1]" }}', '[][ax][$1][$][][][${1]'],
    ['{{ regexReplaceAll "a*" "baac" "-" }}', '-b-c-'],
    ['{{ regexReplaceAllLiteral "a" "banana" "$0" }}', 'b$0n$0n$0'],
    ['{{ regexQuoteMeta "1+1=(2)" }}', '1\\+1=\\(2\\)'],
    ['{{ mustRegexMatch "a" "a" }} {{ mustRegexFind "." "日" }}', 'true 日'],
  ])('%s', (source, expected) => {
    expect(render(source)).toBe(expected)
  })

  it('are of RE2: no look-around, no references back', () => {
    expect(() => compileTemplate('{{ regexMatch "(?=a)" .x }}')).toThrow(TemplateSyntaxError)
    expect(() => compileTemplate('{{ regexMatch "(a)\\\\1" .x }}')).toThrow(TemplateSyntaxError)
  })

  it.each(['regexMatch', 'regexFind', 'regexQuoteMeta'])('%s takes a pattern made of data', (name) => {
    const second = name === 'regexQuoteMeta' ? '' : ' "xay"'
    expect(render(`{{ ${name} .p${second} }}`, { p: 'a' })).toBe(name === 'regexMatch' ? 'true' : 'a')
  })

  it('have a mistake in a constant told at its place when the template is compiled', () => {
    const error = caught(() => compileTemplate('{{ .x | regexFind "[a" }}'))
    expect(error).toBeInstanceOf(TemplateSyntaxError)
    expect(error).toMatchObject({ line: 1, column: 19, reason: 'error parsing regexp: missing closing ]' })
  })

  it('fail on a malformed pattern made of data, and do not quote it', () => {
    for (const name of ['regexMatch', 'mustRegexMatch']) {
      const error = caught(() => render(`{{ ${name} .p "x" }}`, { p: '(secret' }))
      expect(error).toBeInstanceOf(TemplateExecError)
      expect((error as Error).message).not.toContain('secret')
    }
  })

  it('have no groups named like the properties of objects', () => {
    expect(render('{{ regexReplaceAll "a" "a" "<${constructor}$__proto__>" }}')).toBe('<>')
  })

  it('quoted text matches itself', () => {
    const template = compileTemplate('{{ regexFind (regexQuoteMeta .s) .s }}')
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (s) => {
        expect(template.render({ s })).toBe(s)
      }),
    )
  })

  it('split and join are inverse', () => {
    const template = compileTemplate('{{ regexSplit "," .s -1 | join "," }}')
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', ',', 'é', '😀'), maxLength: 40 }), (s) => {
        expect(template.render({ s })).toBe(s)
      }),
    )
  })
})

describe('hostile regular expressions end at the limits', () => {
  const long = 'a'.repeat(60_000)

  it.each([
    ['a search that reads all of the rest for each match', '{{ regexFindAll "a.*b|a" .s -1 | len }}'],
    ['large repetitions', '{{ regexMatch ".{1000}.{1000}.{1000}b" .s }}'],
    ['many patterns made of data', '{{ range until 5000 }}{{ regexMatch (printf "\\\\pL{1000}%d" .) "a" }}{{ end }}'],
    ['growing replacements', '{{ regexReplaceAll "" (repeat 10000 "a") (repeat 100000 "b") }}'],
  ])('%s', (_, source) => {
    const error = caught(() => render(source, { s: long }))
    expect(error).toBeInstanceOf(TemplateExecError)
    expect((error as Error).cause).toBeUndefined()
  })

  it('nested repetitions are no danger, they take linear time', () => {
    expect(render('{{ regexMatch "(a*)*b" .s }}', { s: long })).toBe('false')
  })

  it('a long pattern', () => {
    const pattern = 'a'.repeat(1001)
    expect(() => compileTemplate(`{{ regexMatch "${pattern}" "a" }}`)).toThrow(/longer than the limit of 1000/)
    expect(() => render('{{ regexMatch .p "a" }}', { p: pattern })).toThrow(/longer than the limit of 1000/)
  })

  it('but leave room for headers of usual size', () => {
    const cookies = Array.from({ length: 100 }, (_, index) => `name${index}=value${index}`).join('; ')
    expect(render('{{ regexSplit ";\\\\s*" .c -1 | len }}', { c: cookies })).toBe('100')
  })
})
