/** Config, rules and key of the Mintkeeper that is measured. */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { generateKeySet } from '../src/tokens/generate.ts'

export interface MintkeeperPorts {
  readonly proxy: number
  readonly api: number
  readonly metrics: number
  readonly upstream: number
}

export interface MintkeeperOptions {
  readonly ports: MintkeeperPorts
  /** How many rules in all. */
  readonly rules: number
}

/** Writes the files into a new folder and returns the config's name. The access log is off, as nginx's is. */
export const writeMintkeeperConfig = async (
  folder: string,
  { ports: { proxy, api, metrics, upstream }, rules }: MintkeeperOptions,
): Promise<string> => {
  await mkdir(folder)
  const file = (name: string): string => path.join(folder, name)
  const rule = (id: string, authenticator: string, mutator: string, config?: object): object => ({
    id,
    match: { url: `http://127.0.0.1:${proxy}/${id}<**>`, methods: ['GET', 'POST'] },
    authenticators: [{ handler: authenticator, ...(config && { config }) }],
    authorizer: { handler: 'allow' },
    mutators: [{ handler: mutator }],
    upstream: { url: `http://127.0.0.1:${upstream}` },
  })
  const session = { check_session_url: `http://127.0.0.1:${upstream}/sessions/whoami`, subject_from: 'identity.id' }
  const config = {
    profile: 'secure',
    log: { level: 'error' },
    serve: {
      proxy: { host: '127.0.0.1', port: proxy },
      api: { host: '127.0.0.1', port: api },
      prometheus: { host: '127.0.0.1', port: metrics },
    },
    access_rules: { matching_strategy: 'glob', repositories: [`file://${file('rules.json')}`] },
    authenticators: {
      anonymous: { enabled: true },
      cookie_session: {
        enabled: true,
        config: { ...session, only: ['ory_kratos_session'], extra_from: '@this' },
      },
    },
    authorizers: { allow: { enabled: true } },
    mutators: {
      noop: { enabled: true },
      id_token: {
        enabled: true,
        config: {
          issuer_url: 'http://127.0.0.1/',
          jwks_url: `file://${file('key.json')}`,
          claims: { role: 'user', user: '{{subject}}' },
        },
      },
    },
    errors: { fallback: ['json'], handlers: { json: { enabled: true } } },
  }
  await writeFile(file('key.json'), JSON.stringify(await generateKeySet({ alg: 'ES256' })), { mode: 0o600 })
  const measured = [
    rule('public', 'anonymous', 'noop'),
    rule('token', 'anonymous', 'id_token'),
    rule('session', 'cookie_session', 'id_token', { cache: { enabled: false } }),
    rule('cold', 'cookie_session', 'id_token', { cache: { ttl: '1h' } }),
    rule('warm', 'cookie_session', 'id_token', { cache: { ttl: '1h' } }),
  ]
  const others = Array.from({ length: Math.max(0, rules - measured.length) }, (_, index) =>
    rule(`service-${index}`, 'cookie_session', 'id_token'),
  )
  await writeFile(file('rules.json'), JSON.stringify([...others, ...measured]))
  await writeFile(file('config.json'), JSON.stringify(config))
  return file('config.json')
}
