import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compileTemplate,
  type GoRecord,
  TemplateExecError,
  TemplateSyntaxError,
} from '../../../src/languages/gotemplate/index.ts'

const render = (source: string, data: GoRecord = {}): string => compileTemplate(source).render(data)
const meets = (version: string, constraint: string): boolean =>
  render('{{ semverCompare .c .v }}', { c: constraint, v: version }) === 'true'

// Expected values are what Masterminds/semver 3.3.0 says.
describe('versions', () => {
  it.each([
    ['{{ semver "v1.2" }}', '1.2.0'],
    ['{{ semver "01.2.3-rc.1+b.5" }}', '1.2.3-rc.1+b.5'],
    [
      '{{ with semver "v1.2.3-rc.1+b.5" }}{{ .Major }} {{ .Minor }} {{ .Patch }} {{ .Prerelease }} {{ .Metadata }} {{ .Original }}{{ end }}',
      '1 2 3 rc.1 b.5 v1.2.3-rc.1+b.5',
    ],
    ['{{ with semver "1.2.3" }}{{ .IncPatch }} {{ .IncMinor }} {{ .IncMajor }}{{ end }}', '1.2.4 1.3.0 2.0.0'],
    ['{{ (semver "1.2.3-rc").IncPatch }} {{ (semver "v1.2.3").IncPatch.String }}', '1.2.3 1.2.4'],
    [
      '{{ (semver "1.2.3+b").SetPrerelease "rc.1" }} {{ (semver "1.2.3-a").SetMetadata "m" }}',
      '1.2.3-rc.1+b 1.2.3-a+m',
    ],
    [
      '{{ (semver "1.2.3").Compare (semver "1.10.0") }} {{ (semver "1.0.0").GreaterThan (semver "1.0.0-rc") }}',
      '-1 true',
    ],
    ['{{ (semver "1.0.0+a").Equal (semver "1.0.0+b") }} {{ (semver "1").LessThan (semver "2") }}', 'true true'],
    [
      '{{ semver "1" | toJson }} {{ typeOf (semver "1") }} {{ (semver "1").IncMajor | typeOf }}',
      '"1.0.0" *semver.Version semver.Version',
    ],
    ['{{ eq (semver "3.1").Major 3 }}', 'true'],
  ])('%s', (source, expected) => {
    expect(render(source)).toBe(expected)
  })

  it.each(['', 'a', '1.2.3.4', '1.2.3-', '1.2.3-01', 'V1', ' 1', '1-a..b', `1.0.0-${'a'.repeat(300)}`])(
    'refuse %j',
    (version) => {
      expect(() => render('{{ semver .v }}', { v: version })).toThrow(TemplateExecError)
    },
  )

  it('are only compared with versions', () => {
    expect(() => render('{{ (semver "1").Compare "1" }}')).toThrow(TemplateExecError)
  })
})

describe('constraints', () => {
  it.each([
    ['1.2.3', ['1.2.3', 'v1.2.3', '1.2.3+b'], ['1.2.4', '1.2.3-rc']],
    ['1.2', ['1.2.0', '1.2.9'], ['1.3.0', '1.2.3-rc']],
    ['*', ['0.0.1', '9.9.9'], ['1.0.0-rc']],
    ['>=1.2, <2', ['1.2.0', '1.9.9'], ['2.0.0', '1.1.9']],
    ['>= 1.2 < 2 || =>4', ['1.3.0', '4.0.0'], ['3.0.0']],
    ['1.0 - 2.0', ['1.0.0', '2.0.9'], ['2.1.0', '0.9.0']],
    ['>1', ['2.0.0'], ['1.0.0', '1.9.9']],
    ['>1.2', ['1.3.0', '2.0.0'], ['1.2.9']],
    ['<=1', ['1.9.9', '0.1.0'], ['2.0.0']],
    ['!=1.2.x', ['1.3.0', '2.0.0'], ['1.2.0', '1.3.0-rc']],
    ['!=1.2.3', ['1.2.4', '1.2.3-rc'], ['1.2.3']],
    ['!=1', ['2.1.0'], ['1.2.0']],
    ['~1.2.3', ['1.2.3', '1.2.9'], ['1.3.0', '1.2.2']],
    ['~>1', ['1.0.0', '1.9.0'], ['2.0.0']],
    ['~0.0.0', ['7.0.0'], ['1.0.0-rc']],
    ['^1.2.3', ['1.2.3', '1.9.0'], ['2.0.0', '1.2.2']],
    ['^0.2.3', ['0.2.9'], ['0.3.0']],
    ['^0.0.1', ['0.0.1'], ['0.0.2']],
    ['^0.0', ['0.0.7'], ['0.1.0']],
    ['^0', ['0.9.0'], ['1.0.0']],
    ['>=1.2.3-0', ['1.2.3-alpha', '2.0.0-rc'], ['1.2.2']],
  ])('%s', (constraint, met, unmet) => {
    expect(met.filter((version) => !meets(version, constraint))).toEqual([])
    expect(unmet.filter((version) => meets(version, constraint))).toEqual([])
  })

  it.each(['', 'a', '>=', '1,', ',1', '>1<2', '== 1', '1.2.3.4', '1 || ', '>1 - 2'])('refuse %j', (constraint) => {
    expect(() => compileTemplate(`{{ semverCompare ${JSON.stringify(constraint)} .v }}`)).toThrow(TemplateSyntaxError)
    expect(() => render('{{ semverCompare .c "1.0.0" }}', { c: constraint })).toThrow(TemplateExecError)
  })

  it('agree with the order of versions', () => {
    const part = fc.integer({ min: 0, max: 12 })
    const version = fc.tuple(part, part, part).map((parts) => parts.join('.'))
    const order = compileTemplate('{{ (semver .a).Compare (semver .b) }}')
    fc.assert(
      fc.property(version, version, (a, b) => {
        const compared = Number(order.render({ a, b }))
        expect([meets(a, `<${b}`), meets(a, `=${b}`), meets(a, `>${b}`)]).toEqual([
          compared < 0,
          compared === 0,
          compared > 0,
        ])
        expect(meets(a, `!=${b}`)).toBe(compared !== 0)
      }),
    )
  })
})
