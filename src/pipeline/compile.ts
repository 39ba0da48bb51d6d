/**
 * Loaded rules and the config become a snapshot: every handler's config is merged and parsed once, every pattern and template
 * compiled. A step that cannot be built is replaced by one that answers 500, and its problem is reported at its place; the
 * caller decides whether such a snapshot may serve (`invalid_rules`).
 */
import type { Locate, Problem } from '../documents/problem.ts'
import { mergeLayers } from '../documents/layers.ts'
import { validate } from '../documents/zod.ts'
import { GatewayError } from '../errors.ts'
import { createMatcher } from '../rules/matcher.ts'
import type { HandlerRef, LoadedRule } from '../rules/rule.ts'
import {
  type AnyHandler,
  type Authenticator,
  type Authorizer,
  ConfigError,
  type ErrorHandler,
  type ErrorStep,
  type Handler,
  type JsonObject,
  type Mutator,
  type Mutate,
  type Setup,
} from './contract.ts'
import type { CompiledRule, Named, Snapshot } from './snapshot.ts'
import { upstreamTarget } from './upstream.ts'

interface HandlerSettings {
  readonly enabled: boolean
  readonly config?: JsonObject | undefined
}
type HandlerTable = Readonly<Record<string, HandlerSettings | undefined>>

/** The part of the config that rules build on. */
export interface PipelineConfig {
  readonly authenticators: HandlerTable
  readonly authorizers: HandlerTable
  readonly mutators: HandlerTable
  readonly errors: { readonly fallback: readonly string[]; readonly handlers: HandlerTable }
  readonly access_rules: { readonly matching_strategy: 'regexp' | 'glob' }
  readonly kratos?: { readonly public_url?: string | undefined } | undefined
}

export interface CompileInput {
  readonly rules: readonly LoadedRule[]
  readonly config: PipelineConfig
  /** Finds places in the config files. */
  readonly locate: Locate
  readonly handlers: readonly AnyHandler[]
  readonly setup: Omit<Setup, 'report'>
}

export interface Compiled {
  readonly snapshot: Omit<Snapshot, 'keySets'>
  readonly problems: readonly Problem[]
}

type Kind = AnyHandler['kind']

/** How Oathkeeper names the kinds in its messages. */
const SINGULAR = {
  authenticators: 'authenticator',
  authorizers: 'authorizer',
  mutators: 'mutator',
  errors: 'error handler',
} as const

export async function compileRules(input: CompileInput): Promise<Compiled> {
  const problems: Problem[] = []
  const owned = new Set<string>()
  const rules: CompiledRule[] = []
  const invalid = new Set<CompiledRule>()
  for (const loaded of input.rules) {
    problems.push(...loaded.problems)
    const { compiled, broken } = await compileRule(input, loaded, problems, owned)
    if (broken || loaded.problems.some(({ severity }) => severity === 'error')) invalid.add(compiled)
    rules.push(compiled)
  }
  const fallback: Named<ErrorStep>[] = []
  for (const [index, name] of input.config.errors.fallback.entries()) {
    fallback.push({ name, step: await compileFallback(input, name, index, problems) })
  }
  const {
    matcher,
    problems: patternProblems,
    broken,
  } = createMatcher(
    // A rule without `match` matches nothing; it is invalid, and told as such.
    rules.flatMap((compiled, index) => {
      const { match } = compiled.rule
      if (match === null) return []
      return [
        {
          id: compiled.id,
          methods: match.methods,
          url: match.url,
          value: compiled,
          locate: input.rules[index]!.locate,
        },
      ]
    }),
    input.config.access_rules.matching_strategy,
  )
  for (const rule of broken) invalid.add(rule)
  problems.push(...patternProblems)
  // Cookie and Authorization have rules of their own in the proxy: other cookies stay, and a rule may pass them.
  owned.delete('cookie')
  owned.delete('authorization')
  return {
    snapshot: {
      rules,
      validRules: rules.filter((rule) => !invalid.has(rule)).map(({ rule }) => rule),
      matcher,
      fallback,
      ownedHeaders: owned,
      log: input.setup.log,
    },
    problems,
  }
}

/** The rule, and whether one of its steps could not be built. */
async function compileRule(
  input: CompileInput,
  loaded: LoadedRule,
  problems: Problem[],
  owned: Set<string>,
): Promise<{ readonly compiled: CompiledRule; readonly broken: boolean }> {
  const { rule, locate } = loaded
  const { config } = input
  let broken = false
  const build = async <K extends Kind>(
    kind: K,
    table: HandlerTable,
    ref: HandlerRef,
    path: readonly (string | number)[],
  ) => {
    const step = await compileStep<K>(input, { kind, table, ref, path, ruleLocate: locate, ruleId: rule.id }, problems)
    broken ||= step instanceof GatewayError
    return { name: ref.handler, step }
  }
  const authenticators = []
  for (const [index, ref] of rule.authenticators.entries()) {
    const { name, step } = await build('authenticators', config.authenticators, ref, ['authenticators', index])
    authenticators.push({ name, step: step instanceof GatewayError ? () => raise(step) : step })
  }
  const authorizer = await build('authorizers', config.authorizers, rule.authorizer, ['authorizer'])
  const mutators: Named<Mutate>[] = []
  for (const [index, ref] of rule.mutators.entries()) {
    const { name, step } = await build('mutators', config.mutators, ref, ['mutators', index])
    if (!(step instanceof GatewayError)) for (const header of step.owns) owned.add(header)
    mutators.push({ name, step: step instanceof GatewayError ? () => raise(step) : step.mutate })
  }
  const errors: Named<ErrorStep>[] = []
  for (const [index, ref] of (rule.errors ?? []).entries()) {
    const { name, step } = await build('errors', config.errors.handlers, ref, ['errors', index])
    errors.push({ name, step: step instanceof GatewayError ? failing(step) : step })
  }
  const upstream = upstreamTarget(rule, config.kratos?.public_url)
  const { step: gate } = authorizer
  if (!(gate instanceof GatewayError)) for (const header of gate.owns) owned.add(header)
  const compiled = {
    id: rule.id,
    rule,
    authenticators,
    authorizer: { name: authorizer.name, step: gate instanceof GatewayError ? () => raise(gate) : gate.authorize },
    mutators,
    errors,
    ...(upstream !== undefined && { upstream }),
  }
  return { compiled, broken }
}

interface StepSource {
  readonly kind: Kind
  readonly table: HandlerTable
  readonly ref: HandlerRef
  /** Where the handler stands in the rule. */
  readonly path: readonly (string | number)[]
  readonly ruleLocate: Locate
  readonly ruleId: string
}

type StepOf<K extends Kind> = {
  authenticators: Awaited<ReturnType<Authenticator['create']>>
  authorizers: Awaited<ReturnType<Authorizer['create']>>
  mutators: Awaited<ReturnType<Mutator['create']>>
  errors: Awaited<ReturnType<ErrorHandler['create']>>
}[K]

/** The step, or the error with which it answers when it is reached; its problems are added to `problems`. */
async function compileStep<K extends Kind>(
  input: CompileInput,
  source: StepSource,
  problems: Problem[],
): Promise<StepOf<K> | GatewayError> {
  const { kind, table, ref, path, ruleLocate, ruleId } = source
  const { handler: name } = ref
  const report = (
    message: string,
    place: ReturnType<Locate>,
    hint?: string,
    severity: Problem['severity'] = 'error',
  ): void => {
    problems.push({ severity, message, ...(place !== undefined && { place }), ...(hint !== undefined && { hint }) })
  }
  const handler = input.handlers.find((candidate) => candidate.kind === kind && candidate.name === name) as
    Handler<K, StepOf<K>> | undefined
  if (handler === undefined) {
    const known = input.handlers.filter((candidate) => candidate.kind === kind).map((candidate) => candidate.name)
    const field = path.length === 1 ? `${path[0]}.handler` : `${path[0]}[${path[1]}]`
    const message = `Value "${name}" of "${field}" is not in list of supported ${kind}: [${known.join(' ')}]`
    // An authorizer that is missing has been reported with the rule.
    if (name !== '' || kind !== 'authorizers') report(message, ruleLocate([...path, 'handler']))
    return kind === 'errors'
      ? new GatewayError('error_handler_failed', { reason: `Unable to find error handler named: ${name}` })
      : misconfigured(kind, message)
  }
  const settings = table[name]
  if (settings?.enabled !== true) {
    const reason = `${capitalised(SINGULAR[kind])} "${name}" is disabled per configuration.`
    const section = kind === 'errors' ? `errors.handlers.${name}` : `${kind}.${name}`
    report(
      reason,
      ruleLocate([...path, 'handler']),
      `Set ${section}.enabled to true in the config, or take it out of rule "${ruleId}".`,
    )
    return misconfigured(kind, reason)
  }
  const globalPath = kind === 'errors' ? ['errors', 'handlers', name, 'config'] : [kind, name, 'config']
  const { value, locate } = mergeLayers([
    { value: settings.config, locate: (at, on) => input.locate([...globalPath, ...at], on) },
    { value: ref.config ?? undefined, locate: (at, on) => ruleLocate([...path, 'config', ...at], on) },
  ])
  const parsed = validate(handler.config, value ?? {}, (at, on) => locate(at, on) ?? ruleLocate([...path, 'handler']), [
    'config',
  ])
  if (!parsed.valid) {
    problems.push(...parsed.problems)
    return misconfigured(
      kind,
      `Configuration for ${SINGULAR[kind]} "${name}" could not be validated: ${parsed.problems.map(({ message }) => message).join('; ')}`,
    )
  }
  try {
    return await handler.create(parsed.value, {
      ...input.setup,
      report: (severity, message, at = [], hint) => report(message, locate(at), hint, severity),
    })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    report(error.message, locate(error.path), error.hint)
    return misconfigured(kind, `Configuration for ${SINGULAR[kind]} "${name}" could not be validated: ${error.message}`)
  }
}

/** A fallback handler that is disabled, unknown or broken fails at once when it is asked, as in Oathkeeper. */
async function compileFallback(
  input: CompileInput,
  name: string,
  index: number,
  problems: Problem[],
): Promise<ErrorStep> {
  const found: Problem[] = []
  const source = {
    kind: 'errors',
    table: input.config.errors.handlers,
    ref: { handler: name, config: undefined },
    path: ['errors', index],
    ruleLocate: () => input.locate(['errors', 'fallback', index]),
    ruleId: '',
  } as const
  const step = await compileStep<'errors'>(input, source, found)
  if (!(step instanceof GatewayError)) {
    problems.push(...found)
    return step
  }
  const message = `Fallback error handler "${name}" was requested but is disabled or unknown.`
  const place = input.locate(['errors', 'fallback', index])
  problems.push({
    severity: 'error',
    message,
    ...(place !== undefined && { place }),
    hint: `Set errors.handlers.${name}.enabled to true.`,
  })
  return failing(
    new GatewayError('error_handler_failed', {
      reason: `${message} This is a configuration error that needs to be resolved by the system administrator.`,
    }),
  )
}

function failing(error: GatewayError): ErrorStep {
  return { matches: () => raise(error), answer: () => raise(error) }
}

// A new error each time: one request's error must never carry what another's added to it.
function raise(error: GatewayError): never {
  throw new GatewayError(error.code, {
    message: error.message,
    ...(error.reason !== undefined && { reason: error.reason }),
  })
}

function misconfigured(kind: Kind, reason: string): GatewayError {
  return new GatewayError('rule_misconfigured', {
    message: `${SINGULAR[kind]} matching this route is misconfigured or disabled`,
    reason,
  })
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
