/** One rule in a gateway of its own, and handlers that do what their config says. */
import { z } from 'zod'
import {
  type AllowedDecision,
  type AnyHandler,
  type Code,
  codes,
  type Decision,
  defineAuthenticator,
  defineMutator,
  GatewayError,
  type RefusedDecision,
} from '../../src/index.ts'
import { loadGateway, type TestGateway } from '../support/gateway.ts'

type Reference = string | { readonly handler: string; readonly config?: unknown }

export interface RuleParts {
  readonly authenticators?: readonly Reference[] | undefined
  readonly authorizer?: Reference | null | undefined
  readonly mutators?: readonly Reference[] | null | undefined
  readonly errors?: readonly Reference[] | null | undefined
}

const referenceOf = (reference: Reference): object =>
  typeof reference === 'string' ? { handler: reference } : reference

/** A rule that every request matches. */
export function ruleOf(parts: RuleParts, id = 'the-rule'): object {
  const { authenticators = ['anonymous'], authorizer = 'allow', mutators = ['noop'], errors } = parts
  return {
    id,
    match: { url: '<.*>', methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] },
    authenticators: authenticators.map(referenceOf),
    ...(authorizer !== null && { authorizer: referenceOf(authorizer) }),
    ...(mutators !== null && { mutators: mutators.map(referenceOf) }),
    ...(errors !== undefined && errors !== null && { errors: errors.map(referenceOf) }),
    upstream: { url: 'http://127.0.0.1:9' },
  }
}

const on = (config?: object): object => ({ enabled: true, ...(config !== undefined && { config }) })

const sections = {
  authenticators: {
    anonymous: on(),
    noop: on(),
    unauthorized: on(),
    cookie_session: on({ check_session_url: 'http://127.0.0.1:9/' }),
    bearer_token: on({ check_session_url: 'http://127.0.0.1:9/' }),
    scripted: on(),
  },
  authorizers: { allow: on(), deny: on() },
  mutators: { noop: on(), header: on({ headers: {} }), cookie: on({ cookies: {} }), failing: on() },
  errors: { handlers: { json: on(), redirect: on({ to: '/login' }), www_authenticate: on() } },
}

/** A gateway with every handler on; `config` replaces whole sections. */
export async function loadRule(parts: RuleParts, config: object = {}, handlers?: AnyHandler[]): Promise<TestGateway> {
  return loadGateway({
    config: { ...sections, ...config },
    rules: [ruleOf(parts)],
    handlers: [...scripted(), ...(handlers ?? [])],
  })
}

const codeNames = Object.keys(codes) as Code[]

/** The code whose errors have a status. */
export function codeOf(status: number): Code {
  const preferred: Readonly<Record<number, Code>> = {
    401: 'credentials_invalid',
    403: 'access_denied',
    500: 'internal_error',
    503: 'session_store_unavailable',
  }
  const code = preferred[status] ?? codeNames.find((name) => codes[name].status === status)
  if (code === undefined) throw new Error(`no code has status ${status}`)
  return code
}

/**
 * The authenticator `scripted` ends as its config says, and the mutator `failing` throws. `ran` gets the `mark` of each that
 * was asked.
 */
export function scripted(ran: unknown[] = []): AnyHandler[] {
  return [
    defineAuthenticator({
      name: 'scripted',
      config: z.strictObject({
        mark: z.unknown().optional(),
        outcome: z.enum(['authenticated', 'not_responsible', 'denied', 'fault']).default('authenticated'),
        subject: z.string().default(''),
        extra: z.record(z.string(), z.json()).nullable().default(null),
        status: z.number().default(401),
        message: z.string().optional(),
        reason: z.string().optional(),
        headers: z.record(z.string(), z.string()).default({}),
      }),
      create:
        ({ mark, outcome, subject, extra, status, message, reason, headers }) =>
        () => {
          ran.push(mark)
          switch (outcome) {
            case 'authenticated':
              return { outcome, session: { subject, extra } }
            case 'not_responsible':
              return { outcome }
            case 'denied':
              return {
                outcome,
                error: new GatewayError(codeOf(status), {
                  headers: Object.entries(headers),
                  ...(message !== undefined && { message }),
                  ...(reason !== undefined && { reason }),
                }),
              }
            case 'fault':
              throw new Error('plain error without status')
          }
        },
    }),
    defineMutator({
      name: 'failing',
      config: z.unknown(),
      create: () => ({
        owns: [],
        mutate() {
          throw new Error('this mutator fails')
        },
      }),
    }),
  ]
}

/** Of an allowed decision 200, of a refused one what its client gets. */
export const statusOf = (decision: Decision): number => (decision.allowed ? 200 : decision.answer.status)

export function allowed(decision: Decision): AllowedDecision {
  if (!decision.allowed) throw new Error(`refused: ${decision.error.message} (${decision.error.detail ?? ''})`)
  return decision
}

export function refused(decision: Decision): RefusedDecision {
  if (decision.allowed) throw new Error('the request was allowed')
  return decision
}

/** How authentication ended, in the words of the cases. */
export function resultOf(decision: Decision): { session: object } | { result: string } | { error_status: number } {
  if (decision.allowed) return { session: decision.session }
  const { detail, status } = decision.error
  return detail === 'no authenticator of the rule is responsible'
    ? { result: 'not_responsible' }
    : { error_status: status }
}

/** What the client gets, with header names in lower case. */
export function answerOf(decision: Decision): { status: number; headers: Record<string, string>; body: string } {
  const { status, headers, body } = refused(decision).answer
  return { status, headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])), body }
}

/** The headers that mutators set, by lower-case name. */
export const editsOf = (decision: Decision): Record<string, string | null> =>
  Object.fromEntries(allowed(decision).edits.map(([name, value]) => [name.toLowerCase(), value]))
