import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileTemplate, TemplateExecError } from '../../../src/languages/gotemplate/index.ts'

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

const render = (template: string, data: Record<string, Json>): string =>
  compileTemplate(template, { output: 'json' }).render(data)

const parsed = (template: string, data: Record<string, Json>): unknown => JSON.parse(render(template, data))

/** All paths of members and elements of a value, so that an added or renamed member shows. */
function paths(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null) return [prefix]
  return [prefix, ...Object.entries(value).flatMap(([key, inner]) => paths(inner, `${prefix}/${JSON.stringify(key)}`))]
}

/** A result, or that there is none. */
function outcome(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error instanceof TemplateExecError || error instanceof SyntaxError ? 'refused' : error
  }
}

const pieces = [
  '"',
  '\\',
  '\\"',
  '","role":"admin',
  '"}',
  '},{',
  '{"role":"admin"}',
  '\\u0022',
  '\u2028',
  '\ud800',
  '\udc00',
  '\n',
  '\0',
  ':',
  ',',
  ' ',
  '1',
  'null',
  '{{',
  'é😀',
  '</script>',
]

/** Strings that try to break out of the place they are put in. */
const hostile = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '\\', 'a'.repeat(5_000), '"'.repeat(5_000)),
)

/** Well-behaved data, whose result shows which paths the template itself has. */
const harmless = 'harmless'

const templates = [
  '{"a":"{{ .x }}","b":"{{ print .y }}","role":"user"}',
  '{"a":{{ .x | toJson }},"list":["{{ .y }}",{{ toRawJson .x }}],"role":"user"}',
  '{"a":"<{{ .x | upper }}|{{ .y | trunc 3 }}>","role":"user"}',
  '{"list":[{{ range $i, $v := .l }}{{ if $i }},{{ end }}"{{ $v }}"{{ end }}],"role":"user"}',
  '{"a":{{ dict "k" .x | toJson }},"b":{{ printf "%s" (toJson .y) }},"role":"user"}',
  '{{ define "t" }}"t":"{{ . }}"{{ end }}{ {{ template "t" .x }}, "o": { {{ template "t" .y }} }, "role":"user"}',
  '{"a":"{{ .x }}{{ .y }}\\n{{ .x }}","role":"user"}',
  '{ {{- $s := "" }}{{ range .l }}{{ $s }}"k{{ $s | len }}":"{{ . }}"{{ $s = "," }}{{ break }}{{ end -}} ,"role":"user"}',
]

describe('JSON output', () => {
  it.each(templates)('keeps the members that the template has: %s', (template) => {
    const own = paths(parsed(template, { x: harmless, y: harmless, l: [harmless, harmless] }))
    fc.assert(
      fc.property(hostile, hostile, (x, y) => {
        expect(paths(parsed(template, { x, y, l: [x, y] }))).toEqual(own)
      }),
    )
  })

  it('gives a value back unchanged from inside a string', () => {
    fc.assert(
      fc.property(hostile, (x) => {
        expect(parsed('{"a":"{{ .x }}"}', { x })).toEqual({ a: x })
      }),
    )
  })

  it('lets a value outside of a string be one JSON value or nothing', () => {
    const template = '{"a":{{ .x }},"role":"user"}'
    fc.assert(
      fc.property(hostile, (x) => {
        // whatever is no JSON value by itself is refused, and what is stays one value
        expect(outcome(() => parsed(template, { x }))).toEqual(
          outcome(() => ({ a: JSON.parse(x) as Json, role: 'user' })),
        )
      }),
    )
  })

  it('never lets a value that names a member take the place of another', () => {
    const [before, after] = ['{"role":"user",', ':1,"sub":"s"}']
    // The name is parsed by itself: V8's parser can take the name `"` for a name `\` that it met at this place before.
    const name = (x: string): unknown => {
      const text = render(`${before}"{{ .x }}"${after}`, { x })
      expect(text.startsWith(before) && text.endsWith(after)).toBe(true)
      return JSON.parse(text.slice(before.length, -after.length))
    }
    fc.assert(
      fc.property(fc.oneof(hostile, fc.constantFrom('role', 'sub', 'other')), (x) => {
        expect(outcome(() => name(x))).toEqual(x === 'role' || x === 'sub' ? 'refused' : x)
      }),
    )
  })

  it.each([
    ['a name in a string, escaped', '{"role":1,"\\u0072{{ .x }}":2}', 'ole'],
    ['a name as a value', '{"role":1,{{ .x | toJson }}:2}', 'role'],
    ['a name from a loop', '{ {{ range .l }}"{{ . }}" : 1, {{ end }}"role":"user"}', 'role'],
    ['a name with the colon in another text', '{"role":1,"{{ .x }}"{{ if true }} : {{ end }}2}', 'role'],
  ])('refuses a second member of the same name: %s', (_, template, x) => {
    expect(() => render(template, { x, l: [x] })).toThrow(/name of another member/)
  })

  it('refuses a value in the middle of an escape', () => {
    for (const template of ['{"a":"\\{{ .x }}"}', '{"a":"\\u00{{ .x }}"}']) {
      expect(() => render(template, { x: '"' })).toThrow(/escape sequence/)
    }
  })

  it.each(['', '1,2', '1 "b":2', '"a"}', '<no value>'])('refuses %j outside of a string', (x) => {
    expect(() => render('{"a":{{ .x }}}', { x })).toThrow(TemplateExecError)
  })

  it('takes constants of the template as they are', () => {
    const template = '{ {{ "\\"a\\":" }}1{{ $sep := "," }}{{ $sep }}{{ ternary "\\"b\\":2" "\\"c\\":3" .x }} }'
    expect(parsed(template, { x: true })).toEqual({ a: 1, b: 2 })
    expect(parsed(template, { x: false })).toEqual({ a: 1, c: 3 })
  })

  it('does not take a map of constants for constant once data is put into it', () => {
    const template = '{"a":1{{ $d := dict "k" "" }}{{ $_ := set $d "k" .x }}{{ get $d "k" }}}'
    expect(() => render(template, { x: ',"role":"admin"' })).toThrow(TemplateExecError)
  })

  it('does not take a variable for constant that is set to data anywhere', () => {
    const template = '{"a":1{{ $s := "" }}{{ if true }}{{ $s = .x }}{{ end }}{{ $s }}}'
    expect(() => render(template, { x: ',"role":"admin"' })).toThrow(TemplateExecError)
  })
})
