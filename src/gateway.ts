/**
 * The composition root: loads what requests run on, listens, swaps it whole on reload, and closes in order. Longer than most
 * files because it is the one place that knows every part.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Health } from './api/health.ts'
import { warnOfBootKeys } from './boot_keys.ts'
import type { Config } from './config/schema.ts'
import { formatPlace, ProblemsError, type Problem } from './documents/problem.ts'
import type { Environment } from './documents/interpolate.ts'
import { watchFiles, type FileWatch } from './documents/watch.ts'
import { createListeners, type Addresses } from './listeners.ts'
import { load, type LoadResult } from './load.ts'
import { createHttpClient } from './outbound/client.ts'
import { apiSnapshot, proxySnapshot } from './planes.ts'
import type { Decision, Trace } from './pipeline/contract/decision.ts'
import type { AnyHandler } from './pipeline/contract/handler.ts'
import type { Inbound } from './pipeline/contract/inbound.ts'
import type { Revocations } from './pipeline/contract/revocations.ts'
import type { Clock } from './pipeline/contract/runtime.ts'
import type { Awaitable, JsonObject } from './pipeline/contract/values.ts'
import { decide } from './pipeline/decide.ts'
import { createShared } from './pipeline/shared.ts'
import { pollRepositories, type Poll } from './rules/repositories/poll.ts'
import { startLayers, tellOfRevocations } from './revocation_layers.ts'
import { createExtenders } from './sessions/extender.ts'
import { createRevocations } from './sessions/revocations.ts'
import { createSessionStore } from './sessions/store.ts'
import { createLog, forwardingLog, type Log as LeveledLog, type LogTarget } from './telemetry/log.ts'
import { createMetrics, type Metrics } from './telemetry/metrics.ts'
import { createKeyUpkeep, type KeyUpkeep } from './tokens/key_upkeep.ts'
import { createMapperWorkers } from './tokens/claims/workers/pool.ts'
import { createTokenCache } from './tokens/token_cache.ts'

export interface GatewayOptions {
  /** Paths of the config files; later ones go over earlier ones. None means the environment alone. */
  readonly configFiles: readonly string[]
  readonly env: Environment
  /** Handlers beside those that ship. */
  readonly handlers?: readonly AnyHandler[]
  /** A config that the files and the environment lie over. */
  readonly base?: JsonObject
  /** Where the log goes. */
  readonly logTarget: LogTarget
  /** Milliseconds between two looks at the watched files. */
  readonly watchInterval?: number
  /** The other processes that serve together with this one. */
  readonly peers?: Peers
}

export interface Peers {
  /** Hears of every session that ends here, and tells of those that end elsewhere. */
  shareRevocations(revocations: Revocations): void
  /** Gives this process' metrics to the others; returns what tells the metrics of all. */
  shareMetrics(registry: Metrics['registry']): Metrics['text']
}

export interface Gateway {
  /** The config in force. */
  readonly config: Config
  /** What the files in force were warned of. */
  readonly problems: readonly Problem[]
  /** Decides about a request with the snapshot in force; never rejects. */
  decide(inbound: Inbound, trace?: Trace): Awaitable<Decision>
  /** Binds the three listeners. Throws ListenError, after which none of them is bound. */
  listen(): Promise<Addresses>
  /** Reads the files again; what is wrong with them comes back, and then the old ones stay in force. */
  reload(): Promise<LoadResult>
  /**
   * Answers `/health/ready` with 503 and goes on serving for `serve.shutdown.drain`, so that load balancers have looked
   * elsewhere when `close` follows.
   */
  drain(): Promise<void>
  /**
   * As `drain`, for a gateway whose place another process has taken: accepts no more, stays ready, and lets no connection
   * last longer than its next request, for `serve.shutdown.drain` and at least a second.
   */
  retire(): Promise<void>
  /** Stops accepting, lets requests finish for `grace` milliseconds (default: `serve.shutdown.grace`), ends what is left. */
  close(grace?: number): Promise<void>
}

const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() }
/** Milliseconds: time for connections in use to have one more answer. */
const RETIREMENT = 1000
/** How often remote rules and keys are looked at. */
const POLL_INTERVAL = 30_000

/** Loads a gateway; throws ProblemsError when the files are too wrong to serve with. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  // The first log speaks while the config that configures it is being read.
  let log: LeveledLog = createLog({}, options.logTarget)
  const currentLog = forwardingLog(() => log)
  const tokens = createTokenCache({ clock })
  const revocations = createRevocations(currentLog)
  const sessions = createSessionStore({
    clock,
    log: currentLog,
    observe: (outcome) => metrics.sessionStoreCall(outcome),
    observeMemory: (kind) => metrics.sessionFromMemory(kind),
    onRefused(session) {
      if (state.config.revocation.refusals) revocations.publish({ session, inDoubt: true }, 'refused')
    },
  })
  revocations.subscribe((revocation) => sessions.revoke(revocation))
  revocations.subscribe((revocation) => tokens.forget(revocation))
  const http = createHttpClient()
  const shared = createShared({ clock, http, log: currentLog })
  const mapperWorkers = createMapperWorkers()
  const sessionExtenders = createExtenders({
    http,
    clock,
    log: currentLog,
    onExtended: (id) => sessions.doubt(id),
    observe: (outcome) => metrics.sessionExtension(outcome),
  })
  const runtime = {
    clock,
    randomUUID: () => randomUUID(),
    sessions,
    revocations,
    tokens,
    mapperWorkers,
    sessionExtenders,
    http,
    shared,
    log: currentLog,
  }
  const { configFiles, env, handlers, base } = options
  const loadOptions = {
    configFiles,
    env,
    runtime,
    ...(handlers !== undefined && { handlers }),
    ...(base !== undefined && { base }),
  }

  const firstRead = clock.now()
  const first = await load(loadOptions)
  if (first.state === undefined) {
    await Promise.all([sessions.close(), http.close(), mapperWorkers.close()])
    throw new ProblemsError(first.problems, first)
  }
  let { state, problems } = { state: first.state, problems: first.problems }
  const boot = state.config
  log = createLog(boot.log, options.logTarget)
  const { prometheus } = boot.serve
  const metrics = createMetrics({
    prefix: prometheus.metric_name_prefix,
    hideRequestPaths: prometheus.hide_request_paths,
    collapseRequestPaths: prometheus.collapse_request_paths,
  })
  const allMetrics = options.peers?.shareMetrics(metrics.registry)
  options.peers?.shareRevocations(revocations)
  tellOfRevocations(revocations, currentLog, metrics)
  let proxyState = proxySnapshot(state, runtime)
  let apiState = apiSnapshot(state)
  if ((boot.tracing?.provider ?? '') !== '' && proxyState.tracer === undefined) {
    log.warn(
      {},
      'tracing.provider is set, but no OpenTelemetry SDK is registered (node --import ./otel.mjs): no traces',
    )
  }
  let failedReload: Health['failedReload']
  let closing = false
  let keyUpkeep: KeyUpkeep | undefined
  const settle = async (): Promise<void> => {
    metrics.reloaded(failedReload === undefined)
    const valid = state.snapshot.validRules.length
    metrics.rules(valid, state.snapshot.rules.length - valid)
    await keyUpkeep?.settle(state.snapshot.keySets, state.config.jwks.export)
  }
  await settle()

  const reloadOnce = async (): Promise<LoadResult> => {
    const began = clock.now()
    const result = await load({ ...loadOptions, previous: state })
    watch?.update(result.files, began)
    if (result.state === undefined) {
      const errors = result.problems.filter(({ severity }) => severity === 'error')
      failedReload = { at: new Date(clock.now()), problems: errors.map(describe) }
      for (const problem of failedReload.problems) {
        log.error({ problem }, 'Reload refused: what was in force stays in force')
      }
    } else {
      warnOfBootKeys(boot, result.state.config, log)
      state = result.state
      ;({ problems } = result)
      proxyState = proxySnapshot(state, runtime)
      apiState = apiSnapshot(state)
      const kept = result.kept.map(describe)
      failedReload = kept.length === 0 ? undefined : { at: new Date(clock.now()), problems: kept }
      const rules = state.snapshot.rules.length
      for (const problem of kept) log.error({ problem }, 'Reloaded in part: what cannot be read stays as it was')
      if (kept.length === 0) log.info({ rules, warnings: result.problems.map(describe) }, 'Reloaded')
    }
    await settle()
    return result
  }
  // One at a time: two builds at once could swap in the older one last.
  let reloading: Promise<unknown> = Promise.resolve()
  const reload = (): Promise<LoadResult> => {
    const next = reloading.then(reloadOnce)
    reloading = next.catch(() => undefined)
    return next
  }

  let watch: FileWatch | undefined
  let poll: Poll | undefined
  let keyPoll: NodeJS.Timeout | undefined
  const startWatching = (): void => {
    const inBackground = (work: () => Promise<unknown>): void => {
      work().catch((error: unknown) => log.error({ err: error }, 'Looking for changes failed'))
    }
    const interval = options.watchInterval
    watch = watchFiles(first.files, () => inBackground(reload), {
      since: firstRead,
      ...(interval !== undefined && { interval }),
    })
    poll = pollRepositories({
      interval: POLL_INTERVAL,
      current: () => state.repositories,
      onChange: async () => {
        await reload()
      },
      onProblem: (problem) => log.warn({ problem: describe(problem) }, 'A rule repository could not be asked'),
    })
    keyPoll = setInterval(() => {
      inBackground(async () => {
        const { keySets, mappers } = state
        const changes = await Promise.all([keySets.changed(), mappers.changed()])
        if (changes.includes(true)) await reload()
      })
    }, POLL_INTERVAL)
    keyPoll.unref()
    keyUpkeep = createKeyUpkeep({ clock, tokens, log: currentLog, onDue: () => inBackground(reload) })
  }

  const health = (): Health => ({
    ...(closing ? { notReady: 'The gateway is shutting down' } : {}),
    ...(!closing && state.snapshot.validRules.length === 0 && { notReady: 'No access rule is loaded' }),
    failedReload,
  })
  const listeners = createListeners({
    config: boot,
    proxy: () => proxyState,
    api: () => apiState,
    health,
    clock,
    log: () => log,
    metrics: allMetrics === undefined ? metrics : { ...metrics, text: allMetrics },
    revocations,
  })
  const stopWatching = (): void => {
    watch?.close()
    poll?.close()
    clearInterval(keyPoll)
    keyUpkeep?.close()
  }
  const stopLayers = await startLayers({
    config: boot,
    revocations,
    sessions,
    http,
    clock,
    log: currentLog,
    metrics,
  })
  const close = async (grace = state.config.serve.shutdown.grace): Promise<void> => {
    closing = true
    stopWatching()
    await listeners.close(grace)
    await stopLayers()
    await Promise.all([sessions.close(), http.close(), mapperWorkers.close()])
  }

  return {
    get config() {
      return state.config
    },
    get problems() {
      return problems
    },
    decide: (inbound, trace) => decide(inbound, state.snapshot, trace),
    async listen() {
      try {
        const addresses = await listeners.listen()
        startWatching()
        await settle()
        return addresses
      } catch (error) {
        await close(0)
        throw error
      }
    },
    reload,
    async retire() {
      stopWatching()
      listeners.retire()
      await wait(Math.max(state.config.serve.shutdown.drain, RETIREMENT))
    },
    async drain() {
      closing = true
      stopWatching()
      listeners.drain()
      await wait(state.config.serve.shutdown.drain)
    },
    close,
  }
}

function describe({ place, message }: Problem): string {
  return place === undefined ? message : `${formatPlace(place)}: ${message}`
}
