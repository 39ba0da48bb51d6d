/**
 * The one decision: match, authenticate, authorize, mutate. The proxy, /decisions, `explain` and the library differ only in
 * where the inbound comes from and in what they do with the decision.
 *
 * A step that answers at once is followed at once: a request whose session and token are cached passes without a promise.
 * Longer than most files because the steps hand one state to each other, and each may go on now or later.
 */
import { GatewayError } from '../errors.ts'
import { answerError } from './answer_error.ts'
import type { Decision, Trace } from './contract/decision.ts'
import type { HeaderEdit, HeaderLine } from './contract/headers.ts'
import type { Inbound } from './contract/inbound.ts'
import type { Authentication, Authorization, Mutation } from './contract/outcomes.ts'
import type { Session } from './contract/session.ts'
import type { Mutate } from './contract/steps.ts'
import type { Awaitable } from './contract/values.ts'
import type { CompiledRule, Named, NamedAuthenticator, Snapshot } from './snapshot.ts'

/** What is known so far about one request; lives as long as its decision is being made. */
interface Run {
  readonly inbound: Inbound
  readonly snapshot: Snapshot
  readonly trace: Trace | undefined
  rule: CompiledRule | undefined
  captures: readonly string[]
  session: Session | undefined
  edits: readonly HeaderEdit[]
  responseHeaders: readonly HeaderLine[]
  echoRequestHeaders: boolean
  /** The last refusal that was passed on to the next authenticator. */
  passedRefusal: GatewayError | undefined
}

/** Of whatever there is nothing of yet. */
const none: readonly never[] = []

/** Never throws and never rejects: what goes wrong is a refusal with a reason code. */
export function decide(inbound: Inbound, snapshot: Snapshot, trace?: Trace): Awaitable<Decision> {
  const run: Run = {
    inbound,
    snapshot,
    trace,
    rule: undefined,
    captures: none,
    session: undefined,
    edits: none,
    responseHeaders: none,
    echoRequestHeaders: false,
    passedRefusal: undefined,
  }
  try {
    const decision = match(run)
    return decision instanceof Promise ? decision.catch((fault: unknown) => refuse(run, fault)) : decision
  } catch (fault) {
    return refuse(run, fault)
  }
}

function match(run: Run): Awaitable<Decision> {
  const { method, scheme, host, path } = run.inbound
  const found = run.snapshot.matcher.match(method, `${scheme}://${host}${path}`)
  switch (found.kind) {
    case 'one':
      run.rule = found.value
      run.captures = found.captures
      run.trace?.({ step: 'match', name: found.value.id, outcome: 'matched' })
      return authenticate(run, found.value, 0)
    case 'none':
      return refuse(run, new GatewayError('rule_not_found'))
    case 'several':
      return refuse(
        run,
        new GatewayError('rule_ambiguous', {
          detail: `These rules match: ${found.values.map(({ id }) => id).join(', ')}`,
        }),
      )
    case 'failed':
      return refuse(
        run,
        new GatewayError('rule_matching_failed', {
          detail: `The pattern of rule ${found.value.id} could not be matched: ${found.error.message}`,
          cause: found.error,
        }),
      )
  }
}

function authenticate(run: Run, rule: CompiledRule, from: number): Awaitable<Decision> {
  const { authenticators } = rule
  if (authenticators.length === 0) return refuse(run, unset('No authentication handler was set in the rule'))
  for (let index = from; index < authenticators.length; index++) {
    const asked = authenticators[index]!
    const result = asked.step(run.inbound)
    if (result instanceof Promise) {
      return result.then((late) => afterAuthentication(run, rule, asked, late) ?? authenticate(run, rule, index + 1))
    }
    const decision = afterAuthentication(run, rule, asked, result)
    if (decision !== undefined) return decision
  }
  const detail = 'no authenticator of the rule is responsible'
  return refuse(run, run.passedRefusal ?? new GatewayError('credentials_invalid', { detail }))
}

/** The decision, or undefined when the next authenticator is to be asked. */
function afterAuthentication(
  run: Run,
  rule: CompiledRule,
  { name, passesRefusals }: NamedAuthenticator,
  result: Authentication,
): Awaitable<Decision> | undefined {
  run.trace?.({ step: 'authenticator', name, outcome: result.outcome, ...detailOf(result) })
  switch (result.outcome) {
    case 'not_responsible':
      return undefined
    case 'authenticated':
      run.session = result.session
      addResponseHeaders(run, result.responseHeaders)
      return rule.beforeAuthorizer.length === 0
        ? authorize(run, rule, result.session)
        : mutate(run, rule, result.session, rule.beforeAuthorizer, authorize)
    case 'denied':
      addResponseHeaders(run, result.responseHeaders)
      if (!passesRefusals || !isRefusal(result.error)) return refuse(run, result.error)
      run.passedRefusal = result.error
      return undefined
    case 'unavailable':
      return refuse(run, result.error)
  }
}

/** Others, such as 429, say nothing about who it is. */
const isRefusal = ({ status }: GatewayError): boolean => status === 401 || status === 403

function addResponseHeaders(run: Run, lines: readonly HeaderLine[] | undefined): void {
  if (lines === undefined || lines.length === 0) return
  run.responseHeaders = run.responseHeaders.length === 0 ? lines : [...run.responseHeaders, ...lines]
}

function authorize(run: Run, rule: CompiledRule, session: Session, from = 0): Awaitable<Decision> {
  const { authorizers } = rule
  // A loop over nothing must let nobody through.
  if (authorizers.length === 0) return refuse(run, unset('No authorization handler was set in the rule'))
  for (let index = from; index < authorizers.length; index++) {
    const { name, step } = authorizers[index]!
    const { inbound, captures, edits } = run
    const result = step({ inbound, captures, session, edits })
    if (result instanceof Promise) {
      return result.then((late) => afterAuthorization(run, name, late) ?? authorize(run, rule, session, index + 1))
    }
    const refusal = afterAuthorization(run, name, result)
    if (refusal !== undefined) return refusal
  }
  if (rule.mutators.length === 0) return refuse(run, unset('No mutation handler was set in the rule'))
  return mutate(run, rule, session, rule.mutators, allow)
}

/** The refusal, or undefined when the authorizer allows. */
function afterAuthorization(run: Run, name: string, result: Authorization): Decision | undefined {
  run.trace?.({ step: 'authorizer', name, outcome: result.outcome, ...detailOf(result) })
  if (result.outcome !== 'allowed') return refuse(run, result.error)
  if (result.edits !== undefined) addEdits(run, result.edits)
  return undefined
}

function addEdits(run: Run, edits: readonly HeaderEdit[]): void {
  run.edits = run.edits.length === 0 ? edits : [...run.edits, ...edits]
}

/** Runs the mutators from this one on, then goes on with the session that they leave. */
function mutate(
  run: Run,
  rule: CompiledRule,
  session: Session,
  mutators: readonly Named<Mutate>[],
  next: (run: Run, rule: CompiledRule, session: Session) => Awaitable<Decision>,
  from = 0,
): Awaitable<Decision> {
  let current = session
  for (let index = from; index < mutators.length; index++) {
    const { name, step } = mutators[index]!
    const { inbound, captures, edits } = run
    const result = step({ inbound, captures, session: current, edits })
    if (result instanceof Promise) {
      const before = current
      return result.then((late) => mutate(run, rule, afterMutation(run, before, name, late), mutators, next, index + 1))
    }
    current = afterMutation(run, current, name, result)
  }
  return next(run, rule, current)
}

function afterMutation(run: Run, session: Session, name: string, result: Mutation): Session {
  run.trace?.({
    step: 'mutator',
    name,
    outcome: 'applied',
    ...(result.edits !== undefined && { detail: `sets ${result.edits.map(([header]) => header).join(', ')}` }),
  })
  if (result.replacesEdits === true) run.edits = result.edits ?? none
  else if (result.edits !== undefined) addEdits(run, result.edits)
  if (result.captures !== undefined) run.captures = result.captures
  if (result.echoRequestHeaders === true) run.echoRequestHeaders = true
  if (result.session === undefined) return session
  run.session = result.session
  return result.session
}

function allow(run: Run, rule: CompiledRule, session: Session): Decision {
  return {
    allowed: true,
    ruleId: rule.id,
    session,
    edits: run.edits,
    responseHeaders: run.responseHeaders,
    echoRequestHeaders: run.echoRequestHeaders,
    upstream: rule.upstream,
  }
}

function refuse(run: Run, fault: unknown): Decision {
  const { inbound, snapshot, rule, session } = run
  const error = fault instanceof GatewayError ? fault : unexpected(fault, snapshot)
  const { answer, handler } = answerError(error, inbound, rule?.errors ?? [], snapshot.fallback)
  run.trace?.({ step: 'error_handler', name: handler, outcome: error.code, ...detailOf({ error }) })
  return {
    allowed: false,
    ...(rule !== undefined && { ruleId: rule.id }),
    error,
    answer:
      run.responseHeaders.length === 0 ? answer : { ...answer, headers: [...answer.headers, ...run.responseHeaders] },
    ...(session !== undefined && { session }),
  }
}

/** A fault in a handler is one request's 500; its cause is for the log only. */
function unexpected(fault: unknown, snapshot: Snapshot): GatewayError {
  snapshot.log.error({ err: fault }, 'A handler failed unexpectedly')
  return new GatewayError('internal_error', { cause: fault })
}

function unset(message: string): GatewayError {
  return new GatewayError('rule_misconfigured', { message })
}

function detailOf(result: object): { detail: string } | undefined {
  const error = 'error' in result ? result.error : undefined
  return error instanceof GatewayError ? { detail: error.detail ?? error.message } : undefined
}
