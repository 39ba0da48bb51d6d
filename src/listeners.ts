/** The three listeners and what they tell the log and the metrics. */
import { createApiApp } from './api/app.ts'
import type { Health } from './api/health.ts'
import { createMetricsApp } from './api/metrics.ts'
import { createApiServer } from './api/server.ts'
import type { ApiSnapshot } from './api/snapshot.ts'
import { tlsSource } from './certificates.ts'
import type { Config } from './config/schema.ts'
import type { Code } from './errors.ts'
import type { Revocations } from './pipeline/contract/revocations.ts'
import type { Clock } from './pipeline/contract/runtime.ts'
import type { RequestRecord } from './proxy/record.ts'
import { createProxyServer } from './proxy/server.ts'
import type { ProxySnapshot } from './proxy/settings.ts'
import { loadTls, watchTls } from './proxy/tls.ts'
import { logDecision, type DecisionRecord } from './telemetry/decision_log.ts'
import { forwardingLog, type Log as LeveledLog } from './telemetry/log.ts'
import type { Metrics } from './telemetry/metrics.ts'
import { version } from './version.ts'

export interface Address {
  /** Empty for all interfaces. */
  readonly host: string
  readonly port: number
  readonly tls: boolean
}

export interface Addresses {
  readonly proxy: Address
  readonly api: Address
  readonly metrics: Address
}

/** Thrown by `listen`: a port that cannot be had; `key` is the config key that names it. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly key: string
  /** Node's, such as EADDRINUSE. */
  readonly code: unknown

  constructor(key: string, address: string, cause: unknown) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    const why =
      code === 'EADDRINUSE' ? 'another program listens there' : cause instanceof Error ? cause.message : String(cause)
    super(`Cannot listen on ${address}: ${why}`, { cause })
    this.key = key
    this.code = code
  }
}

export interface ListenersOptions {
  /** As it was at start: what is bound once is not bound again. */
  readonly config: Config
  readonly proxy: () => ProxySnapshot
  readonly api: () => ApiSnapshot
  readonly health: () => Health
  readonly clock: Clock
  readonly log: () => LeveledLog
  readonly metrics: Metrics
  readonly revocations: Revocations
}

export interface Listeners {
  /** Throws ListenError. */
  listen(): Promise<Addresses>
  /** Goes on serving, but leaves no connection of the proxy open. */
  drain(): void
  /** As `drain`, without accepting: another process has taken over the ports. */
  retire(): void
  /** Milliseconds for the requests under way. */
  close(grace: number): Promise<void>
}

/** Throws an Error when the TLS files cannot be used. */
export function createListeners(options: ListenersOptions): Listeners {
  const { clock, metrics } = options
  const { serve } = options.config
  const log = forwardingLog(options.log)
  const proxyTls = tlsSource(serve.proxy.tls)
  const proxy = createProxyServer({
    current: options.proxy,
    clock,
    log,
    revocations: options.revocations,
    maxConnections: serve.proxy.max_connections,
    observeWebSockets: { opened: () => metrics.webSocketOpened(), closed: (code) => metrics.webSocketClosed(code) },
    ...(proxyTls !== undefined && { tls: proxyTls }),
    ...(serve.proxy.http2.enabled && {
      http2: { maxConcurrentStreams: serve.proxy.http2.max_concurrent_streams },
    }),
    observe(record) {
      const { inbound, ruleId, code, outcome } = record
      const { method, status, durationMs } = record
      const target = inbound?.path ?? ''
      const granted = outcome === 'allowed' || outcome === 'failed'
      metrics.request({ service: 'oathkeeper-proxy', method, target, status, durationMs, known: granted })
      // No rule was asked.
      if (outcome === 'answered') return
      metrics.decision(ruleId, granted, granted ? 'allowed' : (code ?? 'internal_error'))
      if (outcome === 'failed' && code !== undefined && !clientFaults.has(code)) metrics.upstreamError(code)
      const current = options.log()
      if (outcome !== 'allowed' || current.enabled('info')) logDecision(current, decisionRecord(record))
    },
  })
  const apiApp = createApiApp({
    current: options.api,
    health: options.health,
    version,
    clock,
    log,
    revocations: options.revocations,
    onRequest: (record) => metrics.request(record),
    onDecision(record) {
      metrics.decision(record.ruleId, record.granted, record.code ?? 'allowed')
      logDecision(options.log(), record)
    },
  })
  const apiTls = tlsSource(serve.api.tls)
  const api = createApiServer({
    fetch: apiApp.fetch,
    timeouts: serve.api.timeout,
    ...(apiTls !== undefined && { tls: loadTls(apiTls) }),
  })
  const stopWatchingTls = apiTls === undefined ? undefined : watchTls(apiTls, log, (material) => api.setTls(material))
  const { prometheus } = serve
  // Oathkeeper serves metrics on any path; so does a config that does not name one.
  const metricsPath = prometheus.metrics_path === '/metrics' ? undefined : prometheus.metrics_path
  const metricsServer = createApiServer({
    fetch: createMetricsApp({ metrics, path: metricsPath }).fetch,
    timeouts: serve.api.timeout,
    perTurn: 1,
  })

  return {
    listen: async () => ({
      proxy: await bind('serve.proxy.port', proxy, serve.proxy, proxyTls !== undefined),
      api: await bind('serve.api.port', api, serve.api, apiTls !== undefined),
      metrics: await bind('serve.prometheus.port', metricsServer, prometheus, false),
    }),
    drain: () => proxy.drain(),
    retire() {
      for (const server of [proxy, api, metricsServer]) server.retire()
    },
    async close(grace) {
      stopWatchingTls?.()
      // Probes and scrapes are answered until the last proxied request has gone.
      await proxy.close(grace)
      await Promise.all([api.close(1000), metricsServer.close(1000)])
    },
  }
}

async function bind(
  key: string,
  server: { listen(port: number, host: string): Promise<{ readonly port: number }> },
  { host, port }: { readonly host: string; readonly port: number },
  tls: boolean,
): Promise<Address> {
  try {
    return { host, port: (await server.listen(port, host)).port, tls }
  } catch (error) {
    throw new ListenError(key, `${host === '' ? '*' : host}:${port}`, error)
  }
}

/** What keeps an allowed request from its answer without being the upstream's doing. */
const clientFaults: ReadonlySet<Code> = new Set(['client_closed_request', 'request_timeout'])

function decisionRecord(record: RequestRecord): DecisionRecord {
  const { inbound, unread, outcome } = record
  return {
    method: record.method,
    clientIp: record.remoteAddress,
    target: unread?.target,
    scheme: inbound?.scheme ?? '',
    host: inbound?.host ?? unread?.host ?? '',
    path: inbound?.path ?? '',
    userAgent: record.userAgent,
    traceparent: inbound?.headers.get('traceparent'),
    span: record.span,
    granted: outcome !== 'refused',
    ruleId: record.ruleId,
    session: record.session,
    code: outcome === 'refused' ? record.code : undefined,
    forwardError: outcome === 'failed' ? record.code : undefined,
    detail: record.reason,
    status: record.status,
    durationMs: record.durationMs,
    upstream: record.upstream,
  }
}
