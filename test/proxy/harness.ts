/** A running proxy plane with a decision function of the test's own. */
import type { GatewayError } from '../../src/errors.ts'
import type { AllowedDecision, Decision } from '../../src/pipeline/contract/decision.ts'
import type { Inbound } from '../../src/pipeline/contract/inbound.ts'
import type { UpstreamTarget } from '../../src/pipeline/contract/upstream.ts'
import type { Awaitable } from '../../src/pipeline/contract/values.ts'
import { errorAnswer } from '../../src/pipeline/error_body.ts'
import type { RequestRecord } from '../../src/proxy/record.ts'
import { createProxyServer } from '../../src/proxy/server.ts'
import type { ProxyServer, ProxyServerOptions } from '../../src/proxy/server.ts'
import type { ProxySettings } from '../../src/proxy/settings.ts'

export const secure: ProxySettings = {
  safeguards: {
    path: 'refuse',
    client_headers: 'drop',
    forwarded_headers: 'set',
    session_cookie_responses: 'drop',
  },
  endpoints: new Map(),
  trustForwardedHeaders: false,
  ownedHeaders: new Set(['authorization', 'x-identity']),
  sessionCookies: ['ory_kratos_session'],
  timeouts: { read: 5000, write: 120_000, idle: 120_000, responseHeaders: 120_000 },
}

export const compatible: ProxySettings = {
  ...secure,
  safeguards: {
    path: 'resolve',
    client_headers: 'pass',
    forwarded_headers: 'none',
    session_cookie_responses: 'pass',
  },
}

export const targetOf = (origin: string, rest: Partial<UpstreamTarget> = {}): UpstreamTarget => ({
  origin,
  basePath: '',
  preserveHost: false,
  stripPath: '',
  passCredentials: false,
  ...rest,
})

export const allow = (upstream: UpstreamTarget | undefined, rest: Partial<AllowedDecision> = {}): AllowedDecision => ({
  allowed: true,
  ruleId: 'rule',
  session: { subject: 'alice', extra: null },
  edits: [],
  responseHeaders: [],
  echoRequestHeaders: false,
  ...(upstream === undefined ? {} : { upstream }),
  ...rest,
})

export const refuse = (error: GatewayError): Decision => ({
  allowed: false,
  error,
  answer: errorAnswer(error, undefined, { verbose: false }),
})

export interface Harness {
  readonly port: number
  readonly server: ProxyServer
  readonly inbounds: Inbound[]
  readonly records: RequestRecord[]
  readonly logged: { readonly level: string; readonly fields: object; readonly message: string }[]
  decide: (inbound: Inbound) => Awaitable<Decision>
  settings: ProxySettings
  /** Resolves when the n-th record has been taken. */
  recorded(n: number): Promise<RequestRecord>
  reset(): void
  close(): Promise<void>
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startProxy(
  decide: (inbound: Inbound) => Awaitable<Decision>,
  settings: ProxySettings = secure,
  options: Partial<ProxyServerOptions> = {},
  host = '127.0.0.1',
): Promise<Harness> {
  const waiting = new Set<() => void>()
  const logged: Harness['logged'][number][] = []
  const log = (level: string) => (fields: object, message: string) => void logged.push({ level, fields, message })
  const server = createProxyServer({
    current: () => ({
      settings: harness.settings,
      decide: (inbound) => {
        harness.inbounds.push(inbound)
        return harness.decide(inbound)
      },
    }),
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    observe: (record) => {
      harness.records.push(record)
      for (const check of waiting) check()
    },
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    ...options,
  })
  const harness: Omit<Harness, 'port'> = {
    server,
    inbounds: [],
    records: [],
    logged,
    decide,
    settings,
    recorded: (n) =>
      new Promise((resolve) => {
        const check = (): void => {
          const record = harness.records[n - 1]
          if (record === undefined) return
          waiting.delete(check)
          resolve(record)
        }
        waiting.add(check)
        check()
      }),
    reset: () => {
      harness.inbounds.length = 0
      harness.records.length = 0
      logged.length = 0
      harness.decide = decide
      harness.settings = settings
    },
    close: () => server.close(0),
  }
  const { port } = await server.listen(0, host)
  return Object.assign(harness, { port })
}
