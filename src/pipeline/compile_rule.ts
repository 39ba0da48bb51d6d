/** One loaded rule becomes closures: what a request runs. A step that cannot be built is replaced by one that answers 500. */
import type { Problem } from '../documents/problem.ts'
import { GatewayError } from '../errors.ts'
import type { HandlerRef, LoadedRule, Rule } from '../rules/rule.ts'
import { adviceOn } from './advice.ts'
import { type CompileInput, compileStep, failing, type HandlerTable, type Kind, raise } from './compile_step.ts'
import type { Authorize, ErrorStep, Mutate } from './contract.ts'
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
  input: CompileInput,
  loaded: LoadedRule,
  tls: UpstreamTlsLoader,
  problems: Problem[],
): Promise<CompiledResult> {
  const { rule, locate } = loaded
  const { config } = input
  const ownInput = { ...input, setup: setupOf(input, rule) }
  let broken = false
  const owned = new Set<string>()
  const build = async <K extends Kind>(
    kind: K,
    table: HandlerTable,
    ref: HandlerRef,
    path: readonly (string | number)[],
  ) => {
    const step = await compileStep<K>(
      ownInput,
      { kind, table, ref, path, ruleLocate: locate, ruleId: rule.id },
      problems,
    )
    broken ||= step instanceof GatewayError
    return { name: ref.handler, step }
  }
  const authenticators: NamedAuthenticator[] = []
  for (const [index, ref] of rule.authenticators.entries()) {
    const { name, step } = await build('authenticators', config.authenticators, ref, ['authenticators', index])
    const passesRefusals = ref.on_error === 'next'
    authenticators.push({ name, step: step instanceof GatewayError ? () => raise(step) : step, passesRefusals })
  }
  const buildMutators = async (key: 'before_authorizer' | 'mutators'): Promise<Named<Mutate>[]> => {
    const mutators: Named<Mutate>[] = []
    for (const [index, ref] of (rule[key] ?? []).entries()) {
      const { name, step } = await build('mutators', config.mutators, ref, [key, index])
      if (!(step instanceof GatewayError)) for (const header of step.owns) owned.add(header)
      mutators.push({ name, step: step instanceof GatewayError ? () => raise(step) : step.mutate })
    }
    return mutators
  }
  const beforeAuthorizer = await buildMutators('before_authorizer')
  const authorizers: Named<Authorize>[] = []
  for (const { ref, path } of authorizerRefs(rule.authorizer)) {
    const { name, step } = await build('authorizers', config.authorizers, ref, path)
    if (!(step instanceof GatewayError)) for (const header of step.owns) owned.add(header)
    authorizers.push({ name, step: step instanceof GatewayError ? () => raise(step) : step.authorize })
  }
  const mutators = await buildMutators('mutators')
  const errors: Named<ErrorStep>[] = []
  for (const [index, ref] of (rule.errors ?? []).entries()) {
    const { name, step } = await build('errors', config.errors.handlers, ref, ['errors', index])
    errors.push({
      name,
      step: step instanceof GatewayError ? await failingWhereResponsible(input, loaded, ref, step) : step,
    })
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
  const { safeguards } = input.setup
  for (const { message, path, hint } of adviceOn({ rule, upstream, owned, safeguards })) {
    const place = locate(path)
    problems.push({ severity: 'warning', message, hint, ...(place !== undefined && { place }) })
  }
  return { compiled, broken, owned }
}

/** What the rule says of its own upstream goes over the safeguards of the config. */
function setupOf({ setup, config }: CompileInput, { upstream }: Rule): CompileInput['setup'] {
  const { client_headers = setup.safeguards.client_headers } = upstream
  return {
    ...setup,
    safeguards: { ...setup.safeguards, client_headers },
    passCredentials: passesCredentials(upstream, config.kratos?.public_url, setup.safeguards),
  }
}

/** A disabled handler fails only the requests that `when` makes it responsible for, as in Oathkeeper. */
async function failingWhereResponsible(
  input: CompileInput,
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
