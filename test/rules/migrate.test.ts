import { describe, expect, it } from 'vitest'
import { parseDocument } from '../../src/documents/document.ts'
import { migrateRule } from '../../src/rules/migrate.ts'
import { parseRules } from '../../src/rules/parse.ts'
import { ruleToJson } from '../../src/rules/rule.ts'
import { compareVersions, parseVersion, type Version } from '../../src/rules/semver.ts'
import { atOnce } from '../support/pace.ts'
import { parseText, ruleOf, soundRule } from './documents.ts'
import { vectors } from './vectors.ts'

describe('vectors: rule_migration', () => {
  it.each(vectors('rule_migration').map((vector) => [vector.id, vector] as const))('%s', (_, vector) => {
    const migrated = migrateRule(
      vector.when['rule'] as Record<string, unknown>,
      vector.given['binary_version'] as string,
    )
    // Brought to the current version of the format once more, it may not change but for that version.
    const { document } = parseDocument(JSON.stringify([{ ...migrated, version: undefined }]), 'rules.json')
    const parsed =
      document === undefined ? undefined : atOnce(parseRules(document, { strict: false, repository: 'rules.json' }))
    const [loaded] = parsed?.decoded === true ? parsed.rules : []
    const json = JSON.parse(
      loaded === undefined ? 'null' : ruleToJson({ ...loaded.rule, version: String(migrated['version']) }),
    ) as unknown
    expect(json).toMatchObject((vector.expect['rule_json'] ?? vector.expect['rule_json_subset']) as object)
  })
})

describe('migrateRule', () => {
  it('leaves a rule without version as it is, and names the version of the format', () => {
    expect(ruleOf(soundRule).rule.version).toBe('v26.2.0')
  })

  it('refuses the whole file when a version is none', () => {
    const parsed = parseText('- id: a\n- id: b\n  version: latest\n')
    expect(parsed).toMatchObject({ decoded: false, problem: { severity: 'error', place: { line: 3 } } })
  })

  it('counts 100 ms between the tries of a hydrator that does not say it', () => {
    const config = { retry: { number_of_retries: 3 } }
    const migrated = migrateRule({ version: '0.30.0', mutators: [{ handler: 'hydrator', config }] })
    expect(migrated['mutators']).toEqual([
      { handler: 'hydrator', config: { retry: { max_delay: '100ms', give_up_after: '300ms' } } },
    ])
  })
})

describe('versions', () => {
  it('are ordered as SemVer orders them', () => {
    const ordered = ['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0-rc.1', '1.0.0', 'v1.0.1', '1.2.0', '10.0.0+build'] // prettier-ignore
    const shuffled = ordered.toSorted()
    expect(shuffled.toSorted((a, b) => compareVersions(version(a), version(b)))).toEqual(ordered)
  })

  it.each(['', '1', '1.0', '01.0.0', '1.0.0-', '1.0.0+', 'vv1.0.0', '42'])('%j is none', (text) => {
    expect(parseVersion(text)).toBeUndefined()
  })
})

function version(text: string): Version {
  return parseVersion(text) ?? { numbers: [-1, -1, -1], prerelease: [] }
}
