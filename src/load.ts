/**
 * Files and environment become everything that requests run on: config, rules, keys. `serve`, `validate` and `explain` load
 * the same way; what one of them accepts the others accept.
 */
import { loadApiTokens, type ApiTokens } from './api_tokens.ts'
import { createWhoami, type Whoami } from './api/whoami.ts'
import { whoamiProblems } from './api/whoami_checks.ts'
import { certificateProblems } from './certificates.ts'
import type { Config } from './config/schema.ts'
import { sessionCookies, storeCookie, tokenCookies } from './config/cookies.ts'
import { loadConfig, type LoadedConfig } from './config/load.ts'
import { migrationNotes, type MigrationNote } from './config/migration.ts'
import type { Environment } from './documents/interpolate.ts'
import { type Locate, type Problem, withoutRepetitions } from './documents/problem.ts'
import type { AnyHandler } from './pipeline/contract/handler.ts'
import type { SessionExtender } from './pipeline/contract/session_store.ts'
import type { Setup } from './pipeline/contract/setup.ts'
import type { TokenTemplate } from './pipeline/contract/tokens.ts'
import type { JsonObject } from './pipeline/contract/values.ts'
import { builtinHandlers } from './pipeline/builtin.ts'
import { corsProblems } from './proxy/cors_problems.ts'
import { compileRules } from './pipeline/compile.ts'
import type { Snapshot } from './pipeline/snapshot.ts'
import type { LoadedRule } from './rules/rule.ts'
import { layerProblems } from './revocation_layers.ts'
import { loadRepositories, type LoadedRepositories } from './rules/repositories/load.ts'
import type { SessionExtenders } from './sessions/extender.ts'
import { healthUrl } from './sessions/health.ts'
import { createMappers, type LoadedMappers } from './tokens/claims/mappers.ts'
import type { MapperWorkers } from './tokens/claims/workers/pool.ts'
import { exportProblems } from './tokens/key_export_check.ts'
import { createKeySets, type LoadedKeySets } from './tokens/key_sets.ts'
import { adviceOnSchedule } from './tokens/schedule_advice.ts'
import { loadTokenTemplates } from './tokens/token_templates.ts'

/** Everything that outlives a snapshot: pools, caches and clocks. */
export type Runtime = Pick<
  Setup,
  'clock' | 'randomUUID' | 'sessions' | 'revocations' | 'tokens' | 'http' | 'shared' | 'log'
> & {
  /** Where claims mappers are evaluated that are not trusted. */
  readonly mapperWorkers: MapperWorkers
  /** Absent where nothing may be changed in Kratos. */
  readonly sessionExtenders?: SessionExtenders
}

export interface LoadOptions {
  /** Later files go over earlier ones. */
  readonly configFiles: readonly string[]
  readonly env: Environment
  /** Handlers beside those that ship. */
  readonly handlers?: readonly AnyHandler[]
  /** A config that the files lie over. */
  readonly base?: JsonObject
  readonly runtime: Runtime
  /** What is in force: rule files and key sets that can no longer be read are taken from it. */
  readonly previous?: State | undefined
}

/** One generation of config, rules and keys. */
export interface State {
  readonly config: Config
  readonly snapshot: Snapshot
  /** Every cookie that carries a session: the session store's own, and those that cookie_session is told to look at. */
  readonly sessionCookies: readonly string[]
  /** Those, and every other cookie that some authenticator takes a token from. */
  readonly credentialCookies: readonly string[]
  readonly repositories: LoadedRepositories
  readonly keySets: LoadedKeySets
  readonly apiTokens: ApiTokens
  readonly mappers: LoadedMappers
  readonly tokenTemplates: ReadonlyMap<string, TokenTemplate>
  /** Absent without `kratos.public_url`. */
  readonly whoami: Whoami | undefined
}

export interface LoadResult {
  /** Absent when what is wrong is too wrong to serve with. */
  readonly state?: State
  /** The config is too wrong for its rules, keys and templates to be looked at. */
  readonly configOnly: boolean
  /** Errors and warnings, in the order of the files. */
  readonly problems: readonly Problem[]
  /** What could not be read, so that the state has it as it was before. */
  readonly kept: readonly Problem[]
  /** What the files mean here and did not mean to Oathkeeper. */
  readonly notes: readonly MigrationNote[]
  readonly relied: LoadedConfig['relied']
  /** Absolute paths of all files that were read or looked for. */
  readonly files: readonly string[]
}

const TEMPLATES = ['session', 'whoami', 'tokenizer', 'templates'] as const

/** Never rejects for what is wrong in the files: that comes back as problems. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  // Taken out of the options: a function that held on to these would keep every generation there has been.
  const { runtime, previous, env } = options
  const handlers = [...builtinHandlers, ...(options.handlers ?? [])]
  const { base } = options
  const loaded = await loadConfig({
    files: options.configFiles,
    env: options.env,
    handlers,
    ...(base !== undefined && { base }),
  })
  const { config, relied, written, locate } = loaded
  if (config === undefined) {
    const notes = migrationNotes(written, locate, [])
    return { configOnly: true, problems: loaded.problems, kept: [], notes, relied, files: loaded.files }
  }

  const repositories = await loadRepositories(config.access_rules.repositories, {
    missing: config.safeguards.missing_rule_files,
    strict: config.safeguards.invalid_rules === 'refuse',
    place: (index) => loaded.locate(['access_rules', 'repositories', index]),
    env: options.env,
    previous: previous?.repositories,
  })
  const cookies = sessionCookies(config, repositories.rules)
  const credentials = [...new Set([...cookies, ...tokenCookies(config, repositories.rules)])]
  const keySets = createKeySets({ previous: previous?.keySets.sets, now: () => runtime.clock.now() })
  const mappers = createMappers({ previous: previous?.mappers.mappers })
  const { safeguards } = config
  const templates = { functions: config.templates.allow_functions, host: { env: (name: string) => env[name] } }
  const tokenTemplates = await loadTokenTemplates(config.session.whoami.tokenizer.templates, {
    ...runtime,
    safeguards,
    templates,
    keys: keySets,
    mappers,
    workers: runtime.mapperWorkers,
    issuer: config.kratos?.public_url,
    locate: (path, on) => locate([...TEMPLATES, ...path], on),
  })
  const compiled = await compileRules({
    rules: repositories.rules,
    config,
    locate: loaded.locate,
    handlers,
    setup: {
      ...runtime,
      safeguards,
      templates,
      keys: keySets,
      tokenTemplates: tokenTemplates.templates,
      matchingStrategy: config.access_rules.matching_strategy,
      sessionCookie: storeCookie(config),
      sessionCookies: credentials,
      passCredentials: false,
      sessionStoreHealth: healthUrlOf(config),
      sessionExtender: extenderOf(config, runtime),
    },
  })
  // Published even when no rule signs with it, as in Oathkeeper.
  const globalKeys = config.mutators['id_token']?.config?.['jwks_url']
  if (typeof globalKeys === 'string') await keySets.load(globalKeys)

  const serving = [
    ...certificateProblems(config.serve, loaded.locate),
    ...corsProblems(config, loaded.locate),
    ...whoamiProblems(config, loaded.locate),
    ...exportProblems(config.jwks.export, keySets.files, loaded.locate),
  ]
  const apiTokens = loadApiTokens(config, loaded.locate)
  const layers = await layerProblems(config, loaded.locate)
  const problems = withoutRepetitions([
    ...loaded.problems,
    ...serving,
    ...apiTokens.problems,
    ...layers,
    ...tokenTemplates.problems,
    ...repositories.problems,
    ...compiled.problems,
    ...scheduleProblems(keySets, (url) => placeOfKeySet(url, config, repositories.rules, locate)),
  ])
  const files = [
    ...loaded.files,
    ...repositories.files,
    ...keySets.files,
    ...mappers.files,
    ...compiled.files,
    ...apiTokens.files,
  ]
  const refused =
    tokenTemplates.refused ||
    hasError([...loaded.problems, ...serving, ...apiTokens.problems, ...layers, ...repositories.problems]) ||
    (safeguards.invalid_rules === 'refuse' && hasError(compiled.problems))
  const snapshot = { ...compiled.snapshot, keySets: [...keySets.sets.values()] }
  const keptKeySets = keySets.kept.map(({ url, problem }): Problem => {
    const place = placeOfKeySet(url, config, repositories.rules, locate)
    const message = `Key set ${problem}; the old one stays in use`
    return { severity: 'warning', message, ...(place !== undefined && { place }) }
  })
  const kept = [...repositories.kept, ...keptKeySets, ...tokenTemplates.kept]
  return {
    configOnly: false,
    problems,
    kept,
    // Made when they are asked for: a reload of thousands of rules has no use for them.
    get notes() {
      return migrationNotes(written, locate, repositories.rules)
    },
    relied,
    files,
    ...(!refused && {
      state: {
        config,
        snapshot,
        sessionCookies: cookies,
        credentialCookies: credentials,
        repositories,
        keySets,
        mappers,
        tokenTemplates: tokenTemplates.templates,
        whoami: whoamiOf(config, runtime, tokenTemplates.templates),
        apiTokens: apiTokens.tokens,
      },
    }),
  }
}

/** Keys that end too early by their own times. */
function scheduleProblems({ uses }: LoadedKeySets, placeOf: (url: string) => Problem['place']): readonly Problem[] {
  return uses.flatMap(({ url, set, lifetime = 0 }) => {
    const place = placeOf(url)
    return adviceOnSchedule(set, lifetime).map((advice): Problem => ({
      severity: 'warning',
      ...advice,
      ...(place !== undefined && { place }),
    }))
  })
}

/** Where the config, or else a rule, names this key set. */
function placeOfKeySet(url: string, config: Config, rules: readonly LoadedRule[], locate: Locate): Problem['place'] {
  if (config.mutators['id_token']?.config?.['jwks_url'] === url) {
    return locate(['mutators', 'id_token', 'config', 'jwks_url'])
  }
  const templates = Object.entries(config.session.whoami.tokenizer.templates)
  const [template] = templates.find(([, { jwks_url }]) => jwks_url === url) ?? []
  if (template !== undefined) return locate([...TEMPLATES, template, 'jwks_url'])
  for (const { rule, locate: locateInRule } of rules) {
    const index = rule.mutators.findIndex((ref) => (ref.config as { jwks_url?: unknown } | null)?.jwks_url === url)
    if (index !== -1) return locateInRule(['mutators', index, 'config', 'jwks_url'])
  }
  return undefined
}

function whoamiOf(
  { kratos, safeguards }: Config,
  runtime: Runtime,
  templates: ReadonlyMap<string, TokenTemplate>,
): Whoami | undefined {
  if (kratos?.public_url === undefined) return undefined
  return createWhoami({ ...runtime, kratos: kratos.public_url, cookie: kratos.cookie, templates, safeguards })
}

function healthUrlOf({ kratos }: Config): string | undefined {
  const base = kratos?.public_url ?? kratos?.admin_url
  return base === undefined ? undefined : healthUrl(base)
}

function extenderOf({ kratos }: Config, { sessionExtenders }: Runtime): SessionExtender | undefined {
  if (kratos?.extend_sessions === undefined || kratos.admin_url === undefined) return undefined
  return sessionExtenders?.({ adminUrl: kratos.admin_url, publicUrl: kratos.public_url, ...kratos.extend_sessions })
}

function hasError(problems: readonly Problem[]): boolean {
  return problems.some(({ severity }) => severity === 'error')
}
