/** All parts of the demo, started in the order in which they need each other, and stopped in the opposite one. */
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { startMintkeeper } from './mintkeeper.ts'
import { startNotesPage } from './notes_page.ts'
import { host, type Ports } from './ports.ts'
import { startPostgres } from './postgres.ts'
import { temporaryFolder } from './postgres_binaries.ts'
import { startPostgrest } from './postgrest.ts'
import { ensureSigningKey } from './signing_key.ts'
import { notice } from './stand-in/pages.ts'
import { createStandIn, type StandIn } from './stand-in/server.ts'
import { signInUsers, type DemoUser } from './users.ts'

export interface StackOptions {
  readonly ports: Ports
  /** Where the log files go; made when it is missing. */
  readonly logs: string
  /** A real Kratos to use instead of the stand-in: its public URL, without a trailing slash. */
  readonly kratosUrl?: string | undefined
  /** Progress, and parts that end by themselves. */
  readonly say: (message: string) => void
}

export interface Stack {
  /** What to open, without a trailing slash. */
  readonly publicUrl: string
  readonly apiUrl: string
  readonly users: readonly [alice: DemoUser, bob: DemoUser]
  /** Undefined with a real Kratos. */
  readonly standIn: StandIn | undefined
  readonly stop: () => Promise<void>
}

const root = path.join(import.meta.dirname, '..')
const at = (port: number): string => `http://${host}:${port}`
const keyFile = path.join(root, 'jwks', 'id_token.json')

const startKratos = async (ports: Ports, publicUrl: string): Promise<StandIn> =>
  createStandIn({
    publicPort: ports.kratos,
    adminPort: ports.kratosAdmin,
    settings: {
      baseUrl: `${publicUrl}/.ory/kratos/public/`,
      loginUiUrl: `${publicUrl}/login`,
      defaultReturnUrl: `${publicUrl}/`,
    },
  })

/** Rejects when a part does not start; whatever was started by then has been stopped. */
export const startStack = async ({ ports, logs, kratosUrl, say }: StackOptions): Promise<Stack> => {
  const stops: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (let end = stops.pop(); end !== undefined; end = stops.pop()) await end()
  }
  const publicUrl = at(ports.proxy)
  // What ends before everything runs is reported by whoever waits for it.
  let complete = false
  const onEnd = (message: string): void => {
    if (!complete) return
    say(`${message} Its log is in ${path.resolve(logs)}. Press Ctrl-C and start the demo again.`)
  }

  try {
    await mkdir(logs, { recursive: true })
    const work = await mkdtemp(path.join(await temporaryFolder(), 'mintkeeper-demo-'))
    stops.push(() => rm(work, { recursive: true, force: true }))
    // PostgreSQL's user has to pass through; what is inside has modes of its own.
    await chmod(work, 0o711)

    if (await ensureSigningKey(keyFile)) say(`Made a key to sign tokens with: ${path.relative(process.cwd(), keyFile)}`)

    const standIn = kratosUrl === undefined ? await startKratos(ports, publicUrl) : undefined
    if (standIn !== undefined) stops.push(() => standIn.close())
    const kratos = kratosUrl ?? at(ports.kratos)
    say(standIn === undefined ? `Kratos: ${kratos}` : `Kratos: a server that ${notice}`)

    const postgres = await startPostgres({ port: ports.postgres, work, logs, onEnd })
    stops.push(() => postgres.child.stop())
    say('PostgreSQL: started')

    const environment = {
      PUBLIC_URL: publicUrl,
      PROXY_PORT: String(ports.proxy),
      API_PORT: String(ports.api),
      METRICS_PORT: String(ports.metrics),
      KRATOS_PUBLIC_URL: kratos,
      KRATOS_ADMIN_URL: standIn?.adminUrl ?? process.env['KRATOS_ADMIN_URL'] ?? 'http://127.0.0.1:4434',
      KRATOS_UI_URL: standIn?.publicUrl ?? process.env['KRATOS_UI_URL'] ?? 'http://127.0.0.1:4455',
      POSTGREST_URL: at(ports.postgrest),
      NOTES_PAGE_URL: at(ports.page),
    }
    const mintkeeper = await startMintkeeper({ root, apiPort: ports.api, environment, logs, onEnd })
    stops.push(() => mintkeeper.stop())
    say('Mintkeeper: started with mintkeeper.yaml and rules/')

    const users = await signInUsers(kratos)
    const databaseUri = await postgres.fill(
      users.flatMap(({ id, notes }) => notes.map((text) => ({ owner: id, text }))),
    )
    const postgrest = await startPostgrest({
      port: ports.postgrest,
      adminPort: ports.postgrestAdmin,
      databaseUri,
      jwksUrl: `${at(ports.api)}/.well-known/jwks.json`,
      work,
      logs,
      onEnd,
    })
    stops.push(() => postgrest.stop())
    say('PostgREST: started with the public half of the key')

    const page = await startNotesPage({ port: ports.page, postgrestUrl: at(ports.postgrest) })
    stops.push(() => page.close())
    complete = true
    return { publicUrl, apiUrl: at(ports.api), users, standIn, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
