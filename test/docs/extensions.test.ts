/** Every snippet of docs/extensions.md is a config or a rule file that loads without a problem. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { generateKeySet } from '../../src/tokens/generate.ts'
import { loadGateway } from '../support/gateway.ts'

const text = readFileSync(path.join(import.meta.dirname, '..', '..', 'docs', 'extensions.md'), 'utf8')
const sections = text
  .split(/^## /m)
  .slice(1)
  .map((section) => ({
    title: section.slice(0, section.indexOf('\n')),
    snippets: [...section.matchAll(/```yaml\n# (\S+)\n([^]*?)```/g)].map(([, file = '', yaml = '']) => ({
      file,
      yaml,
    })),
  }))

const folder = mkdtempSync(path.join(tmpdir(), 'mintkeeper-docs-'))
let jwks = ''

beforeAll(async () => {
  jwks = `base64://${Buffer.from(JSON.stringify(await generateKeySet({ alg: 'ES256' }))).toString('base64')}`
  for (const name of ['ca', 'client']) {
    const files = ['-keyout', path.join(folder, `${name}.key`), '-out', path.join(folder, `${name}.pem`)]
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`]
    execFileSync('openssl', ['req', '-x509', ...kind, ...files], { stdio: 'ignore' })
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const on = (config?: object): object => ({ enabled: true, ...(config !== undefined && { config }) })

/** A config in which every handler of the snippets is on. */
const surroundings = (): object => ({
  authenticators: {
    anonymous: on(),
    bearer_token: on({ check_session_url: 'http://127.0.0.1:9/', preserve_path: true }),
    cookie_session: on({ check_session_url: 'http://127.0.0.1:9/', preserve_path: true }),
  },
  authorizers: { allow: on(), remote_json: on({ remote: 'http://127.0.0.1:9/', payload: '{}' }) },
  mutators: {
    noop: on(),
    header: on({ headers: {} }),
    cookie: on({ cookies: {} }),
    hydrator: on({ api: { url: 'http://127.0.0.1:9/' } }),
    id_token: on({ issuer_url: 'https://example.com', jwks_url: jwks }),
  },
})

describe('docs/extensions.md', () => {
  it.each(sections)('$title', async ({ snippets }) => {
    const contents = snippets.map(({ file, yaml }) => {
      const content: unknown = parse(yaml.replaceAll('/etc/mintkeeper', folder))
      return { file, content }
    })
    expect(contents.length).toBeGreaterThan(0)
    const configs = contents.filter(({ file }) => file === 'mintkeeper.yaml').map(({ content }) => content as object)
    const rules = contents.filter(({ file }) => file === 'rules.yaml').map(({ content }) => content as object[])
    expect(configs.length + rules.length).toBe(contents.length)
    await using test = await loadGateway({
      config: Object.assign(surroundings(), ...configs) as object,
      rules: rules.flat(),
    })
    expect(test.gateway.problems).toEqual([])
  })
})
