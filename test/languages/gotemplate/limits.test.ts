import { describe, expect, it } from 'vitest'
import {
  compileTemplate,
  type GoValue,
  type Limits,
  TemplateExecError,
  TemplateSyntaxError,
} from '../../../src/languages/gotemplate/index.ts'

const limited = (limits: Partial<Limits>, source: string) => (): string =>
  compileTemplate(source, { limits }).render({})

const nested = (depth: number): GoValue => {
  let value: GoValue = 'x'
  for (let level = 0; level < depth; level++) value = { a: [value] }
  return value
}

describe('hostile templates end at their limits', () => {
  it.each([
    ['recursion', '{{ define "T" }}{{ template "T" . }}{{ end }}{{ template "T" }}'],
    [
      'recursion through nested blocks',
      `{{ define "T" }}${'{{ if true }}'.repeat(90)}{{ template "T" . }}${'{{ end }}'.repeat(90)}{{ end }}{{ template "T" }}`,
    ],
    ['branching recursion', '{{ define "T" }}{{ template "T" . }}{{ template "T" . }}{{ end }}{{ template "T" }}'],
    ['a long list', '{{ until 1000000000 }}'],
    ['a long sequence', '{{ seq 0 9223372036854775807 }}'],
    ['a range over a large integer', '{{ range 1000000000 }}{{ end }}'],
    ['nested loops', '{{ range until 1000 }}{{ range until 1000 }}{{ range until 1000 }}{{ end }}{{ end }}{{ end }}'],
    ['a long repetition', '{{ repeat 1000000000 "x" }}'],
    ['a wide number', '{{ printf "%999999999d" 1 }}'],
    ['a width as argument', '{{ printf "%*d" 999999999 1 }}'],
    ['a precise number', '{{ printf "%.999999999f" 1.5 }}'],
    ['deep indentation', '{{ indent 1000000000 "x" }}'],
    ['doubling', `{{ $x := "xxxxxxxx" }}${'{{ $x = printf "%s%s" $x $x }}'.repeat(60)}`],
    ['growing replacement', `{{ $x := "aaaaaaaa" }}${'{{ $x = replace "a" "aaaaaaaa" $x }}'.repeat(20)}`],
    ['work on long texts', '{{ $x := repeat 1000000 "x" }}{{ range until 9000 }}{{ $y := upper $x }}{{ end }}'],
    ['long output', '{{ $x := repeat 100000 "x" }}{{ range until 100 }}{{ $x }}{{ end }}'],
    ['long random texts', '{{ randAlpha 1000000000 }}'],
    ['a map that contains itself, printed', '{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ $d }}'],
    ['a map that contains itself, encoded', '{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ toJson $d }}'],
    ['a map that contains itself, copied', '{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ deepCopy $d | len }}'],
    [
      'maps that contain themselves, compared',
      '{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ $e := dict }}{{ $_ := set $e "d" $e }}{{ deepEqual $d $e }}',
    ],
    ['a map merged into its own part', '{{ merge .em . }}{{ toJson . }}'],
    ['large squares of comparisons', '{{ $l := until 5000 }}{{ uniq $l | len }}'],
  ])('%s', (_, source) => {
    const template = compileTemplate(source)
    let error: unknown
    try {
      template.render({ em: {} })
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(TemplateExecError)
    // a cause would be a fault of the interpreter, such as the end of the stack
    expect((error as Error).cause).toBeUndefined()
  })

  it.each([
    ['parentheses', `{{ ${'('.repeat(50_000)}1${')'.repeat(50_000)} }}`],
    ['blocks', `${'{{ if true }}'.repeat(50_000)}${'{{ end }}'.repeat(50_000)}`],
    ['branches', `{{ if false }}${'{{ else if false }}'.repeat(50_000)}{{ end }}`],
    ['pipelines', `{{ 1 ${'| print '.repeat(50_000)}}}`],
    ['definitions', '{{ define "a" }}'.repeat(50_000)],
    ['block definitions', '{{ block "a" . }}'.repeat(50_000)],
  ])('deeply nested %s are refused when compiled', (_, source) => {
    expect(() => compileTemplate(source)).toThrow(TemplateSyntaxError)
  })

  it('bounds the stack at the deepest nesting that it accepts', () => {
    const parens = `{{ ${'('.repeat(190)}1${')'.repeat(190)} }}`
    expect(compileTemplate(parens).render({})).toBe('1')
    const blocks = `${'{{ range $.l }}{{ with $.x }}'.repeat(95)}y${'{{ end }}{{ end }}'.repeat(95)}`
    expect(compileTemplate(blocks).render({ l: [1], x: 1 })).toBe('y')
  })

  it.each(['{{ . }}', '{{ toJson . }}', '{{ deepCopy . | len }}', '{{ printf "%s" . }}', '{{ set . "x" 1 | len }}'])(
    'deep data: %s',
    (source) => {
      expect(() => compileTemplate(source).render(nested(20_000))).toThrow(TemplateExecError)
    },
  )

  it('takes other limits', () => {
    expect(limited({ output: 10 }, '12345678901')).toThrow(/output is longer than the limit of 10/)
    expect(limited({ operations: 10 }, '{{ range 20 }}{{ end }}')).toThrow(/limit of 10 steps/)
    expect(limited({ listLength: 3 }, '{{ until 4 }}')).toThrow(/limit of 3/)
    expect(limited({ width: 3 }, '{{ printf "%4d" 1 }}')).toThrow(/limit of 3/)
    expect(
      limited(
        { templateDepth: 1 },
        '{{ define "a" }}{{ template "b" }}{{ end }}{{ define "b" }}{{ end }}{{ template "a" }}',
      ),
    ).toThrow(/template depth \(1\)/)
    expect(limited({ nesting: 1 }, '{{ ((1)) }}')).toThrow(TemplateSyntaxError)
  })
})
