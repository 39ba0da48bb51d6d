/** One access rule: its schema, which also is the editor's, its type, and its JSON as the rules API shows it. */
import { z } from 'zod'
import type { Locate, Problem } from '../documents/problem.ts'
import { type RuleUpstream, upstreamSchema } from './upstream.ts'

export interface HandlerRef {
  /** Empty when the rule does not say it. */
  readonly handler: string
  /** As written, not merged with the config yet; null when absent. */
  readonly config: unknown
}

/** An authenticator; without `on_error` a refusal of it is final. */
export interface AuthenticatorRef extends HandlerRef {
  readonly on_error?: 'refuse' | 'next'
}

interface RpcMatch {
  readonly authority: string
  readonly full_method: string
  readonly allow_http_get: boolean
}

export interface RuleMatch {
  /** The pattern; empty when the rule does not say it. */
  readonly url: string
  /** Empty for a rule that matches no HTTP request. */
  readonly methods: readonly string[]
  /** Present for Oathkeeper's gRPC form, which matches no HTTP request. */
  readonly rpc?: RpcMatch
}

export interface Rule {
  readonly id: string
  /** The version of the format, as migrated. */
  readonly version: string
  readonly description: string
  /** Of the rules that match a request, those with the highest count; absent means 0. */
  readonly priority?: number
  readonly match: RuleMatch
  readonly authenticators: readonly AuthenticatorRef[]
  /** One, or several that all must allow. */
  readonly authorizer: HandlerRef | readonly HandlerRef[]
  /** Mutators that run before the authorizer. */
  readonly before_authorizer?: readonly HandlerRef[]
  readonly mutators: readonly HandlerRef[]
  /** Null when the rule leaves it to `errors.fallback`. */
  readonly errors: readonly HandlerRef[] | null
  readonly upstream: RuleUpstream
}

/** A rule and where it was written. */
export interface LoadedRule {
  readonly rule: Rule
  /** Finds places in this rule. */
  readonly locate: Locate
  /** The repository as the config names it, without credentials. */
  readonly repository: string
  /** What is wrong with the rule by itself. With an error among them the rule is invalid. */
  readonly problems: readonly Problem[]
}

const handlerRefSchema = z
  .strictObject({
    handler: z.string().optional().describe('Name of the handler. It has to be enabled in the config.'),
    config: z
      .record(z.string(), z.unknown())
      .optional()
      .describe("Settings for this rule, laid over the handler's settings in the config."),
  })
  .meta({ required: ['handler'] })

const authenticatorRefSchema = z
  .strictObject({
    ...handlerRefSchema.shape,
    on_error: z
      .enum(['refuse', 'next'])
      .optional()
      .describe(
        'What a refusal (401 or 403) of this authenticator means: `refuse` answers it, `next` asks the next authenticator and answers it only if no other one is responsible. An outage is always answered. Default: refuse.',
      ),
  })
  .meta({ required: ['handler'] })

const matchSchema = z
  .strictObject({
    url: z
      .string()
      .optional()
      .describe(
        'Pattern of scheme://host/path. Text in <…> is a regular expression, or a glob with `access_rules.matching_strategy: glob`; all other text is literal. Example: https://example.com/api/<.*>',
      ),
    methods: z
      .array(z.string())
      .optional()
      .describe('HTTP methods, such as GET. Without any the rule matches nothing.'),
    authority: z.string().optional().describe('gRPC form: the authority. Such a rule matches no HTTP request.'),
    full_method: z
      .string()
      .optional()
      .describe('gRPC form: package.Service/Method. Such a rule matches no HTTP request.'),
    allow_http_get: z.boolean().optional().describe('gRPC form: whether GET is allowed besides POST.'),
  })
  .meta({ anyOf: [{ required: ['url', 'methods'] }, { required: ['full_method'] }] })

/**
 * Takes whatever a rule file may say without a fault of type; that something is missing is for `parse` to tell, in
 * Oathkeeper's words, so required keys are told to editors only.
 */
export const ruleSchema = z
  .strictObject({
    id: z.string().optional().describe('Name of the rule in logs, metrics and the rules API. Should be unique.'),
    version: z
      .string()
      .optional()
      .describe('Version of Oathkeeper that the rule was written for. Default: the current one.'),
    description: z.string().optional().describe('For people.'),
    priority: z
      .int()
      .optional()
      .describe(
        'Of several rules that match a request, the one with the highest priority answers it; with equal ones the request is refused with 500. Default: 0.',
      ),
    match: matchSchema.optional().describe('Which requests are this rule’s own: exactly one rule may match a request.'),
    upstream: upstreamSchema.optional().describe('Where allowed requests go.'),
    authenticators: z
      .array(authenticatorRefSchema)
      .optional()
      .meta({ minItems: 1 })
      .describe('Who is it? Asked in this order; the first one that is responsible decides.'),
    before_authorizer: z
      .array(handlerRefSchema)
      .optional()
      .describe('Mutators that run before the authorizer, in this order, such as a hydrator whose answer it needs.'),
    authorizer: z
      .union([handlerRefSchema, z.array(handlerRefSchema)])
      .optional()
      .describe('May they? One authorizer, or a list: asked in this order, all of them must allow.'),
    mutators: z
      .array(handlerRefSchema)
      .optional()
      .meta({ minItems: 1 })
      .describe('What does the upstream get to know? All of them run, in this order.'),
    errors: z
      .array(handlerRefSchema)
      .optional()
      .describe(
        'How refused requests are answered: exactly one of them has to be responsible. Default: `errors.fallback`.',
      ),
  })
  .meta({ required: ['id', 'match', 'authenticators', 'authorizer', 'mutators'] })

export const rulesSchema = z
  .array(ruleSchema)
  .meta({ title: 'Access rules', description: 'A file of access rules, in the format of Ory Oathkeeper.' })

/** A rule as JSON text, with the keys in Oathkeeper's order and `<`, `>` and `&` escaped as Go escapes them. */
export function ruleToJson(rule: Rule): string {
  const { match, upstream } = rule
  const json = JSON.stringify({
    id: rule.id,
    version: rule.version,
    description: rule.description,
    ...(rule.priority !== undefined && { priority: rule.priority }),
    match: matchToJson(match),
    authenticators: handlersToJson(rule.authenticators),
    ...(rule.before_authorizer !== undefined && { before_authorizer: rule.before_authorizer }),
    authorizer: rule.authorizer,
    mutators: handlersToJson(rule.mutators),
    errors: handlersToJson(rule.errors),
    upstream: {
      preserve_host: upstream.preserve_host,
      strip_path: upstream.strip_path,
      url: upstream.url,
      ...(upstream.strip_prefix !== undefined && { strip_prefix: upstream.strip_prefix }),
      ...(upstream.credentials !== undefined && { credentials: upstream.credentials }),
      ...(upstream.client_headers !== undefined && { client_headers: upstream.client_headers }),
      ...(upstream.forwarded_headers !== undefined && { forwarded_headers: upstream.forwarded_headers }),
      ...(upstream.session_cookie_responses !== undefined && {
        session_cookie_responses: upstream.session_cookie_responses,
      }),
      ...(upstream.websocket !== undefined && { websocket: upstream.websocket }),
      ...(upstream.rewrite !== undefined && { rewrite: upstream.rewrite }),
      ...(upstream.tls !== undefined && { tls: upstream.tls }),
      ...(upstream.timeout !== undefined && { timeout: upstream.timeout }),
      ...(upstream.limits !== undefined && { limits: upstream.limits }),
      ...(upstream.max_body_bytes !== undefined && { max_body_bytes: upstream.max_body_bytes }),
    },
  })
  return json.replaceAll(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function matchToJson({ url, methods, rpc }: RuleMatch): object | null {
  return url === '' && methods.length === 0 ? null : (rpc ?? { methods, url })
}

/** Go writes a list that was never set as null. */
function handlersToJson(refs: readonly HandlerRef[] | null): readonly HandlerRef[] | null {
  return refs === null || refs.length === 0 ? null : refs
}
