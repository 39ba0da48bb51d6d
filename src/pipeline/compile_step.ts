/** One handler of a rule becomes a step: its config merged over the global one, parsed once, its templates compiled. */
import type { Locate, Problem } from '../documents/problem.ts'
import { mergeLayers } from '../documents/layers.ts'
import { closest } from '../documents/suggest.ts'
import { validate } from '../documents/zod.ts'
import { GatewayError } from '../errors.ts'
import type { HandlerRef, LoadedRule } from '../rules/rule.ts'
import type { UpstreamSettings } from '../rules/upstream.ts'
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
  type Setup,
} from './contract.ts'

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

function misconfigured(kind: Kind, reason: string): GatewayError {
  return new GatewayError('rule_misconfigured', {
    message: `${SINGULAR[kind]} matching this route is misconfigured or disabled`,
    reason,
  })
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
