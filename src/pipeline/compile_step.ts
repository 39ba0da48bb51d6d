/** One handler of a rule becomes a step: its config merged over the global one, parsed once, its templates compiled. */
import { type Layer, mergeLayers } from '../documents/layers.ts'
import type { Locate, Path, Problem, Within } from '../documents/problem.ts'
import { closest } from '../documents/suggest.ts'
import { validate } from '../documents/zod.ts'
import { GatewayError } from '../errors.ts'
import type { HandlerRef, LoadedRule } from '../rules/rule.ts'
import type { UpstreamSettings } from '../rules/upstream.ts'
import { builtinHandlers } from './builtin.ts'
import { ConfigError } from './contract/config_error.ts'
import type { AnyHandler, Authenticator, Authorizer, ErrorHandler, Handler, Mutator } from './contract/handler.ts'
import type { Setup } from './contract/setup.ts'
import type { AuthorizerStep, ErrorStep, MutatorStep } from './contract/steps.ts'
import type { JsonObject } from './contract/values.ts'
import { resuming } from './resume.ts'

interface HandlerSettings {
  readonly enabled: boolean
  readonly config?: JsonObject | undefined
}
export type HandlerTable = Readonly<Record<string, HandlerSettings | undefined>>

/** The part of the config that rules build on. */
export interface PipelineConfig {
  readonly authenticators: HandlerTable
  readonly authorizers: HandlerTable
  readonly mutators: HandlerTable
  readonly errors: { readonly fallback: readonly string[]; readonly handlers: HandlerTable }
  readonly access_rules: { readonly matching_strategy: 'regexp' | 'glob' }
  readonly upstream: UpstreamSettings
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

/** What the compilation of one rule shares with that of the others. */
export interface CompileContext extends CompileInput {
  readonly steps: SharedSteps
  /** One for each thing that rules say of their upstreams. */
  readonly setups: Map<string, CompileInput['setup']>
}

export type Kind = AnyHandler['kind']

/** How Oathkeeper names the kinds in its messages. */
const SINGULAR = {
  authenticators: 'authenticator',
  authorizers: 'authorizer',
  mutators: 'mutator',
  errors: 'error handler',
} as const

export interface StepSource {
  readonly kind: Kind
  readonly table: HandlerTable
  readonly ref: HandlerRef
  /** Where the handler stands in the rule. */
  readonly path: readonly (string | number)[]
  readonly ruleLocate: Locate
  readonly ruleId: string
}

export type StepOf<K extends Kind> = {
  authenticators: Awaited<ReturnType<Authenticator['create']>>
  authorizers: Awaited<ReturnType<Authorizer['create']>>
  mutators: Awaited<ReturnType<Mutator['create']>>
  errors: Awaited<ReturnType<ErrorHandler['create']>>
}[K]

/** The step, or the error with which it answers when it is reached; its problems are added to `problems`. */
export async function compileStep<K extends Kind>(
  input: CompileContext,
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
    if (name !== '' || kind !== 'authorizers') {
      const meant = closest(name, known)
      report(message, ruleLocate([...path, 'handler']), meant === undefined ? undefined : `Did you mean "${meant}"?`)
    }
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
  const { value, locate } = mergedConfig(input, source)
  const key = shareable.has(handler) ? keyOf(value) : undefined
  let made = key === undefined ? undefined : (stepsOf(input, handler).get(key) as Made<StepOf<K>> | undefined)
  if (made === undefined) {
    const parsed = validate(
      handler.config,
      value ?? {},
      (at, on) => locate(at, on) ?? ruleLocate([...path, 'handler']),
      ['config'],
    )
    if (!parsed.valid) {
      problems.push(...parsed.problems)
      return misconfigured(kind, invalid(kind, name, parsed.problems.map(({ message }) => message).join('; ')))
    }
    made = await make(handler, parsed.value, input.setup)
    if (key !== undefined) stepsOf(input, handler).set(key, made)
  }
  // Told for each rule, at its place: the same mistake may stand in several.
  for (const { severity, message, path: at, within, hint } of made.reports)
    report(message, locate(at, within), hint, severity)
  return made.step
}

/** The rule's config over the global one. */
export function mergedConfig(input: CompileInput, { kind, table, ref, path, ruleLocate }: StepSource): Layer {
  const globalPath = kind === 'errors' ? ['errors', 'handlers', ref.handler, 'config'] : [kind, ref.handler, 'config']
  return mergeLayers([
    { value: table[ref.handler]?.config, locate: (at, on) => input.locate([...globalPath, ...at], on) },
    { value: ref.config ?? undefined, locate: (at, on) => ruleLocate([...path, 'config', ...at], on) },
  ])
}

interface Report {
  readonly severity: 'error' | 'warning'
  readonly message: string
  /** Inside the handler's config. */
  readonly path: Path
  readonly within?: Within | undefined
  readonly hint: string | undefined
}

/** A step, or the error that stands in for it, and what was said while it was made. */
interface Made<Step> {
  readonly step: Step | GatewayError
  readonly reports: readonly Report[]
}

/** Runs the handler's `create` and listens to what it says. */
export async function make<Step>(
  handler: Handler<Kind, Step>,
  config: unknown,
  setup: CompileInput['setup'],
): Promise<Made<Step>> {
  const reports: Report[] = []
  const report: Setup['report'] = (severity, message, path = [], hint) => {
    reports.push({ severity, message, path, hint })
  }
  try {
    const step = await handler.create(config, { ...setup, report })
    return { step: setup.templates.functions?.includes('getHostByName') === true ? patient(step) : step, reports }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const { message, path, within, hint } = error
    reports.push({ severity: 'error', message, path, within, hint })
    return { step: misconfigured(handler.kind, invalid(handler.kind, handler.name, error.message)), reports }
  }
}

/** A step of which templates may have to wait: of authorizers and mutators, which alone have some. */
function patient<Step>(step: Step): Step {
  if (typeof step !== 'object' || step === null) return step
  const { authorize, mutate } = step as Partial<AuthorizerStep & MutatorStep>
  return {
    ...step,
    ...(authorize !== undefined && { authorize: resuming(authorize) }),
    ...(mutate !== undefined && { mutate: resuming(mutate) }),
  }
}

/**
 * Steps that are made already, by all that they are made of: setup, handler and config. Rules by the thousand mostly say the
 * same: made once, their steps cost neither time at each reload nor memory.
 */
export type SharedSteps = Map<CompileInput['setup'], Map<unknown, Map<string, Made<unknown>>>>

/** A handler of somebody else's is promised a step of its own for each rule; those that ship keep nothing of a rule. */
const shareable: ReadonlySet<unknown> = new Set(builtinHandlers)

function stepsOf({ steps, setup }: CompileContext, handler: unknown): Map<string, Made<unknown>> {
  let ofSetup = steps.get(setup)
  if (ofSetup === undefined) steps.set(setup, (ofSetup = new Map()))
  let ofHandler = ofSetup.get(handler)
  if (ofHandler === undefined) ofSetup.set(handler, (ofHandler = new Map()))
  return ofHandler
}

/** Equal for configs that say the same in the same order, in which headers are set; undefined for what JSON cannot tell apart. */
function keyOf(config: unknown): string | undefined {
  let isJson = true
  const key = JSON.stringify(config ?? {}, (_, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value)) isJson = false
    return value
  })
  return isJson ? key : undefined
}

/** An error handler that fails when it is asked. */
export function failing(error: GatewayError): ErrorStep {
  return { matches: () => raise(error), answer: () => raise(error) }
}

/** Throws a new error each time: one request's error must never carry what another's added to it. */
export function raise(error: GatewayError): never {
  throw new GatewayError(error.code, {
    message: error.message,
    ...(error.reason !== undefined && { reason: error.reason }),
  })
}

const invalid = (kind: Kind, name: string, why: string): string =>
  `Configuration for ${SINGULAR[kind]} "${name}" could not be validated: ${why}`

function misconfigured(kind: Kind, reason: string): GatewayError {
  return new GatewayError('rule_misconfigured', {
    message: `${SINGULAR[kind]} matching this route is misconfigured or disabled`,
    reason,
  })
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
