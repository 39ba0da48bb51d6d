import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateKeySet } from '../../src/tokens/generate.ts'
import { cli, folder, writeGateway, type Folder, type Result } from './run.ts'

const examples = fileURLToPath(new URL('../../examples/claims/kratos/', import.meta.url))
const session = `${examples}whoami.json`
const golden = (name: string): string => readFileSync(new URL(`golden/claims-${name}.txt`, import.meta.url), 'utf8')

let files: Folder
let config: string

beforeAll(async () => {
  files = folder()
  files.write('keys.json', await generateKeySet({ alg: 'ES256' }))
  const templates = {
    mapper: { jwks_url: `file://${files.file('keys.json')}`, claims_mapper_url: `file://${examples}postgrest.jsonnet` },
    object: { jwks_url: `file://${files.file('keys.json')}`, claims: { mail: '{{extra.identity.traits.email}}' } },
  }
  config = writeGateway(files, {
    kratos: { public_url: 'http://127.0.0.1:4433/' },
    session: { whoami: { tokenizer: { templates } } },
    mutators: {
      noop: { enabled: true },
      header: { enabled: true, config: { headers: {} } },
      id_token: { enabled: true, config: { template: 'mapper' } },
    },
  })
})
afterAll(() => files[Symbol.dispose]())

const test = (template: string, ...args: readonly string[]): Promise<Result> =>
  cli(['claims', 'test', template, '--session', session, ...args])

/** Times and ids differ from run to run. */
const still = (out: string): string =>
  out.replaceAll(/"(exp|iat|nbf)": \d{10}/g, '"$1": 0').replaceAll(/"jti": "[0-9a-f-]{36}"/g, '"jti": "…"')

describe('claims test', () => {
  it.each([
    ['hasura', `${examples}hasura.jsonnet`, []],
    ['postgrest', `${examples}postgrest.jsonnet`, []],
    ['session', `${examples}session.jsonnet`, ['--issuer', 'https://id.example/', '--ttl', '5m']],
    ['handlebars', '$handlebars', []],
    ['go', '$go', ['--profile', 'oathkeeper']],
    ['config', 'mapper', ['-c', '$config']],
    ['config-object', 'object', ['-c', '$config']],
  ] as const)('%s', async (name, template, args) => {
    const files$: Readonly<Record<string, string>> = {
      $config: config,
      $handlebars: files.write(
        'claims.yaml',
        'role: user\nname: "{{extra.identity.traits.name.first}}"\nroles: "{{extra.identity.metadata_public.roles}}"\n',
      ),
      $go: files.write(
        'claims.tmpl',
        '{"mail": "{{ .Extra.identity.traits.email }}", "nick": "{{ print .Extra.identity.traits.nick }}"}',
      ),
    }
    const real = (text: string): string => files$[text] ?? text
    const { exitCode, out, err } = await test(real(template), ...args.map(real))
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    expect(still(out)).toBe(golden(name))
  })

  it('says what a session lacks', async () => {
    const template = files.write('broken.jsonnet', "{ claims: { a: std.extVar('session').identity.traits.nick } }")
    const { exitCode, out, err } = await test(template)
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: '' })
    expect(err).toContain('broken.jsonnet:1:54: there is no field nick')
  })

  it('shows a session that has ended as if it had not', async () => {
    const old = files.write('old.json', {
      id: 's',
      active: true,
      expires_at: '2020-01-01T00:00:00Z',
      identity: { id: 'a' },
    })
    const template = files.write('a.yaml', 'a: 1')
    const { exitCode, err } = await cli(['claims', 'test', template, '--session', old])
    expect({ exitCode, err }).toEqual({
      exitCode: 0,
      err: `note: The session in ${old} has ended; the claims are shown as if it had not\n`,
    })
  })

  it('shows where a template is wrong', async () => {
    const jsonnet = await test(files.write('wrong.jsonnet', '{\n  claims: nothing,\n}'))
    expect(jsonnet).toMatchObject({ exitCode: 1, err: expect.stringContaining('wrong.jsonnet:2:11') as string })
    const yaml = await test(files.write('wrong.yaml', 'a: 1\nb: "{{#if}}"\n'))
    expect(yaml).toMatchObject({ exitCode: 1, err: expect.stringContaining('wrong.yaml:2:4: error') as string })
    const go = await test(files.write('wrong.tmpl', '{"a": {{ if }}}'))
    expect(go).toMatchObject({ exitCode: 1, err: expect.stringContaining('wrong.tmpl: error') as string })
  })

  it.each<[string, readonly string[], string]>([
    ['nothing of that name', ['nope'], 'There is no file nope'],
    ['a name that the config has not', ['maper', '-c', '$config'], 'Did you mean mapper?'],
    ['a lifetime that is none', [`${examples}hasura.jsonnet`, '--ttl', 'long'], '--ttl must be a duration'],
    ['a profile that is none', [`${examples}hasura.jsonnet`, '--profile', 'x'], '--profile must be'],
  ])('%s is wrong usage', async (_name, [template = '', ...args], message) => {
    const { exitCode, err } = await test(template, ...args.map((arg) => (arg === '$config' ? config : arg)))
    expect(exitCode).toBe(2)
    expect(err).toContain(message)
  })
})

describe('explain', () => {
  it('shows the claims of a template', async () => {
    const rule = {
      id: 'api',
      match: { url: 'http://app.example/api', methods: ['GET'] },
      authenticators: [{ handler: 'cookie_session' }],
      authorizer: { handler: 'allow' },
      mutators: [{ handler: 'id_token' }],
      upstream: { url: 'http://127.0.0.1:9' },
    }
    files.write('rules.yaml', [rule])
    const { exitCode, out } = await cli([
      'explain',
      'GET',
      'http://app.example/api',
      '-c',
      config,
      '--session',
      session,
    ])
    expect(exitCode).toBe(0)
    expect(still(out).replaceAll(/eyJ\S+ \(\d+ characters\)/g, '…')).toBe(golden('explained'))
  })
})
