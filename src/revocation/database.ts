/**
 * Listens to the triggers in Kratos' PostgreSQL database. They see every change, whoever made it and by whatever way, and
 * PostgreSQL tells of it when it is committed.
 */
import type * as Pg from 'pg'
import {
  backoff,
  HEARTBEAT,
  loadPackage,
  readMessage,
  reasonOf,
  type RevocationSource,
  type SourceOptions,
} from './source.ts'

type Postgres = Pick<typeof Pg, 'Client'>

/** Rejects with MissingPackageError. */
export const loadPostgres = async (): Promise<Postgres> =>
  // Its older versions export nothing by name.
  (await loadPackage('revocation.database', 'pg', () => import('pg'))).default

/** Connects, and connects again whenever the connection is lost, until it is closed. */
export function listenToDatabase(postgres: Postgres, options: SourceOptions): RevocationSource {
  const { events, heartbeat = HEARTBEAT } = options
  let client: Pg.Client | undefined
  let timer: NodeJS.Timeout | undefined
  let attempt = 0
  let closed = false

  const lose = (lost: Pg.Client, reason: string): void => {
    if (lost !== client) return
    client = undefined
    clearTimeout(timer)
    discard(lost)
    if (closed) return
    events.onLost(reason)
    connectLater()
  }

  const connectLater = (): void => {
    timer = setTimeout(() => void connect(), backoff(attempt++))
    timer.unref()
  }

  const beat = (living: Pg.Client): void => {
    timer = setTimeout(() => {
      // A connection that was cut without a word looks like a silent one.
      const deadline = setTimeout(() => lose(living, 'no answer'), heartbeat.timeout).unref()
      living
        .query('SELECT 1')
        .catch((error: unknown) => lose(living, reasonOf(error)))
        .finally(() => {
          clearTimeout(deadline)
          if (living === client) beat(living)
        })
    }, heartbeat.interval)
    timer.unref()
  }

  const connect = async (): Promise<void> => {
    const next = new postgres.Client({
      connectionString: options.url,
      application_name: 'mintkeeper',
      connectionTimeoutMillis: heartbeat.timeout,
      keepAlive: true,
    })
    next.on('error', (error) => lose(next, reasonOf(error)))
    next.on('end', () => lose(next, 'closed'))
    next.on('notification', ({ channel, payload = '' }) => {
      if (channel === options.channel) events.onRevocation(readMessage(payload))
    })
    try {
      await next.connect()
      await next.query(`LISTEN ${next.escapeIdentifier(options.channel)}`)
    } catch (error) {
      discard(next)
      if (closed) return
      events.onFailure(reasonOf(error))
      connectLater()
      return
    }
    if (closed) {
      discard(next)
      return
    }
    client = next
    attempt = 0
    events.onConnected()
    beat(next)
  }

  void connect()
  return {
    async close() {
      closed = true
      clearTimeout(timer)
      const last = client
      client = undefined
      await last?.end().catch(() => undefined)
    },
  }
}

/** Its errors are nobody's any more. */
function discard(client: Pg.Client): void {
  client.end().catch(() => undefined)
}
