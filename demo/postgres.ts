/** A PostgreSQL of the demo's own: made anew at each start, thrown away at the end. */
import { randomBytes } from 'node:crypto'
import { chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Client } from 'pg'
import { runChild, startChild, waitUntil, type Child } from './child.ts'
import { host } from './ports.ts'
import { postgresBinaries, postgresUser } from './postgres_binaries.ts'

interface Note {
  /** The user it belongs to: the subject of their token. */
  readonly owner: string
  readonly text: string
}

export interface Postgres {
  readonly child: Child
  /** A connection of the superuser, to be ended by whoever asked for it. */
  readonly connect: () => Promise<Client>
  /** Makes tables, roles and policies, and puts the notes in. Returns where PostgREST connects to. */
  readonly fill: (notes: readonly Note[]) => Promise<string>
}

interface PostgresOptions {
  readonly port: number
  /** Folder for the data, which PostgreSQL's user may enter. */
  readonly work: string
  readonly logs: string
  readonly onEnd: (message: string) => void
}

const name = 'PostgreSQL'
const environment = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }
const newPassword = (): string => randomBytes(24).toString('base64url')

export const startPostgres = async ({ port, work, logs, onEnd }: PostgresOptions): Promise<Postgres> => {
  const user = postgresUser()
  const bin = await postgresBinaries(work, user)
  const data = path.join(work, 'data')
  const passwordFile = path.join(work, 'password')
  const password = newPassword()
  await mkdir(data, { mode: 0o700 })
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (user !== undefined) await Promise.all([data, passwordFile].map((file) => chown(file, user.uid, user.gid)))

  const initialise = ['--auth=scram-sha-256', '--username=postgres', `--pwfile=${passwordFile}`, '--encoding=UTF8']
  await runChild({
    name: 'initdb',
    command: path.join(bin, 'initdb'),
    args: [`--pgdata=${data}`, '--no-locale', '--no-sync', ...initialise],
    env: environment,
    user,
  })
  await rm(passwordFile)

  // Data that is thrown away need not survive a power cut.
  const settings = [`listen_addresses=${host}`, 'unix_socket_directories=', 'fsync=off', 'full_page_writes=off']
  const child = startChild({
    name,
    command: path.join(bin, 'postgres'),
    args: ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    env: environment,
    user,
    logs,
    // A fast shutdown: does not wait for clients.
    stopSignal: 'SIGINT',
    onEnd,
  })

  const connect = async (): Promise<Client> => {
    const client = new Client({ host, port, user: 'postgres', password, database: 'postgres' })
    client.on('error', () => undefined)
    await client.connect()
    return client
  }
  try {
    await waitUntil(name, child, async () => {
      await (await connect()).end()
      return true
    })
  } catch (error) {
    await child.stop()
    throw error
  }

  return {
    child,
    connect,
    async fill(notes) {
      const schema = await readFile(path.join(import.meta.dirname, 'schema.sql'), 'utf8')
      const authenticator = newPassword()
      const client = await connect()
      try {
        await client.query(schema)
        await client.query(`alter role authenticator password ${client.escapeLiteral(authenticator)}`)
        for (const { owner, text } of notes) {
          await client.query('insert into api.notes (owner, text) values ($1, $2)', [owner, text])
        }
      } finally {
        await client.end()
      }
      return `postgres://authenticator:${authenticator}@${host}:${port}/postgres`
    },
  }
}
