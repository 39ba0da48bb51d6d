/** What the two planes need to know of one generation of config, rules and keys. */
import { bearerCheck, networkCheck } from './api/bearer.ts'
import { hostCheck } from './api/hosts.ts'
import type { ApiSnapshot } from './api/snapshot.ts'
import type { Config } from './config/schema.ts'
import type { State } from './load.ts'
import { decide } from './pipeline/decide.ts'
import { compileCors, type Cors } from './proxy/cors.ts'
import type { ProxySnapshot } from './proxy/settings.ts'
import { requestTracer } from './telemetry/request_span.ts'

/** An upstream that has the whole request may think this long before its answer begins (milliseconds). */
const RESPONSE_HEADERS_TIMEOUT = 120_000

export function proxySnapshot({ config, snapshot, sessionCookies }: State): ProxySnapshot {
  const { proxy } = config.serve
  const cors = corsOf(proxy.cors)
  return {
    decide: (inbound) => decide(inbound, snapshot),
    settings: {
      safeguards: config.safeguards,
      trustForwardedHeaders: proxy.trust_forwarded_headers,
      ownedHeaders: snapshot.ownedHeaders,
      sessionCookies,
      timeouts: { ...proxy.timeout, responseHeaders: RESPONSE_HEADERS_TIMEOUT },
      webSockets: {
        max: proxy.websockets.max,
        maxPerSession: proxy.websockets.max_per_session,
        ping: proxy.websockets.ping,
      },
      ...(cors !== undefined && { cors }),
    },
    tracer: requestTracer(),
  }
}

export function apiSnapshot({ config, snapshot, sessionCookies, apiTokens }: State): ApiSnapshot {
  const { api } = config.serve
  return {
    decide: (inbound) => decide(inbound, snapshot),
    inbound: { safeguards: config.safeguards, sessionCookies },
    validRules: snapshot.validRules,
    keySets: snapshot.keySets,
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
