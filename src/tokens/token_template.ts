/** Kratos' tokenizer templates: what they ask for becomes a kind of token. */
import { GatewayError } from '../errors.ts'
import { ConfigError } from '../pipeline/contract/config_error.ts'
import type { Exchange } from '../pipeline/contract/exchange.ts'
import type { SigningKey } from '../pipeline/contract/keys.ts'
import type { Safeguards } from '../pipeline/contract/safeguards.ts'
import type { Session } from '../pipeline/contract/session.ts'
import type { Setup } from '../pipeline/contract/setup.ts'
import type { TokenTemplate } from '../pipeline/contract/tokens.ts'
import type { JsonObject } from '../pipeline/contract/values.ts'
import { resuming } from '../pipeline/resume.ts'
import { adviceOn, adviceOnMapper } from './claims/advice.ts'
import { compileClaims } from './claims/compile.ts'
import { evaluateHere, type EvaluateMapper, mapperClaims } from './claims/mapper.ts'
import type { LoadedMappers } from './claims/mappers.ts'
import type { ClaimsTemplate } from './claims/template.ts'
import type { MapperWorkers } from './claims/workers/pool.ts'
import { checkLifetime } from './lifetime.ts'
import { allClaims, createIssue, createMint, type ClaimsSettings } from './mint.ts'

/** A template as the config has it. */
export interface TokenTemplateSettings {
  readonly jwks_url: string
  /** Empty counts as absent, as in Kratos. */
  readonly claims_mapper_url?: string | undefined
  readonly claims?: string | Readonly<Record<string, unknown>> | undefined
  /** Milliseconds. */
  readonly ttl: number
  readonly subject_source: 'id' | 'external_id'
  readonly issuer_url?: string | undefined
  readonly token_lifetime: Safeguards['token_lifetime']
  readonly evaluation: {
    readonly worker: boolean
    /** Milliseconds. */
    readonly timeout: number
  }
}

export interface TokenTemplateSetup extends Pick<
  Setup,
  'clock' | 'randomUUID' | 'tokens' | 'safeguards' | 'templates' | 'keys' | 'report'
> {
  readonly mappers: LoadedMappers
  readonly workers: MapperWorkers
  /** The claim `iss` of a template that does not name one. */
  readonly issuer: string | undefined
}

/**
 * Compiles a template. A key set without a key to sign with is reported, and then every token fails with it, where
 * `missing_signing_keys` isolates it.
 * Throws ConfigError with the path inside the template.
 */
export async function createTokenTemplate(
  settings: TokenTemplateSettings,
  setup: TokenTemplateSetup,
): Promise<TokenTemplate> {
  const { clock, randomUUID, tokens, safeguards } = setup
  checkLifetime(settings.ttl, safeguards, setup)
  const set = await setup.keys.load(settings.jwks_url, settings.ttl)
  const key = keyOf(() => set.firstKey(), setup)
  const claims = await claimsOf(settings, setup, key instanceof GatewayError ? undefined : key.alg)
  const shared: ClaimsSettings = {
    issuer: issuerOf(settings, setup),
    ttl: settings.ttl,
    claims,
    safeguards: { token_backdate: safeguards.token_backdate, token_lifetime: settings.token_lifetime },
    subject: settings.subject_source === 'id' ? identityId : externalId,
    sid: true,
    clock,
    randomUUID,
  }
  const claimsFor: TokenTemplate['claims'] = resuming((exchange: Exchange) => {
    const made = allClaims(exchange, shared)
    return made instanceof Promise ? made.then(({ all }) => all) : made.all
  })
  if (key instanceof GatewayError) {
    const failing = (): never => {
      throw new GatewayError(key.code, key.reason === undefined ? {} : { reason: key.reason })
    }
    return { mint: failing, issue: async () => failing(), claims: claimsFor }
  }
  const complete = { ...shared, key }
  const issue = resuming(createIssue(complete))
  return {
    mint: createMint({ ...complete, jwksUrl: settings.jwks_url, tokens }),
    // Steps of the pipeline wait themselves for what a template has to wait for; whoever issues a token is none of them.
    issue: async (exchange) => issue(exchange),
    claims: claimsFor,
  }
}

async function claimsOf(
  settings: TokenTemplateSettings,
  setup: TokenTemplateSetup,
  alg: string | undefined,
): Promise<ClaimsTemplate | undefined> {
  const { claims, claims_mapper_url: url = '', evaluation } = settings
  if (url === '') {
    for (const { message, path, hint } of adviceOn(claims, alg))
      setup.report('warning', message, ['claims', ...path], hint)
    return within(['claims'], () =>
      compileClaims(claims as string | JsonObject | undefined, setup.safeguards, setup.templates),
    )
  }
  if (claims !== undefined && claims !== '') {
    throw new ConfigError('A template has either claims_mapper_url or claims', ['claims'], 'Take out one of them.')
  }
  const { workers } = setup
  const evaluateThere: EvaluateMapper = (mapper, session, defaults, others) =>
    workers.evaluate(mapper, { session, defaults, others }, evaluation.timeout)
  return within(['claims_mapper_url'], async () => {
    const mapper = await setup.mappers.load(url)
    for (const { message, hint } of adviceOnMapper(mapper.source, alg))
      setup.report('warning', message, ['claims_mapper_url'], hint)
    return mapperClaims(mapper, evaluation.worker ? evaluateThere : evaluateHere)
  })
}

/** Leads a ConfigError to where in the template it is. */
async function within<Value>(path: readonly string[], work: () => Value): Promise<Awaited<Value>> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(error.message, [...path, ...error.path], error.hint, error.within)
  }
}

function issuerOf({ issuer_url }: TokenTemplateSettings, { issuer }: TokenTemplateSetup): string {
  const iss = issuer_url ?? issuer
  if (iss !== undefined) return iss
  throw new ConfigError(
    'Tokens of this template have no issuer: neither issuer_url nor kratos.public_url is set',
    [],
    "Set issuer_url to what Kratos' serve.public.base_url says.",
  )
}

/** The key, or the error that every token gets where a missing key is no reason to refuse the config. */
function keyOf(load: () => SigningKey, { safeguards, report }: TokenTemplateSetup): SigningKey | GatewayError {
  try {
    return load()
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    const message = error.reason ?? error.message
    const hint = 'The first key of the set has to be a private or symmetric one with `alg`.'
    if (safeguards.missing_signing_keys === 'refuse') throw new ConfigError(message, ['jwks_url'], hint)
    report('error', message, ['jwks_url'], hint)
    return error
  }
}

/** Who it is by Kratos; sessions from elsewhere have only a subject. */
function identityId(session: Session): string {
  const id = identityOf(session)?.['id']
  return typeof id === 'string' ? id : session.subject
}

function externalId(session: Session): string {
  const id = identityOf(session)?.['external_id']
  if (typeof id === 'string' && id !== '') return id
  const message = "The session's identity does not have an external ID set, but it is required for the subject claim."
  throw new GatewayError('template_failed', { message, reason: message })
}

function identityOf({ extra }: Session): JsonObject | undefined {
  const identity = extra?.['identity']
  return typeof identity === 'object' && identity !== null && !Array.isArray(identity) ? identity : undefined
}
