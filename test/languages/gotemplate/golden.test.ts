import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compileTemplate } from '../../../src/languages/gotemplate/index.ts'
import { goSession, type SessionData } from './session.ts'

const folder = new URL('golden/', import.meta.url)
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8')
const session = JSON.parse(read('session.json')) as SessionData
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.tmpl'))
  .map((name) => name.slice(0, -'.tmpl'.length))

/** Each template's output beside it was written by Go's text/template with sprig 3.3.0. */
describe('golden templates', () => {
  it.each(names)('%s renders as in Go', (name) => {
    expect(compileTemplate(read(`${name}.tmpl`)).render(goSession(session))).toBe(read(`${name}.out`))
  })

  it.each(names.filter((name) => name.startsWith('claims')))('%s renders the same as JSON output', (name) => {
    const claims = compileTemplate(read(`${name}.tmpl`), { output: 'json' }).render(goSession(session))
    expect(JSON.parse(claims)).toEqual(JSON.parse(read(`${name}.out`)))
  })
})
