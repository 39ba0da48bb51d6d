/** Ory Oathkeeper, where MINTKEEPER_BENCH_OATHKEEPER names its binary: the same rule, session check and token. */
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { generateKeySet } from '../src/tokens/generate.ts'
import type { MintkeeperPorts } from './mintkeeper.ts'

export const oathkeeperBinary = process.env['MINTKEEPER_BENCH_OATHKEEPER'] ?? ''

/** Undefined when no binary is named, or it does not run. */
export const oathkeeperVersion = (): string | undefined => {
  if (oathkeeperBinary === '') return undefined
  try {
    const text = execFileSync(oathkeeperBinary, ['version'], { encoding: 'utf8' })
    return `oathkeeper ${/Version:\s+(\S+)/.exec(text)?.[1] ?? 'of unknown version'}`
  } catch {
    return undefined
  }
}

/** Writes the files into a new folder and returns the config's name. One rule, because each further one costs Oathkeeper. */
export const writeOathkeeperConfig = async (
  folder: string,
  { proxy, api, metrics, upstream }: MintkeeperPorts,
): Promise<string> => {
  await mkdir(folder)
  const file = (name: string): string => path.join(folder, name)
  const session = {
    check_session_url: `http://127.0.0.1:${upstream}/sessions/whoami`,
    preserve_path: true,
    only: ['ory_kratos_session'],
    subject_from: 'identity.id',
    extra_from: '@this',
  }
  const config = {
    log: { level: 'error' },
    serve: {
      proxy: { host: '127.0.0.1', port: proxy },
      api: { host: '127.0.0.1', port: api },
      prometheus: { host: '127.0.0.1', port: metrics },
    },
    access_rules: { matching_strategy: 'glob', repositories: [`file://${file('rules.json')}`] },
    authenticators: { cookie_session: { enabled: true, config: session } },
    authorizers: { allow: { enabled: true } },
    mutators: {
      id_token: {
        enabled: true,
        config: {
          issuer_url: 'http://127.0.0.1/',
          jwks_url: `file://${file('key.json')}`,
          claims: '{"role":"user","user":"{{ print .Subject }}"}',
        },
      },
    },
    errors: { fallback: ['json'], handlers: { json: { enabled: true } } },
  }
  const rule = {
    id: 'all',
    match: { url: `http://127.0.0.1:${proxy}/<**>`, methods: ['GET', 'POST'] },
    authenticators: [{ handler: 'cookie_session' }],
    authorizer: { handler: 'allow' },
    mutators: [{ handler: 'id_token' }],
    upstream: { url: `http://127.0.0.1:${upstream}` },
  }
  await writeFile(file('key.json'), JSON.stringify(await generateKeySet({ alg: 'ES256' })), { mode: 0o600 })
  await writeFile(file('rules.json'), JSON.stringify([rule]))
  await writeFile(file('config.json'), JSON.stringify(config))
  return file('config.json')
}
