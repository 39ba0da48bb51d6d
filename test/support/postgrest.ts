/** The real PostgreSQL and PostgREST that the demo runs on, in a folder of their own. */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { freeBlock } from '../../demo/ports.ts'
import { startPostgres, type Postgres } from '../../demo/postgres.ts'
import { temporaryFolder } from '../../demo/postgres_binaries.ts'
import { servePostgrest } from '../../demo/postgrest.ts'

/** PostgreSQL's, and two for each of two PostgRESTs. */
const PORTS = 5

export interface Database extends AsyncDisposable {
  readonly postgres: Postgres
  /** For files of the test. */
  readonly work: string
  /**
   * @param keys file with a public key set; read again on SIGUSR2
   * @param audience `postgrest` unless given
   */
  readonly servePostgrest: (
    databaseUri: string,
    keys: string,
    audience?: string,
  ) => Promise<{ readonly url: string; readonly pid: number }>
}

export async function startDatabase(): Promise<Database> {
  const stops: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (let end = stops.pop(); end !== undefined; end = stops.pop()) await end()
  }
  const unexpected = (message: string): void => {
    throw new Error(message)
  }
  try {
    const work = await mkdtemp(path.join(await temporaryFolder(), 'mintkeeper-database-'))
    stops.push(() => rm(work, { recursive: true, force: true }))
    // PostgreSQL's user has to pass through.
    await chmod(work, 0o711)
    let next = await freeBlock(PORTS)
    const postgresPort = next++
    const postgres = await startPostgres({ port: postgresPort, work, logs: work, onEnd: unexpected })
    stops.push(() => postgres.child.stop())
    return {
      postgres,
      work,
      async servePostgrest(databaseUri, keys, audience = 'postgrest') {
        const [port, adminPort] = [next++, next++]
        const options = { port, adminPort, databaseUri, audience, logs: work, onEnd: unexpected }
        const child = await servePostgrest(options, keys)
        stops.push(() => child.stop())
        return { url: `http://127.0.0.1:${port}`, pid: child.pid }
      },
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
