/** Every YAML block of the guides is a config or a list of rules; each is laid over one whole setup and has to be accepted. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { cli } from '../cli/run.ts'
import { root, text } from '../deploy/files.ts'

/** The extensions are tried by a test of their own. */
const guides = readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md') && name !== 'extensions.md')

interface Block {
  readonly guide: string
  readonly line: number
  readonly source: string
}

const blocks: Block[] = guides.flatMap((guide) =>
  [...text(`docs/${guide}`).matchAll(/^```yaml\n(?<source>[^]*?)^```$/gmu)].map((match) => ({
    guide,
    line: text(`docs/${guide}`).slice(0, match.index).split('\n').length,
    source: match.groups?.['source'] ?? '',
  })),
)

const isRules = ({ source }: Block): boolean => Array.isArray(parse(source))
const rulesOf = (guide: string): Block[] => blocks.filter((block) => block.guide === guide && isRules(block))
const configsOf = (guide: string): Block[] => blocks.filter((block) => block.guide === guide && !isRules(block))

let directory: string
const file = (name: string): string => path.join(directory, name)

const repositories = (): string => `access_rules: { repositories: ['file://${file('rules.yaml')}'] }\n`

/** All that the guides take for granted: handlers are enabled, and there is a key. */
const ground = (): string => `
profile: secure
serve: { proxy: { port: 0 }, api: { port: 0 }, prometheus: { port: 0 } }
${repositories()}authenticators:
  noop: { enabled: true }
  anonymous: { enabled: true }
  cookie_session: { enabled: true, config: &session { check_session_url: 'http://127.0.0.1:9/', subject_from: identity.id, extra_from: '@this' } }
  bearer_token: { enabled: true, config: *session }
authorizers: { allow: { enabled: true } }
mutators:
  noop: { enabled: true }
  header: { enabled: true, config: { headers: {} } }
  id_token: { enabled: true, config: { issuer_url: 'https://app.example.com', jwks_url: 'file://${file('id_token.json')}' } }
errors:
  fallback: [json]
  handlers: { json: { enabled: true }, redirect: { enabled: true, config: { to: '/' } } }
`

const anyRule = `
- id: any
  match: { url: 'http://app.example.com/<.*>', methods: [GET] }
  authenticators: [{ handler: cookie_session }]
  authorizer: { handler: allow }
  mutators: [{ handler: id_token }]
  upstream: { url: 'http://127.0.0.1:9' }
`

/** As Kratos answers /sessions/whoami. */
const session = {
  id: '7e1f3c52-1b3c-4d0e-9a55-3f8b8b7d2c10',
  active: true,
  expires_at: '2999-01-01T00:00:00Z',
  authenticator_assurance_level: 'aal1',
  identity: {
    id: 'a11ce000-0000-4000-8000-000000000001',
    traits: { email: 'alice@example.com', name: { first: 'Alice', last: 'Liddell' } },
    metadata_public: { role: 'admin' },
  },
}

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'mintkeeper-docs-'))
  writeFileSync(file('ground.yaml'), ground())
  writeFileSync(file('whoami.json'), JSON.stringify(session))
  for (const name of ['admin_token', 'hook_token']) writeFileSync(file(`secret_${name}`), 'a token that is long enough')
  copyFileSync(path.join(root, 'examples/claims/kratos/hasura.jsonnet'), file('hasura.jsonnet'))
  await cli(['credentials', 'generate', '--alg', 'ES256', '--out', file('id_token.json')])
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Arguments that name the ground and a block over it; paths that are relative to the reader's folder lie in the test's. */
function setUp(block: Block): readonly string[] {
  const here = ({ source }: Block): string =>
    source.replaceAll('file://./', `file://${directory}/`).replaceAll('/run/secrets/', `${directory}/secret_`)
  const layers = isRules(block) ? configsOf(block.guide) : [block]
  // A config's own rules stand in the same guide.
  const [own] = block.source.includes('file://./rules.yaml') ? rulesOf(block.guide) : []
  writeFileSync(file('rules.yaml'), isRules(block) ? here(block) : (own?.source ?? anyRule))
  // Whatever a guide says of repositories, the rules that are looked at are the block's.
  const names = [...layers.map(here), ...(isRules(block) ? [repositories()] : [])].map((layer, index) => {
    writeFileSync(file(`layer${index}.yaml`), layer)
    return file(`layer${index}.yaml`)
  })
  return [file('ground.yaml'), ...names].flatMap((name) => ['-c', name])
}

/** What the guides leave to the environment. */
const secrets = { DATABASE_PASSWORD: 'secret', REDIS_PASSWORD: 'secret' }

/** Globs are told from regular expressions by how they look. */
const strategyOf = (source: string): { ACCESS_RULES_MATCHING_STRATEGY?: string } =>
  /<\*\*>|<\{/u.test(source) ? { ACCESS_RULES_MATCHING_STRATEGY: 'glob' } : {}

describe('the guides', () => {
  it('have snippets', () => {
    expect(new Set(blocks.map(({ guide }) => guide))).toContain('getting-started.md')
    expect(blocks.length).toBeGreaterThan(12)
  })

  it.each(blocks)('$guide:$line is accepted', async (block) => {
    const result = await cli(['validate', ...setUp(block)], { ...secrets, ...strategyOf(block.source) })
    expect(result).toEqual({ exitCode: 0, out: expect.stringMatching(/^ok: /u), err: '' })
  })

  it.each(blocks.filter(({ guide }) => guide === 'claims.md'))('$guide:$line makes a token', async (block) => {
    const url = 'http://app.example.com/'
    const { exitCode, out } = await cli(['explain', 'GET', url, '--session', file('whoami.json'), ...setUp(block)])
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: expect.stringContaining('allowed by rule any') })
    const { claims } = (parse(block.source) as { mutators: { id_token: { config: { claims: string | object } } } })
      .mutators.id_token.config
    const names = typeof claims === 'string' ? ['aud', 'role', 'email', 'session'] : Object.keys(claims)
    expect(names.filter((name) => !out.includes(`"${name}"`))).toEqual([])
  })

  it.each(guides)('%s links only to what is there', (guide) => {
    const links = [...text(`docs/${guide}`).matchAll(/\]\((?<target>[^)]+)\)/gu)].map(
      ({ groups }) => groups?.['target'] ?? '',
    )
    const missing = links.filter((link) => {
      const [target = '', anchor] = link.split('#')
      if (/^https?:/u.test(target)) return false
      const linked = path.join(root, 'docs', target === '' ? guide : target)
      return !existsSync(linked) || (anchor !== undefined && !headings(linked).includes(anchor))
    })
    expect(missing).toEqual([])
  })
})

/** As GitHub makes anchors of them. */
const headings = (linked: string): string[] =>
  [...readFileSync(linked, 'utf8').matchAll(/^#+ (?<title>.*)$/gmu)].map(({ groups }) =>
    (groups?.['title'] ?? '')
      .toLowerCase()
      .replaceAll(/[^\w -]/gu, '')
      .replaceAll(' ', '-'),
  )
