/** The sources of revocations that run beside the requests: started with the gateway, by its config, and closed with it. */
import { randomUUID } from 'node:crypto'
import type { Config } from './config/schema.ts'
import type { Locate, Problem } from './documents/problem.ts'
import type { HttpClient } from './pipeline/contract/http_client.ts'
import type { Revocation, Revocations } from './pipeline/contract/revocations.ts'
import type { Clock, Log } from './pipeline/contract/runtime.ts'
import { listenToDatabase, loadPostgres } from './revocation/database.ts'
import { loadRedis, openRedis } from './revocation/redis.ts'
import { startRevalidation } from './revocation/revalidation.ts'
import { MissingPackageError, type SourceEvents } from './revocation/source.ts'
import type { SessionMemory } from './sessions/store.ts'
import type { Metrics } from './telemetry/metrics.ts'
import { fingerprint } from './telemetry/redact.ts'

export interface LayersOptions {
  /** As it was at start. */
  readonly config: Config
  readonly revocations: Revocations
  readonly sessions: Pick<SessionMemory, 'distrustMemory' | 'remembered'>
  readonly http: HttpClient
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** What the sources in the config need and do not have: an address of Kratos, an optional package. */
export async function layerProblems({ revocation, kratos }: Config, locate: Locate): Promise<readonly Problem[]> {
  const wanted = [
    ...(revocation.database === undefined ? [] : [{ key: 'database', load: loadPostgres, name: 'pg' }]),
    ...(revocation.redis === undefined ? [] : [{ key: 'redis', load: loadRedis, name: 'ioredis' }]),
  ]
  const problems: Problem[] = []
  if (revocation.revalidation !== undefined && kratos?.admin_url === undefined) {
    const place = locate(['revocation', 'revalidation'])
    problems.push({
      severity: 'error',
      message: '"revocation.revalidation" needs kratos.admin_url',
      ...(place && { place }),
    })
  }
  for (const { key, load, name } of wanted) {
    try {
      await load()
    } catch (error) {
      if (!(error instanceof MissingPackageError)) throw error
      const place = locate(['revocation', key])
      problems.push({ severity: 'error', message: error.message, hint: `npm install ${name}`, ...(place && { place }) })
    }
  }
  return problems
}

/** Tells log and metrics of every revocation, wherever it was heard of. */
export function tellOfRevocations(revocations: Revocations, log: Pick<Log, 'info'>, metrics: Metrics): void {
  revocations.subscribe((revocation, layer) => {
    const [scope = ''] = Object.keys(revocation)
    metrics.revocation(layer, scope)
    const isDoubt = 'inDoubt' in revocation
    log.info(
      { layer, ...named(revocation) },
      isDoubt ? 'A credential of a session was refused: the session is asked for again' : 'Sessions revoked',
    )
  })
}

/** As the lines of decisions name them. */
function named(revocation: Revocation): object {
  if ('session' in revocation) return { session: fingerprint(revocation.session) }
  return 'identity' in revocation ? { identity: fingerprint(revocation.identity) } : { everything: true }
}

/** Starts what the config names. The returned function ends it. */
export async function startLayers(options: LayersOptions): Promise<() => Promise<void>> {
  const { config, revocations, sessions, http, clock, log } = options
  const { database, redis, revalidation } = config.revocation
  const closing: (() => unknown)[] = []
  if (redis !== undefined) {
    const channel = openRedis(await loadRedis(), {
      ...redis,
      self: randomUUID(),
      events: eventsOf('redis', redis, options),
    })
    const unsubscribe = revocations.subscribe((revocation, layer) => {
      // Those come from the others, or are heard of by each of them.
      if (layer !== 'redis' && layer !== 'worker' && layer !== 'database') channel.send(revocation)
    })
    closing.push(unsubscribe, () => channel.close())
  }
  if (database !== undefined) {
    const source = listenToDatabase(await loadPostgres(), {
      ...database,
      events: eventsOf('database', database, options),
    })
    closing.push(() => source.close())
  }
  const adminUrl = config.kratos?.admin_url
  if (revalidation !== undefined && adminUrl !== undefined) {
    const running = startRevalidation({
      adminUrl,
      interval: revalidation.interval,
      maxPerSecond: revalidation.max_per_second,
      http,
      clock,
      log,
      sessions: () => sessions.remembered(),
      onRevocation: (revocation) => revocations.publish(revocation, 'revalidation'),
    })
    closing.push(() => running.close())
  }
  return async () => {
    await Promise.all(closing.map(async (close) => close()))
  }
}

/** While a source is cut off, what it would have told is missing; what was remembered then is in doubt ever after. */
function eventsOf(
  layer: 'database' | 'redis',
  { while_disconnected: mode }: { readonly while_disconnected: 'ask' | 'keep' },
  { revocations, sessions, log, metrics }: LayersOptions,
): SourceEvents {
  const distrust = (): (() => void) | undefined => (mode === 'ask' ? sessions.distrustMemory() : undefined)
  let trust = distrust()
  let lastFailure = ''
  metrics.revocationSource(layer, false)
  return {
    onRevocation: (revocation) => revocations.publish(revocation, layer),
    onConnected() {
      lastFailure = ''
      metrics.revocationSource(layer, true)
      log.info({ layer }, 'Revocations are heard of')
      revocations.publish({ everything: true }, layer)
      trust?.()
    },
    onLost(reason) {
      trust = distrust()
      metrics.revocationSource(layer, false)
      log.warn({ layer, reason }, 'Revocations may be missed: the connection was lost')
    },
    onFailure(reason) {
      // Once for each reason: attempts go on for as long as it takes.
      if (reason !== lastFailure) log.warn({ layer, reason }, 'Revocations may be missed: there is no connection')
      lastFailure = reason
    },
  }
}
