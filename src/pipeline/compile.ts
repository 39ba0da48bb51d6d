/**
 * Loaded rules and the config become a snapshot: every handler's config is merged and parsed once, every pattern and template
 * compiled. A step that cannot be built is replaced by one that answers 500, and its problem is reported at its place; the
 * caller decides whether such a snapshot may serve (`invalid_rules`).
 */
import { createPace } from '../documents/pace.ts'
import type { Problem } from '../documents/problem.ts'
import { closest } from '../documents/suggest.ts'
import { GatewayError } from '../errors.ts'
import { createMatcher } from '../rules/matcher.ts'
import type { AdvisedHandler } from './advice/advised_rule.ts'
import { fallbackAdvice } from './advice/error_handlers.ts'
import { globalProblems } from './compile_globals.ts'
import { compileRule } from './compile_rule.ts'
import { type CompileContext, type CompileInput, compileStep, failing } from './compile_step.ts'
import type { ErrorStep } from './contract/steps.ts'
import type { CompiledRule, Named, Snapshot } from './snapshot.ts'
import { createUpstreamTlsLoader } from './upstream_tls.ts'

export interface Compiled {
  readonly snapshot: Omit<Snapshot, 'keySets'>
  readonly problems: readonly Problem[]
  /** Absolute paths of the files beside config and rules that it was made of. */
  readonly files: readonly string[]
}

/** Lets requests be answered meanwhile, however many rules there are. */
export async function compileRules(options: CompileInput): Promise<Compiled> {
  const input: CompileContext = { ...options, steps: new Map(), setups: new Map() }
  const pace = createPace()
  const problems: Problem[] = []
  const owned = new Set<string>()
  const tls = createUpstreamTlsLoader(input.setup.shared)
  const rules: CompiledRule[] = []
  const invalid = new Set<CompiledRule>()
  for (const loaded of input.rules) {
    const resting = pace.rest()
    if (resting !== undefined) await resting
    problems.push(...loaded.problems)
    const { compiled, broken, owned: headers } = await compileRule(input, loaded, tls, problems)
    for (const header of headers) owned.add(header)
    if (broken || loaded.problems.some(({ severity }) => severity === 'error')) invalid.add(compiled)
    rules.push(compiled)
  }
  const fallback: Named<ErrorStep>[] = []
  for (const [index, name] of input.config.errors.fallback.entries()) {
    fallback.push({ name, step: await compileFallback(input, name, index, problems) })
  }
  problems.push(...fallbackAdvice(advisedFallback(input), input.locate))
  problems.push(...(await globalProblems(input)))
  const {
    matcher,
    problems: patternProblems,
    broken,
  } = await pace.through(
    createMatcher(
      // A rule without `match` matches nothing; it is invalid, and told as such.
      rules.flatMap((compiled, index) => {
        const { match } = compiled.rule
        if (match === null) return []
        return [
          {
            id: compiled.id,
            methods: match.methods,
            priority: compiled.rule.priority ?? 0,
            url: match.url,
            value: compiled,
            locate: input.rules[index]!.locate,
          },
        ]
      }),
      input.config.access_rules.matching_strategy,
    ),
  )
  for (const rule of broken) invalid.add(rule)
  // one by one: a spread of very many would not fit on the stack
  for (const problem of patternProblems) problems.push(problem)
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
    files: [...tls.files],
  }
}

function advisedFallback({ config: { errors } }: CompileInput): readonly AdvisedHandler[] {
  return errors.fallback.map((name, index) => ({
    name,
    path: ['errors', 'fallback', index],
    config: errors.handlers[name]?.config,
  }))
}

/** A fallback handler that is disabled, unknown or broken fails at once when it is asked, as in Oathkeeper. */
async function compileFallback(
  input: CompileContext,
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
  const known = input.handlers.filter(({ kind }) => kind === 'errors').map((handler) => handler.name)
  const meant = known.includes(name) ? undefined : closest(name, known)
  problems.push({
    severity: 'error',
    message,
    ...(place !== undefined && { place }),
    hint: meant === undefined ? `Set errors.handlers.${name}.enabled to true.` : `Did you mean "${meant}"?`,
  })
  return failing(
    new GatewayError('error_handler_failed', {
      reason: `${message} This is a configuration error that needs to be resolved by the system administrator.`,
    }),
  )
}
