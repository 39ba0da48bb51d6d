import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type CompileOptions,
  compileTemplate,
  type GoRecord,
  TemplateExecError,
  TemplateSyntaxError,
} from '../../../src/languages/gotemplate/index.ts'
import { goSession } from './session.ts'

const render = (source: string, data: GoRecord = {}, options: CompileOptions = {}): string =>
  compileTemplate(source, options).render(data)

const strict = (source: string, data: GoRecord): string => render(source, data, { missingField: 'error' })

function caught(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

describe('mistakes in a template', () => {
  it.each([
    ['{{ nope }}', 4, 'function "nope" not defined'],
    ['{{ if }}x{{ end }}', 7, 'missing value for if'],
    ['{{ if true }}x', 4, 'unexpected EOF: {{if}} has no {{end}}'],
    ['{{ end }}', 10, 'unexpected {{end}}: there is no block to close'],
    ['{{ .a-b }}', 6, "bad character U+002D '-': to read such a key, use index"],
    ['{{ "x', 4, 'unterminated quoted string'],
    ['{{ .x', 6, 'unclosed action: an action ends with }}'],
    ['{{ (1 }}', 7, 'unclosed left paren'],
    ['{{ $x }}', 4, 'undefined variable "$x"'],
    ['{{ break }}', 4, '{{break}} outside {{range}}'],
    ['{{ template "a" }}', 4, 'template "a" not defined'],
    ['{{ print 1 2 }}', 4, 'wrong number of args for print: want 1 got 2'],
    ['{{ upper 1 }}', 10, 'expected string; found 1'],
    ['{{ 1 | 2 }}', 8, 'non executable command in pipeline stage 2'],
  ])('%s', (source, column, reason) => {
    const error = caught(() => compileTemplate(source))
    expect(error).toBeInstanceOf(TemplateSyntaxError)
    expect(error).toMatchObject({ line: 1, column, reason })
  })

  it('are located by line', () => {
    expect(caught(() => compileTemplate('a\nb\n  {{ nope }}'))).toMatchObject({ line: 3, column: 6 })
  })

  it('never escape as another error', () => {
    const parts = [
      '{{',
      '}}',
      '{{-',
      ' -}}',
      'if',
      'range',
      'end',
      'else',
      '.x',
      '$x',
      ':=',
      '=',
      '|',
      '(',
      ')',
      '"a"',
      '1',
      ' ',
      'print',
      'with',
      'define',
      ',',
      'nil',
      '/*',
      '*/',
      'break',
      'x',
      '`',
      "'",
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 20 }), (tokens) => {
        const error = caught(() => compileTemplate(tokens.join(' ')).render({ x: [1, 'a', null] }))
        const known = error === undefined || error instanceof TemplateSyntaxError || error instanceof TemplateExecError
        expect(known ? undefined : error).toBeUndefined()
      }),
      { numRuns: 1000 },
    )
  })
})

describe('unsafe functions', () => {
  it.each(['env', 'expandenv', 'getHostByName', 'genPrivateKey', 'bcrypt', 'htpasswd', 'derivePassword'])(
    '%s is refused with the reason',
    (name) => {
      expect(() => compileTemplate(`{{ ${name} "x" }}`)).toThrow(`function "${name}" is refused`)
    },
  )

  it('env and expandenv can be enabled, with an environment of their own', () => {
    const options = {
      functions: ['env', 'expandenv'],
      host: { env: (name: string) => (name === 'HOME' ? '/h' : undefined) },
    }
    expect(render('{{ env "HOME" }} {{ env "NO" }} {{ expandenv "$HOME/${HOME}$NO" }}', {}, options)).toBe('/h  /h//h')
    expect(compileTemplate('{{ env "HOME" }}', options).volatile).toBe(true)
  })
})

describe('missing fields as errors', () => {
  const data = { a: { b: 'x', n: null }, flag: false }

  it.each([
    ['{{ .a.c }}', '.a.c'],
    ['{{ print .a.c }}', '.a.c'],
    ['{{ .a.c | toJson }}', '.a.c'],
    ['{{ index .a "c" }}', 'index .a "c"'],
    ['{{ $x := .a.c }}{{ $x }}', '.a.c'],
    ['{{ (.nope).c }}', '.nope.c'],
    ['{{ or .nope .a.c }}', '.a.c'],
    ['{{ with .a }}{{ .c }}{{ end }}', '.c'],
    ['{{ .nope.c }}', '.nope.c'],
    ['{{ list .a.c }}', '.a.c'],
    ['{{ dict "k" .a.c | toJson }}', '.a.c'],
    ['{{ default .a.c .nope }}', '.a.c'],
  ])('%s names the field', (source, field) => {
    const error = caught(() => strict(source, data))
    expect(error).toBeInstanceOf(TemplateExecError)
    expect(error).toMatchObject({ field })
  })

  it.each([
    ['{{ .a.c | default "d" }}', 'd'],
    ['{{ coalesce .a.c "d" }}', 'd'],
    ['{{ or .a.c "d" }}', 'd'],
    ['{{ if .a.c }}x{{ else }}d{{ end }}', 'd'],
    ['{{ with .a.c }}{{ . }}{{ else }}d{{ end }}', 'd'],
    ['{{ if hasKey .a "c" }}{{ .a.c }}{{ else }}d{{ end }}', 'd'],
    ['{{ get .a "c" }}', ''],
    ['{{ range .a.c }}x{{ end }}', ''],
    ['{{ (.a.c).d | default "d" }}', 'd'],
    ['{{ if eq .a.c "x" }}x{{ else }}d{{ end }}', 'd'],
    ['{{ .a.n | toJson }}', 'null'],
    ['{{ .flag }}', 'false'],
  ])('%s has a default', (source, output) => {
    expect(strict(source, data)).toBe(output)
  })

  it('never writes <no value>', () => {
    expect(() => strict('{{ .a.n }}', data)).toThrow(/is null/)
  })
})

describe('what a template reads', () => {
  it.each([
    ['{{ .Subject }}', [['Subject']]],
    ['{{ .Extra.identity.id }}{{ .Extra.identity.id }}', [['Extra', 'identity', 'id']]],
    ['{{ .Extra.identity.id }}{{ .Extra | toJson }}', [['Extra']]],
    ['{{ $x := .Extra.identity }}{{ $x.id }}', [['Extra', 'identity', 'id']]],
    ['{{ with .Extra.a }}{{ .b }}{{ $.Subject }}{{ end }}', [['Extra', 'a'], ['Subject']]],
    ['{{ range .Extra.l }}{{ .x }}{{ end }}', [['Extra', 'l']]],
    ['{{ index .Extra "k" }}', [['Extra']]],
    ['{{ (.Extra.a).b }}', [['Extra', 'a', 'b']]],
    ['{{ .MatchContext.Header.Get "X" }}', [['MatchContext', 'Header']]],
    ['{{ toJson . }}{{ .a }}', [[]]],
    ['{{ define "t" }}{{ .id }}{{ end }}{{ template "t" .Extra }}', [['Extra', 'id']]],
    ['{{ define "t" }}{{ template "t" .n }}{{ end }}{{ template "t" .Extra }}', [['Extra', 'n']]],
    ['{{ $x := .a }}{{ range .l }}{{ $x.c }}{{ $x = .b }}{{ end }}', [['l'], ['a', 'c']]],
    ['text', []],
  ])('%s', (source, reads) => {
    expect(compileTemplate(source).reads).toEqual(reads)
  })

  it('covers every value that the output depends on', () => {
    const sources = [
      '{{ .a.b }}{{ .c }}',
      '{{ with .a }}{{ .b }}{{ else }}{{ $.c }}{{ end }}',
      '{{ $x := .a }}{{ $x.b | default .c }}',
      '{{ range .a }}{{ . }}{{ end }}{{ define "t" }}{{ .c }}{{ end }}{{ template "t" . }}',
      '{{ $x := .a }}{{ range until 2 }}{{ $x.b }}{{ $x = $.d }}{{ end }}',
      '{{ (index . "a").b }}',
      '{{ block "b" .a }}{{ .b }}{{ $.b }}{{ end }}',
    ]
    const value = fc.oneof(fc.constantFrom('', 'x'), fc.record({ b: fc.constantFrom('1', '2') }))
    const data = fc.record({ a: value, c: value, d: value })
    fc.assert(
      fc.property(fc.constantFrom(...sources), data, data, (source, one, other) => {
        const template = compileTemplate(source)
        const result = (input: GoRecord): unknown => {
          const failed: { output?: string } = {}
          const error = caught(() => (failed.output = template.render(input)))
          return error === undefined ? failed.output : 'error'
        }
        const read = (input: unknown): unknown[] =>
          template.reads.map((path) => path.reduce<unknown>((at, name) => Object(at)[name] as unknown, input))
        // equal in all that is read means equal in the output
        const same = JSON.stringify(read(one)) === JSON.stringify(read(other))
        expect(result(other) === result(one) || !same).toBe(true)
      }),
    )
  })

  it('knows which templates give another result each time', () => {
    expect(compileTemplate('{{ now.Unix }}').volatile).toBe(true)
    expect(compileTemplate('{{ if .x }}{{ (uuidv4) | upper }}{{ end }}').volatile).toBe(true)
    expect(compileTemplate('{{ .x | upper }}').volatile).toBe(false)
  })
})

describe('the data', () => {
  it('is never changed', () => {
    const data = { m: { a: 1 }, l: ['b', 'a'] }
    const before = structuredClone(data)
    render(
      '{{ set .m "b" 2 }}{{ set . "x" 1 }}{{ unset .m "a" }}{{ merge . (dict "y" 1) }}{{ sortAlpha .l }}{{ reverse .l }}',
      data,
    )
    expect(data).toEqual(before)
  })

  it('shows a change to the rest of the template', () => {
    const source = '{{ $_ := set .Extra "b" 2 }}{{ .Extra.b }}'
    expect(compileTemplate(source).render(goSession({ Extra: { a: 1 } }))).toBe('2')
  })

  it('has no keys that nobody put in', () => {
    const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf']
    for (const name of names) {
      expect(render(`{{ .${name} }}{{ hasKey . "${name}" }}{{ (dict).${name} }}`)).toBe('<no value>false<no value>')
    }
  })

  it('can have a key __proto__ like any other', () => {
    const source = '{{ $d := dict "__proto__" (dict "admin" true) }}{{ $d.admin }} {{ toJson $d }} {{ keys $d }}'
    expect(render(source)).toBe('<no value> {"__proto__":{"admin":true}} [__proto__]')
    const set =
      '{{ $d := fromJson "{}" }}{{ $_ := set $d "__proto__" (dict "admin" true) }}{{ $d.admin }} {{ toJson $d }}'
    expect(render(set)).toBe('<no value> {"__proto__":{"admin":true}}')
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined()
  })

  it('is read field by field, and only where the template asks', () => {
    const session = goSession({
      Subject: 's',
      get Extra(): never {
        throw new Error('not asked for')
      },
    })
    expect(compileTemplate('{{ .Subject }}').render(session)).toBe('s')
    const error = caught(() => compileTemplate('{{ .Extra.x }}').render(session))
    expect(error).toBeInstanceOf(TemplateExecError)
  })
})

describe('clock and random numbers', () => {
  const host = {
    now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    randomBytes: (length: number) => new Uint8Array(length),
  }

  it.each([
    ['{{ now.UTC.Format "2006-01-02T15:04:05.000Z07:00" }}', '2026-01-02T03:04:05.678Z'],
    [
      '{{ now.Unix }} {{ now.UTC.Year }} {{ now.UTC.Month }} {{ printf "%02d" now.UTC.Month }}',
      '1767323045 2026 January 01',
    ],
    ['{{ dateInZone "2006-01-02 15:04 MST" (now) "Europe/Berlin" }}', '2026-01-02 04:04 CET'],
    ['{{ (now.UTC.AddDate 0 1 30).Format "2006-01-02" }}', '2026-03-04'],
    ['{{ ago (dateModify "-90m" now) }}', '1h30m0s'],
    ['{{ uuidv4 }}', '00000000-0000-4000-8000-000000000000'],
    ['{{ randNumeric 3 }} {{ randInt 5 9 }}', '000 5'],
  ])('%s', (source, output) => {
    expect(render(source, {}, { host })).toBe(output)
  })
})
