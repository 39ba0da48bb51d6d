import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { mintkeeper, root, text, yaml } from '../deploy/files.ts'

const withCommand = ['claims', 'hasura', 'postgrest', 'forward-auth'] as const

describe.each(withCommand)('examples/%s', (name) => {
  it('makes a key and accepts its config and rules, by the command of its README', async () => {
    const cwd = mkdtempSync(path.join(tmpdir(), 'mintkeeper-example-'))
    try {
      cpSync(path.join(root, 'examples', name), cwd, { recursive: true })
      const command = /^mintkeeper (?<make>(?:credentials|jwks) .*) && mintkeeper serve (?<files>-c .*)$/mu.exec(
        text(`examples/${name}/README.md`),
      )
      const { make = '', files = '' } = command?.groups ?? {}
      expect(await mintkeeper(make.split(' '), { cwd })).toMatchObject({ exitCode: 0, out: '' })
      const { exitCode, out, err } = await mintkeeper(['validate', ...files.split(' ')], { cwd })
      expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
      expect(out).toMatch(/ 1 signing key set, profile secure$/mu)
    } finally {
      rmSync(cwd, { recursive: true, force: true })
    }
  })

  it('has one thing to try', () => {
    expect(text(`examples/${name}/README.md`).match(/^curl /gmu)).toHaveLength(1)
  })
})

describe('examples/kratos-quickstart', () => {
  it("gives Oathkeeper's service another program and leaves the rest", () => {
    const { services } = yaml('examples/kratos-quickstart/mintkeeper.compose.yml') as {
      services: Record<string, Record<string, unknown>>
    }
    expect(Object.keys(services)).toEqual(['oathkeeper'])
    expect(Object.keys(services['oathkeeper'] ?? {})).toEqual(['image', 'build', 'command'])
    expect(services['oathkeeper']?.['command']).toEqual(['serve', '-c', '/etc/config/oathkeeper/oathkeeper.yml'])
  })
})

describe('examples/README.md', () => {
  it('links only to what is there', () => {
    const file = path.join(root, 'examples', 'README.md')
    const links = [...readFileSync(file, 'utf8').matchAll(/\]\((?<target>[^)#]+)/gu)].map(
      ({ groups }) => groups?.['target'] ?? '',
    )
    expect(links.length).toBeGreaterThan(4)
    expect(links.filter((target) => !existsSync(path.join(root, 'examples', target)))).toEqual([])
  })
})
