/** One loaded rule becomes closures: what a request runs. A step that cannot be built is replaced by one that answers 500. */
import type { Problem } from '../documents/problem.ts'
import { GatewayError } from '../errors.ts'
import type { HandlerRef, LoadedRule, Rule } from '../rules/rule.ts'
import { adviceOn } from './advice.ts'
import type { AdvisedStep } from './advice/advised_rule.ts'
import {
  type CompileContext,
  type CompileInput,
  compileStep,
  failing,
  type HandlerTable,
  type Kind,
  mergedConfig,
  raise,
  type StepOf,
} from './compile_step.ts'
import type { Authorize, ErrorStep, Mutate } from './contract/steps.ts'
import type { CompiledRule, Named, NamedAuthenticator } from './snapshot.ts'
import { compileUpstream, passesCredentials } from './upstream.ts'
import type { UpstreamTlsLoader } from './upstream_tls.ts'

export interface CompiledResult {
  readonly compiled: CompiledRule
  /** One of its steps could not be built. */
  readonly broken: boolean
  /** Lower-case names of the headers that its steps set or remove. */
  readonly owned: ReadonlySet<string>
}

/** What is wrong with the rule is added to `problems`. */
export async function compileRule(
  input: CompileContext,
  loaded: LoadedRule,
  tls: UpstreamTlsLoader,
  problems: Problem[],
): Promise<CompiledResult> {
  const { rule, locate } = loaded
  const { config } = input
  const setup = setupOf(input, rule)
  const own = { ...input, setup }
  let broken = false
  const build = async <K extends Kind>(
    kind: K,
    table: HandlerTable,
    ref: HandlerRef,
    path: readonly (string | number)[],
  ): Promise<Built<K>> => {
    const source = { kind, table, ref, path, ruleLocate: locate, ruleId: rule.id } as const
    const step = await compileStep<K>(own, source, problems)
    broken ||= step instanceof GatewayError
    const { value, locate: locateConfig } = mergedConfig(own, source)
    return { name: ref.handler, step, advised: { name: ref.handler, path, config: value, locateConfig, owns: [] } }
  }
  const authenticators: NamedAuthenticator[] = []
  const advisedAuthenticators: AdvisedStep[] = []
  for (const [index, ref] of rule.authenticators.entries()) {
    const { name, step, advised } = await build('authenticators', config.authenticators, ref, ['authenticators', index])
    const passesRefusals = ref.on_error === 'next'
    authenticators.push({ name, step: step instanceof GatewayError ? () => raise(step) : step, passesRefusals })
    advisedAuthenticators.push(advised)
  }
  const edits: AdvisedStep[] = []
  const buildMutators = async (key: 'before_authorizer' | 'mutators'): Promise<Named<Mutate>[]> => {
    const mutators: Named<Mutate>[] = []
    for (const [index, ref] of (rule[key] ?? []).entries()) {
      const { name, step, advised } = await build('mutators', config.mutators, ref, [key, index])
      mutators.push({ name, step: step instanceof GatewayError ? () => raise(step) : step.mutate })
      edits.push(step instanceof GatewayError ? advised : { ...advised, owns: step.owns })
    }
    return mutators
  }
  const beforeAuthorizer = await buildMutators('before_authorizer')
  const authorizers: Named<Authorize>[] = []
  for (const { ref, path } of authorizerRefs(rule.authorizer)) {
    const { name, step, advised } = await build('authorizers', config.authorizers, ref, path)
    authorizers.push({ name, step: step instanceof GatewayError ? () => raise(step) : step.authorize })
    edits.push(step instanceof GatewayError ? advised : { ...advised, owns: step.owns })
  }
  const mutators = await buildMutators('mutators')
  const errors: Named<ErrorStep>[] = []
  const advisedErrors: AdvisedStep[] = []
  for (const [index, ref] of (rule.errors ?? []).entries()) {
    const { name, step, advised } = await build('errors', config.errors.handlers, ref, ['errors', index])
    errors.push({
      name,
      step: step instanceof GatewayError ? await failingWhereResponsible(own, loaded, ref, step) : step,
    })
    advisedErrors.push(advised)
  }
  const { target: upstream, problems: upstreamProblems } = await compileUpstream(loaded, {
    sessionStoreUrl: config.kratos?.public_url,
    defaults: config.upstream,
    safeguards: input.setup.safeguards,
    locate: input.locate,
    tls,
  })
  problems.push(...upstreamProblems)
  broken ||= upstreamProblems.some(({ severity }) => severity === 'error')
  const compiled = {
    id: rule.id,
    rule,
    authenticators,
    beforeAuthorizer,
    authorizers,
    mutators,
    errors,
    ...(upstream !== undefined && { upstream }),
  }
  const advice = adviceOn({
    rule,
    locate,
    upstream,
    authenticators: advisedAuthenticators,
    edits,
    errors: advisedErrors,
    passesCredentials: setup.passCredentials,
    clientHeaders: setup.safeguards.client_headers,
    path: setup.safeguards.path,
    safeguards: setup.safeguards,
    matchingStrategy: config.access_rules.matching_strategy,
  })
  problems.push(...advice)
  return { compiled, broken, owned: new Set(edits.flatMap(({ owns }) => owns)) }
}

interface Built<K extends Kind> {
  readonly name: string
  readonly step: StepOf<K> | GatewayError
  readonly advised: AdvisedStep
}

/**
 * What the rule says of its own upstream goes over the safeguards of the config. One object for all rules that say the same,
 * so that they share their steps.
 */
function setupOf({ setup, config, setups }: CompileContext, { upstream }: Rule): CompileInput['setup'] {
  const { client_headers = setup.safeguards.client_headers } = upstream
  const passCredentials = passesCredentials(upstream, config.kratos?.public_url, setup.safeguards)
  const key = JSON.stringify([client_headers, passCredentials])
  let own = setups.get(key)
  if (own === undefined) {
    setups.set(key, (own = { ...setup, safeguards: { ...setup.safeguards, client_headers }, passCredentials }))
  }
  return own
}

/** A disabled handler fails only the requests that `when` makes it responsible for, as in Oathkeeper. */
async function failingWhereResponsible(
  input: CompileContext,
  { rule, locate }: LoadedRule,
  ref: HandlerRef,
  error: GatewayError,
): Promise<ErrorStep> {
  const name = ref.handler
  const table = { [name]: { config: input.config.errors.handlers[name]?.config, enabled: true } }
  const source = { kind: 'errors', table, ref, path: ['errors'], ruleLocate: locate, ruleId: rule.id } as const
  const step = await compileStep<'errors'>(input, source, [])
  return step instanceof GatewayError ? failing(error) : { ...step, answer: () => raise(error) }
}

interface PlacedRef {
  readonly ref: HandlerRef
  readonly path: readonly (string | number)[]
}

function authorizerRefs(authorizer: Rule['authorizer']): readonly PlacedRef[] {
  if (!isList(authorizer)) return [{ ref: authorizer, path: ['authorizer'] }]
  return authorizer.map((ref, index) => ({ ref, path: ['authorizer', index] }))
}

// Array.isArray does not tell a read-only list from the rest of a union.
const isList = (authorizer: Rule['authorizer']): authorizer is readonly HandlerRef[] => Array.isArray(authorizer)
