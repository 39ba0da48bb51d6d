/** The real PostgreSQL and PostgREST that the demo runs on, in a folder of their own. */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { freeBlock } from '../../demo/ports.ts'
import { startPostgres, type Postgres } from '../../demo/postgres.ts'
import { temporaryFolder } from '../../demo/postgres_binaries.ts'
import { servePostgrest } from '../../demo/postgrest.ts'

export interface Database extends AsyncDisposable {
  readonly postgres: Postgres
  /** For files of the test. */
  readonly work: string
  /** @param keys file with a public key set; read again on SIGUSR2 */
  readonly servePostgrest: (
    databaseUri: string,
    keys: string,
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
    const first = await freeBlock(3)
    const postgres = await startPostgres({ port: first, work, logs: work, onEnd: unexpected })
    stops.push(() => postgres.child.stop())
    return {
      postgres,
      work,
      async servePostgrest(databaseUri, keys) {
        const [port, adminPort] = [first + 1, first + 2]
        const child = await servePostgrest({ port, adminPort, databaseUri, logs: work, onEnd: unexpected }, keys)
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
