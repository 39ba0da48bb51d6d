import type { JsonObject } from '../pipeline/contract/values.ts'
import { resolveSafeguards } from './profile.ts'
import type { Config, HandlerTable, ParsedConfig } from './schema.ts'

/** Milliseconds: as long as most load balancers and Kubernetes take to notice that a server is no longer ready. */
const SECURE_DRAIN = 5000

const loopbackNames = ['localhost', '127.0.0.1', '[::1]']

/** Fills in what depends on the profile, and puts the handlers' configs back as they were written. */
export function finishConfig(parsed: ParsedConfig, written: unknown): Config {
  const { profile, serve, kratos, tracing, profiling, version } = parsed
  const { host, allowed_hosts: names, ...api } = serve.api
  const listenOn = profile === 'secure' ? '127.0.0.1' : ''
  const hosts = allowedHosts(names ?? (profile === 'secure' ? [] : ['*']))
  const raw = written as { readonly errors?: { readonly handlers?: unknown } } & Readonly<Record<string, unknown>>
  return {
    profile,
    safeguards: resolveSafeguards(profile, parsed.safeguards),
    serve: {
      proxy: serve.proxy,
      api: { ...api, host: host ?? listenOn, ...(hosts !== undefined && { allowed_hosts: hosts }) },
      prometheus: { ...serve.prometheus, host: serve.prometheus.host ?? listenOn },
      shutdown: { ...serve.shutdown, drain: serve.shutdown.drain ?? (profile === 'secure' ? SECURE_DRAIN : 0) },
    },
    access_rules: parsed.access_rules,
    upstream: parsed.upstream,
    authenticators: table(parsed.authenticators, raw['authenticators']),
    authorizers: table(parsed.authorizers, raw['authorizers']),
    mutators: table(parsed.mutators, raw['mutators']),
    errors: { fallback: parsed.errors.fallback, handlers: table(parsed.errors.handlers, raw.errors?.handlers) },
    jwks: parsed.jwks,
    session: parsed.session,
    revocation: parsed.revocation,
    templates: parsed.templates,
    log: parsed.log,
    ...(kratos !== undefined && { kratos }),
    ...(tracing !== undefined && { tracing }),
    ...(profiling !== undefined && { profiling }),
    ...(version !== undefined && { version }),
  }
}

function allowedHosts(names: readonly string[]): readonly string[] | undefined {
  return names.includes('*') ? undefined : [...new Set([...loopbackNames, ...names.map((name) => name.toLowerCase())])]
}

function table(parsed: Readonly<Record<string, { readonly enabled: boolean }>>, raw: unknown): HandlerTable {
  const written = (raw ?? {}) as Readonly<Record<string, { readonly config?: JsonObject | null } | undefined>>
  return Object.fromEntries(
    Object.entries(parsed).map(([name, { enabled }]) => {
      const config = written[name]?.config
      return [name, { enabled, ...(config !== undefined && config !== null && { config }) }]
    }),
  )
}
