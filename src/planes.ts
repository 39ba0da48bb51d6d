/** What the two planes need to know of one generation of config, rules and keys. */
import { bearerCheck, networkCheck } from './api/bearer.ts'
import { hostCheck } from './api/hosts.ts'
import { JWKS_PATH, publishedKeySet } from './api/jwks.ts'
import { WHOAMI_PATH, type Whoami } from './api/whoami.ts'
import { isOpenToAll } from './api/whoami_checks.ts'
import type { ApiSnapshot } from './api/snapshot.ts'
import type { Config } from './config/schema.ts'
import type { Runtime, State } from './load.ts'
import type { KeySet } from './pipeline/contract/keys.ts'
import type { ErrorAnswer } from './pipeline/contract/outcomes.ts'
import { decide } from './pipeline/decide.ts'
import type { Snapshot } from './pipeline/snapshot.ts'
import { compileCors, type Cors } from './proxy/cors.ts'
import type { ProxyEndpoint, ProxySnapshot } from './proxy/settings.ts'
import { upstreamPath } from './proxy/target.ts'
import { createObserver, type Observer } from './revocation/observer.ts'
import { requestTracer } from './telemetry/request_span.ts'

/** An upstream that has the whole request may think this long before its answer begins (milliseconds). */
const RESPONSE_HEADERS_TIMEOUT = 120_000

/** With a runtime, calls that end sessions are seen on their way to Kratos. */
export function proxySnapshot(
  { config, snapshot, sessionCookies, credentialCookies, whoami }: State,
  runtime?: Pick<Runtime, 'sessions' | 'revocations' | 'log'>,
): ProxySnapshot {
  const { proxy } = config.serve
  const cors = corsOf(proxy.cors)
  const observer = runtime === undefined ? undefined : observerOf(config, runtime)
  return {
    decide: observer === undefined ? (inbound) => decide(inbound, snapshot) : observing(snapshot, observer),
    settings: {
      safeguards: config.safeguards,
      trustForwardedHeaders: proxy.trust_forwarded_headers,
      ownedHeaders: snapshot.ownedHeaders,
      sessionCookies,
      credentialCookies,
      timeouts: { ...proxy.timeout, responseHeaders: RESPONSE_HEADERS_TIMEOUT },
      webSockets: {
        max: proxy.websockets.max,
        maxPerSession: proxy.websockets.max_per_session,
        ping: proxy.websockets.ping,
      },
      endpoints: proxyEndpoints(proxy.endpoints, snapshot.keySets, whoami),
      ...(cors !== undefined && { cors }),
    },
    tracer: requestTracer(),
  }
}

function observing(snapshot: Snapshot, observer: Observer): ProxySnapshot['decide'] {
  return (inbound) => {
    const decision = decide(inbound, snapshot)
    return decision instanceof Promise ? decision.then((made) => observer(inbound, made)) : observer(inbound, decision)
  }
}

function observerOf(
  { kratos, revocation, safeguards }: Config,
  runtime: Pick<Runtime, 'sessions' | 'revocations' | 'log'>,
): Observer | undefined {
  if (!revocation.observe || kratos === undefined) return undefined
  return createObserver({
    ...runtime,
    publicUrl: kratos.public_url,
    adminUrl: kratos.admin_url,
    cookie: kratos.cookie,
    pathFor: (inbound, target) => upstreamPath(inbound, target, safeguards.path),
  })
}

function proxyEndpoints(
  wanted: Config['serve']['proxy']['endpoints'],
  keySets: readonly KeySet[],
  whoami: Whoami | undefined,
): ReadonlyMap<string, ProxyEndpoint> {
  const endpoints = new Map<string, ProxyEndpoint>()
  const jwks = (): ErrorAnswer => publishedKeySet(keySets)
  for (const entry of wanted) {
    const { name, path } = typeof entry === 'string' ? { name: entry, path: undefined } : entry
    if (name === 'jwks') endpoints.set(path ?? JWKS_PATH, jwks)
    else if (whoami !== undefined) endpoints.set(path ?? WHOAMI_PATH, whoami)
  }
  return endpoints
}

export function apiSnapshot({ config, snapshot, sessionCookies, apiTokens, whoami }: State): ApiSnapshot {
  const { api } = config.serve
  return {
    decide: (inbound) => decide(inbound, snapshot),
    inbound: { safeguards: config.safeguards, sessionCookies },
    validRules: snapshot.validRules,
    keySets: snapshot.keySets,
    whoami: isOpenToAll(api.cors) ? undefined : whoami,
    answersTo: hostCheck(api.allowed_hosts),
    cors: corsOf(api.cors),
    tracer: requestTracer(),
    ...(apiTokens.admin !== undefined && {
      admin: { accepts: bearerCheck(apiTokens.admin), admits: networkCheck(api.admin?.allowed_networks ?? []) },
    }),
    ...(apiTokens.webhook !== undefined && { hooks: { accepts: bearerCheck(apiTokens.webhook) } }),
  }
}

function corsOf(cors: Config['serve']['proxy']['cors']): Cors | undefined {
  if (!cors.enabled) return undefined
  return compileCors({
    allowedOrigins: cors.allowed_origins,
    allowedMethods: cors.allowed_methods,
    allowedHeaders: cors.allowed_headers,
    exposedHeaders: cors.exposed_headers,
    allowCredentials: cors.allow_credentials,
    maxAge: cors.max_age,
  })
}
