/**
 * After a run of all tests: every case of test/vectors that Oathkeeper, the template languages, sessions and the catalogue of
 * attacks are judged by has been a test, by its id in the test's name. A case that nothing runs fails the run, as does one
 * that is excused without need.
 */
import { readFileSync } from 'node:fs'
import type { TestProject } from 'vitest/node'

interface Case {
  readonly id: string
  /** The catalogue of attacks says `class` instead. */
  readonly group?: string
}

/** Handlebars make no texts here: they stand in the strings of an object, where none of these questions comes up. */
const noText = 'Handlebars have no mode of texts'

/** Cases that cannot be a test. */
const excused: Readonly<Record<string, string>> = {
  'hb-default-escape': noText,
  'hb-triple': noText,
  'hb-json-helper-space': noText,
  'hb-text-quote-breaks': noText,
  'hb-non-strict-missing': noText,
  'hb-proto-access': noText,
  'hb-each-index': noText,
  'rel-045': 'takes an hour, and is done by hand',
}

const judged: Readonly<Record<string, (group: string | undefined) => boolean>> = {
  'oathkeeper.json': () => true,
  'templates.json': (group) => group !== 'jmespath',
  'security.json': () => true,
  'kratos.json': (group) => group === 'whoami_responses',
  'kratos-extra.json': () => true,
}

function casesOf(file: string): readonly Case[] {
  const content = JSON.parse(readFileSync(new URL(`../vectors/${file}`, import.meta.url), 'utf8')) as
    readonly Case[] | { readonly cases: readonly Case[] }
  return 'cases' in content ? content.cases : content
}

export default function census({ vitest }: TestProject): () => Promise<void> {
  return async () => {
    const modules = vitest.state.getTestModules()
    const all = await vitest.globTestSpecifications()
    // A part of the tests says nothing about the whole.
    const { watch, testNamePattern, project } = vitest.config
    if (watch || testNamePattern !== undefined || project.length > 0 || modules.length < all.length) return
    const run = new Set<string>()
    const names: string[] = []
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        if (test.result().state === 'skipped') continue
        names.push(test.fullName)
        for (const word of test.fullName.match(/[\w-]+/g) ?? []) run.add(word)
      }
    }
    // Most ids are words; those that are more stand in a name as they are.
    const isRun = (id: string): boolean => (/^[\w-]+$/.test(id) ? run.has(id) : names.some((name) => name.includes(id)))
    const faults: string[] = []
    for (const [file, isJudged] of Object.entries(judged)) {
      const cases = casesOf(file).filter(({ group }) => isJudged(group))
      const ids = cases.map(({ id }) => id)
      if (new Set(ids).size !== ids.length) faults.push(`${file} has ids that are not unique`)
      const missing = ids.filter((id) => !isRun(id) && !Object.hasOwn(excused, id))
      if (missing.length > 0) faults.push(`no test has run these cases of ${file}: ${missing.join(', ')}`)
    }
    const needless = Object.keys(excused).filter(isRun)
    if (needless.length > 0) faults.push(`excused, and run: ${needless.join(', ')}`)
    if (faults.length > 0) throw new Error(faults.join('\n'))
  }
}
