/**
 * Prometheus metrics. Names and labels of the request metrics are Oathkeeper's; every label is bounded, so that no
 * client can grow the number of series: whatever exceeds the bound is counted as `other`.
 */
import { collectDefaultMetrics, Counter, Gauge, Registry } from '@prometheus-io/client'
import { redactText } from './redact.ts'
import { RequestSeries } from './request_series.ts'

export interface MetricsSettings {
  /** Put before every name of ours. */
  readonly prefix: string
  /** `request` is always empty. */
  readonly hideRequestPaths: boolean
  /** `request` is the first segment of the path; otherwise the whole path. The query is never a label. */
  readonly collapseRequestPaths: boolean
}

/** `oathkeeper-proxy` and `oathkeeper-api`: kept, because dashboards select by them. */
export type Service = 'oathkeeper-proxy' | 'oathkeeper-api'

export interface RequestRecord {
  readonly service: Service
  readonly method: string
  /** Path with or without query, as requested. */
  readonly target: string
  readonly status: number
  readonly durationMs: number
  /**
   * Whether the path is one that the gateway has something at (the request was granted, a route exists). Whoever is
   * refused adds no path: it counts as one that is known already, or as `other`.
   */
  readonly known: boolean
}

export interface Metrics {
  /** Counts a finished request; health checks are left out, as in Oathkeeper. */
  request(record: RequestRecord): void
  /** Counts a decision. `reason` is a reason code, or `allowed`. */
  decision(ruleId: string | undefined, granted: boolean, reason: string): void
  /** Counts an answer of the session store: `session`, `denied` or `unavailable`. */
  sessionStoreCall(outcome: string): void
  /** Counts a question to the session store that was answered from memory: `fresh`, or `stale` in an outage. */
  sessionFromMemory(kind: string): void
  /** Counts a revocation by the way it was heard of and what it ends: `session`, `identity` or `everything`. */
  revocation(layer: string, scope: string): void
  /** Whether a source of revocations (`database`, `redis`) is connected. */
  revocationSource(layer: string, connected: boolean): void
  /** Counts an attempt to extend a session: `extended`, `unchanged` or `failed`. */
  sessionExtension(outcome: string): void
  /** Counts an allowed request that an upstream did not answer, or not whole. `reason` is a reason code. */
  upstreamError(reason: string): void
  webSocketOpened(): void
  /** Takes the close code that the gateway sent, 0 when it did not close the socket. */
  webSocketClosed(code: number): void
  /** Whether the files as they are now are the ones in use. */
  reloaded(successful: boolean): void
  /** How many rules the snapshot in use has. */
  rules(valid: number, invalid: number): void
  /** The metrics in Prometheus' text format, version 0.0.4. */
  text(): Promise<string>
  readonly contentType: string
  /** Where the metrics of this process are, for those who add up several processes'. */
  readonly registry: Registry
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'])
const MAX_REQUESTS = 50
const MAX_RULES = 500

export function createMetrics(settings: MetricsSettings): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const { prefix } = settings
  const registers = [registry]
  const requests = new RequestSeries()
  requests.register(registry, prefix)
  const decisionTally = new DecisionTally()
  const decisions = new Counter({
    name: `${prefix}decisions_total`,
    help: 'Decisions by rule, outcome and reason code.',
    labelNames: ['rule_id', 'outcome', 'reason'],
    registers,
    collect: () => decisionTally.empty((labels, count) => decisions.inc(labels, count)),
  })
  const sessionStoreCalls = new Tally()
  const sessionStoreCallsTotal = new Counter({
    name: `${prefix}session_store_calls_total`,
    help: 'Calls to the session store by outcome; what a cache answered is not a call.',
    labelNames: ['outcome'],
    registers,
    collect: () => sessionStoreCalls.empty((outcome, count) => sessionStoreCallsTotal.inc({ outcome }, count)),
  })
  const sessionCacheHits = new Tally()
  const sessionCacheHitsTotal = new Counter({
    name: `${prefix}session_cache_hits_total`,
    help: 'Questions about sessions that were answered from memory: fresh, or stale while the session store was unavailable.',
    labelNames: ['kind'],
    registers,
    collect: () => sessionCacheHits.empty((kind, count) => sessionCacheHitsTotal.inc({ kind }, count)),
  })
  const revocations = new Counter({
    name: `${prefix}session_revocations_total`,
    help: 'Revocations of sessions by the way the gateway heard of them, and by what they end.',
    labelNames: ['layer', 'scope'],
    registers,
  })
  const revocationSources = new Gauge({
    name: `${prefix}revocation_source_connected`,
    help: 'Whether a source of revocations is connected; while it is not, revocations may be missed.',
    labelNames: ['layer'],
    registers,
  })
  const sessionExtensions = new Counter({
    name: `${prefix}session_extensions_total`,
    help: 'Attempts to extend sessions that are used shortly before their end, by outcome.',
    labelNames: ['outcome'],
    registers,
  })
  const upstreamErrors = new Counter({
    name: `${prefix}upstream_errors_total`,
    help: 'Allowed requests that an upstream did not answer, or not whole, by reason code.',
    labelNames: ['reason'],
    registers,
  })
  const webSockets = new Gauge({ name: `${prefix}websockets_open`, help: 'WebSockets that are open.', registers })
  const webSocketCloses = new Counter({
    name: `${prefix}websockets_closed_total`,
    help: 'WebSockets that were closed, by the close code that the gateway sent; 0 when it was not the gateway that closed.',
    labelNames: ['code'],
    registers,
  })
  const reloadSuccessful = new Gauge({
    name: `${prefix}config_last_reload_successful`,
    help: 'Whether the last attempt to load the configuration succeeded.',
    aggregator: 'min',
    registers,
  })
  const reloadTime = new Gauge({
    name: `${prefix}config_last_reload_success_timestamp_seconds`,
    help: 'When the configuration in use was loaded.',
    aggregator: 'min',
    registers,
  })
  const rules = new Gauge({
    name: `${prefix}rules`,
    help: 'Access rules loaded.',
    labelNames: ['state'],
    aggregator: 'max',
    registers,
  })

  const redacted = remembered(redactText)
  const labelOf = (path: string): string => redacted(settings.collapseRequestPaths ? beginningOf(path) : path)
  const requestLabel = bounded(MAX_REQUESTS)
  const ruleLabel = bounded(MAX_RULES)

  return {
    request({ service, method, target, status, durationMs, known }) {
      const path = pathOf(target)
      if (path === '/health/alive' || path === '/health/ready') return
      const label = settings.hideRequestPaths ? '' : labelOf(path)
      const request = settings.hideRequestPaths ? '' : requestLabel(label, known)
      requests.count(service, METHODS.has(method) ? method : 'other', request, status, durationMs / 1000)
    },
    decision(ruleId, granted, reason) {
      decisionTally.count(ruleId === undefined ? '' : ruleLabel(ruleId, true), granted, reason)
    },
    sessionStoreCall: (outcome) => sessionStoreCalls.count(outcome),
    sessionFromMemory: (kind) => sessionCacheHits.count(kind),
    revocation: (layer, scope) => revocations.inc({ layer, scope }),
    revocationSource: (layer, connected) => revocationSources.set({ layer }, connected ? 1 : 0),
    sessionExtension: (outcome) => sessionExtensions.inc({ outcome }),
    upstreamError: (reason) => upstreamErrors.inc({ reason }),
    webSocketOpened: () => webSockets.inc(),
    webSocketClosed(code) {
      webSockets.dec()
      webSocketCloses.inc({ code: String(code) })
    },
    reloaded(successful) {
      reloadSuccessful.set(successful ? 1 : 0)
      if (successful) reloadTime.setToCurrentTime()
    },
    rules(valid, invalid) {
      rules.set({ state: 'valid' }, valid)
      rules.set({ state: 'invalid' }, invalid)
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
    registry,
  }
}

/** The first `max` distinct values as they are, every further one as `other`; so is a new one that may not be added. */
function bounded(max: number): (value: string, add: boolean) => string {
  const seen = new Set<string>()
  return (value, add) => {
    if (seen.has(value)) return value
    if (!add || seen.size >= max) return 'other'
    seen.add(value)
    return value
  }
}

function pathOf(target: string): string {
  const query = target.indexOf('?')
  return query === -1 ? target : target.slice(0, query)
}

/** `/` and the first segment of a path: `/a/b` gives `/a`. */
export const firstSegment = (path: string): string => redactText(beginningOf(path))

function beginningOf(path: string): string {
  const end = path.indexOf('/', 1)
  return end === -1 ? path : path.slice(0, end)
}

/** Texts for which a result is remembered, and how long they may be. */
const MAX_REMEMBERED = 1000
const MAX_REMEMBERED_LENGTH = 128

/** The same function, which remembers its first results: most requests are for a few beginnings of paths. */
function remembered(make: (text: string) => string): (text: string) => string {
  const results = new Map<string, string>()
  return (text) => {
    let result = results.get(text)
    if (result === undefined) {
      result = make(text)
      if (results.size < MAX_REMEMBERED && text.length <= MAX_REMEMBERED_LENGTH) results.set(text, result)
    }
    return result
  }
}

/** Counts by one label, and hands the numbers to the counter when somebody looks, as DecisionTally does. */
class Tally {
  readonly #pending = new Map<string, number>()

  count(value: string): void {
    this.#pending.set(value, (this.#pending.get(value) ?? 0) + 1)
  }

  empty(take: (value: string, count: number) => void): void {
    for (const [value, count] of this.#pending) take(value, count)
    this.#pending.clear()
  }
}

interface Tallied {
  readonly granted: boolean
  readonly reason: string
  readonly labels: Readonly<Record<'rule_id' | 'outcome' | 'reason', string>>
  pending: number
}

/** Counts decisions, and hands them to the counter when somebody looks: a counter puts its labels together each time. */
class DecisionTally {
  readonly #byRule = new Map<string, Tallied[]>()

  count(rule: string, granted: boolean, reason: string): void {
    let list = this.#byRule.get(rule)
    if (list === undefined) {
      list = []
      this.#byRule.set(rule, list)
    }
    let tallied = list.find((one) => one.granted === granted && one.reason === reason)
    if (tallied === undefined) {
      const labels = { rule_id: rule, outcome: granted ? 'granted' : 'denied', reason }
      tallied = { granted, reason, labels, pending: 0 }
      list.push(tallied)
    }
    tallied.pending++
  }

  empty(take: (labels: Tallied['labels'], count: number) => void): void {
    for (const list of this.#byRule.values()) {
      for (const tallied of list) {
        if (tallied.pending > 0) take(tallied.labels, tallied.pending)
        tallied.pending = 0
      }
    }
  }
}
