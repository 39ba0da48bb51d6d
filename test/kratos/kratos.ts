/** A real Kratos on the loopback interface, with SQLite in a folder of its own and nobody who sends mail. */
import path from 'node:path'
import { writeFileSync } from 'node:fs'
import { type Child, respondsOk, runChild, startChild, waitUntil } from '../../demo/child.ts'
import { freeBlock } from '../../demo/ports.ts'

export interface Kratos extends AsyncDisposable {
  readonly publicUrl: string
  readonly adminUrl: string
  /** What it calls itself in the URLs that it hands out. */
  readonly baseUrl: string
  readonly child: Child
}

export interface KratosOptions {
  /** Path of the executable. */
  readonly binary: string
  /** For its files; the caller removes it. */
  readonly folder: string
  /** Default: its own address. */
  readonly baseUrl?: string
  /** Where browsers are led: an origin. */
  readonly ui: string
  /** `session` of its config. */
  readonly session?: object
  readonly requiredAal?: 'aal1' | 'highest_available'
}

const identitySchema = {
  $id: 'https://example.com/person.schema.json',
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Person',
  type: 'object',
  properties: {
    traits: {
      type: 'object',
      properties: {
        email: {
          type: 'string',
          format: 'email',
          'ory.sh/kratos': {
            credentials: { password: { identifier: true }, totp: { account_name: true } },
            verification: { via: 'email' },
          },
        },
      },
      required: ['email'],
    },
  },
}

export async function startKratos(options: KratosOptions): Promise<Kratos> {
  const { binary, folder, ui, session = {} } = options
  const port = await freeBlock(2)
  const [publicUrl, adminUrl] = [`http://127.0.0.1:${port}/`, `http://127.0.0.1:${port + 1}/`]
  const baseUrl = options.baseUrl ?? publicUrl
  const page = (name: string): object => ({ ui_url: `${ui}/${name}` })
  writeFileSync(path.join(folder, 'identity.schema.json'), JSON.stringify(identitySchema))
  const config = path.join(folder, 'kratos.json')
  writeFileSync(
    config,
    JSON.stringify({
      version: 'v26.2.0',
      dsn: `sqlite://${path.join(folder, 'kratos.sqlite')}?_fk=true&mode=rwc`,
      serve: {
        public: { base_url: baseUrl, host: '127.0.0.1', port },
        admin: { base_url: adminUrl, host: '127.0.0.1', port: port + 1 },
      },
      selfservice: {
        default_browser_return_url: `${ui}/`,
        allowed_return_urls: [ui],
        methods: { password: { enabled: true }, totp: { enabled: true, config: { issuer: 'Test' } } },
        flows: {
          error: page('error'),
          login: page('login'),
          registration: page('registration'),
          settings: { ...page('settings'), required_aal: 'highest_available' },
          logout: { after: { default_browser_return_url: `${ui}/login` } },
        },
      },
      session: {
        ...session,
        whoami: { required_aal: options.requiredAal ?? 'highest_available', ...whoamiOf(session) },
      },
      secrets: { cookie: ['a-secret-of-thirty-two-characters'], cipher: ['another-secret-of-32-characters!'] },
      hashers: { algorithm: 'bcrypt', bcrypt: { cost: 4 } },
      identity: {
        default_schema_id: 'person',
        schemas: [{ id: 'person', url: `file://${path.join(folder, 'identity.schema.json')}` }],
      },
      courier: { smtp: { connection_uri: 'smtp://127.0.0.1:9/' } },
      log: { level: 'warning' },
    }),
  )
  const env = { PATH: process.env['PATH'], HOME: folder, SQA_OPT_OUT: 'true' }
  const args = ['--config', config]
  await runChild({
    name: 'Kratos’ migration',
    command: binary,
    args: ['migrate', 'sql', 'up', '-e', '--yes', ...args],
    env: { ...env, DSN: dsnOf(folder) },
  })
  const child = startChild({
    name: 'Kratos',
    command: binary,
    args: ['serve', '--dev', ...args],
    env,
    cwd: folder,
    logs: folder,
    onEnd: (message) => process.stderr.write(`${message}\n`),
  })
  try {
    await waitUntil('Kratos', child, () => respondsOk(`${adminUrl}health/ready`))
  } catch (error) {
    await child.stop()
    throw error
  }
  return { publicUrl, adminUrl, baseUrl, child, [Symbol.asyncDispose]: () => child.stop() }
}

const dsnOf = (folder: string): string => `sqlite://${path.join(folder, 'kratos.sqlite')}?_fk=true&mode=rwc`

const whoamiOf = (session: object): object => (session as { readonly whoami?: object }).whoami ?? {}
