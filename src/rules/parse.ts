/** A rule file's contents, turned into rules: each with all that is wrong with it, none left out. */
import type { Document } from '../documents/document.ts'
import { isMap } from '../documents/layers.ts'
import type { Interruptible } from '../documents/pace.ts'
import type { Locate, Path, Problem } from '../documents/problem.ts'
import { closest } from '../documents/suggest.ts'
import { validate } from '../documents/zod.ts'
import { migrateRule, RuleVersionError } from './migrate.ts'
import {
  type AuthenticatorRef,
  type HandlerRef,
  type LoadedRule,
  type Rule,
  type RuleMatch,
  ruleSchema,
} from './rule.ts'
import { missingParts, placed, type RawRule } from './rule_checks.ts'

export interface ParseRulesOptions {
  /** Whether parts of an upstream URL that are never used make a rule invalid; else they are warned of. */
  readonly strict: boolean
  /** As LoadedRule has it. */
  readonly repository: string
}

export type ParsedRules =
  | { readonly decoded: true; readonly rules: readonly LoadedRule[] }
  /** The document is no list of rules at all. */
  | { readonly decoded: false; readonly problem: Problem }

type RawHandlerRef = NonNullable<RawRule['mutators']>[number]
type RawAuthenticatorRef = NonNullable<RawRule['authenticators']>[number]

/** Takes the document of a rule file. Never throws. Can be interrupted after each rule. */
export function* parseRules(document: Document, options: ParseRulesOptions): Interruptible<ParsedRules> {
  const { value, locate } = document
  if (!Array.isArray(value)) {
    const hint = 'Write each rule as an item of a list: put "- " before its first key, or [ ] around it in JSON.'
    return {
      decoded: false,
      problem: { severity: 'error', message: 'A rule file must be a list of rules', hint, ...placed(locate, []) },
    }
  }
  const rules: LoadedRule[] = []
  for (const [index, raw] of (value as readonly unknown[]).entries()) {
    yield
    try {
      rules.push(parseRule(raw, (path, on) => locate([index, ...path], on), options))
    } catch (error) {
      if (!(error instanceof RuleVersionError)) throw error
      const hint = 'Leave "version" out, or name the version of Oathkeeper that the rules were written for.'
      return {
        decoded: false,
        problem: { severity: 'error', message: error.message, hint, ...placed(locate, [index, 'version']) },
      }
    }
  }
  return { decoded: true, rules }
}

/** Throws RuleVersionError. */
function parseRule(raw: unknown, locate: Locate, { strict, repository }: ParseRulesOptions): LoadedRule {
  const problems: Problem[] = []
  const known = isMap(raw) ? pruneRule(migrateRule(dropNulls(raw)), locate, problems) : raw
  const checked = validate(ruleSchema, known, locate)
  problems.push(...checked.problems)
  // A rule with a fault keeps what is sound of it: it still matches its requests, and answers them with 500.
  const sound = checked.valid ? (checked.value as RawRule) : soundParts(known)
  problems.push(...missingParts(sound, isMap(known) ? known : {}, locate, strict))
  return { rule: toRule(failClosed(sound, known)), locate, repository, problems }
}

function soundParts(raw: unknown): RawRule {
  if (!isMap(raw)) return {}
  const sound: Record<string, unknown> = {}
  for (const [key, schema] of Object.entries(ruleSchema.shape)) {
    const parsed = schema.safeParse(raw[key])
    if (parsed.success && parsed.data !== undefined) sound[key] = parsed.data
  }
  return sound
}

/**
 * Without these keys a rule would let more requests through, or leave them to another rule. With a fault in one of them the
 * rule keeps its requests and answers them with 500.
 */
function failClosed(rule: RawRule, raw: unknown): RawRule {
  const isFaulty = (key: 'priority' | 'before_authorizer'): boolean =>
    isMap(raw) && !ruleSchema.shape[key].safeParse(raw[key]).success
  if (isFaulty('priority')) return { ...rule, priority: Number.MAX_SAFE_INTEGER, authenticators: [] }
  return isFaulty('before_authorizer') ? { ...rule, authenticators: [] } : rule
}

const {
  match: matchSchema,
  upstream: upstreamSchema,
  mutators: mutatorsSchema,
  authenticators: authenticatorsSchema,
} = ruleSchema.shape
const handlerKeys = Object.keys(mutatorsSchema.unwrap().element.shape)
const authenticatorKeys = Object.keys(authenticatorsSchema.unwrap().element.shape)

/** Oathkeeper ignores keys that it does not know. So does this, but not silently: most of them are typing errors. */
function pruneRule(
  raw: Readonly<Record<string, unknown>>,
  locate: Locate,
  problems: Problem[],
): Record<string, unknown> {
  const prune = (value: unknown, keys: readonly string[], path: Path): unknown => {
    if (!isMap(value)) return value
    const pruned: Record<string, unknown> = {}
    for (const [key, item] of Object.entries(dropNulls(value))) {
      if (keys.includes(key)) pruned[key] = item
      else problems.push(unknownKey(key, keys, [...path, key], locate))
    }
    return pruned
  }
  const pruneAll = (value: unknown, key: string): unknown => {
    const keys = key === 'authenticators' ? authenticatorKeys : handlerKeys
    return Array.isArray(value) ? value.map((item: unknown, index) => prune(item, keys, [key, index])) : value
  }

  const rule = prune(raw, Object.keys(ruleSchema.shape), []) as Record<string, unknown>
  const pruned: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(rule)) {
    if (key === 'match') pruned[key] = prune(value, Object.keys(matchSchema.unwrap().shape), [key])
    else if (key === 'upstream') pruned[key] = prune(value, Object.keys(upstreamSchema.unwrap().shape), [key])
    else if (key === 'authorizer' && !Array.isArray(value)) pruned[key] = prune(value, handlerKeys, [key])
    else pruned[key] = pruneAll(value, key)
  }
  return pruned
}

/** To Go, null is the same as absent. */
function dropNulls(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null))
}

function unknownKey(key: string, keys: readonly string[], path: Path, locate: Locate): Problem {
  const meant = closest(key, keys)
  const hint = meant === undefined ? `Known here: ${keys.join(', ')}.` : `Did you mean "${meant}"?`
  return { severity: 'warning', message: `Unknown key "${key}" is ignored`, hint, ...placed(locate, path, 'key') }
}

function toRule({ match, upstream, ...raw }: RawRule): Rule {
  return {
    id: raw.id ?? '',
    version: raw.version ?? '',
    description: raw.description ?? '',
    ...(raw.priority !== undefined && { priority: raw.priority }),
    match: toMatch(match ?? {}),
    authenticators: (raw.authenticators ?? []).map((ref) => toAuthenticatorRef(ref)),
    ...(raw.before_authorizer !== undefined && {
      before_authorizer: raw.before_authorizer.map((ref) => toHandlerRef(ref)),
    }),
    authorizer: toAuthorizer(raw.authorizer),
    mutators: (raw.mutators ?? []).map((ref) => toHandlerRef(ref)),
    errors: raw.errors?.map((ref) => toHandlerRef(ref)) ?? null,
    upstream: {
      url: upstream?.url ?? '',
      preserve_host: upstream?.preserve_host ?? false,
      strip_path: upstream?.strip_path ?? '',
      ...(upstream?.strip_prefix !== undefined && { strip_prefix: upstream.strip_prefix }),
      ...(upstream?.credentials !== undefined && { credentials: upstream.credentials }),
      ...(upstream?.client_headers !== undefined && { client_headers: upstream.client_headers }),
      ...(upstream?.forwarded_headers !== undefined && { forwarded_headers: upstream.forwarded_headers }),
      ...(upstream?.session_cookie_responses !== undefined && {
        session_cookie_responses: upstream.session_cookie_responses,
      }),
      ...(upstream?.websocket !== undefined && { websocket: upstream.websocket }),
      ...(upstream?.rewrite !== undefined && { rewrite: upstream.rewrite }),
      ...(upstream?.tls !== undefined && { tls: upstream.tls }),
      ...(upstream?.timeout !== undefined && { timeout: upstream.timeout }),
      ...(upstream?.limits !== undefined && { limits: upstream.limits }),
      ...(upstream?.max_body_bytes !== undefined && { max_body_bytes: upstream.max_body_bytes }),
    },
  }
}

function toMatch(raw: NonNullable<RawRule['match']>): RuleMatch {
  if (raw.full_method === undefined) return { url: raw.url ?? '', methods: raw.methods ?? [] }
  const { authority = '', full_method, allow_http_get = false } = raw
  return { url: `rpc://${authority}/${full_method}`, methods: [], rpc: { authority, full_method, allow_http_get } }
}

/** A list without an authorizer is as wrong as none at all. */
function toAuthorizer(raw: RawRule['authorizer'] = {}): Rule['authorizer'] {
  if (!Array.isArray(raw)) return toHandlerRef(raw)
  return raw.length === 0 ? toHandlerRef({}) : raw.map((ref) => toHandlerRef(ref))
}

function toAuthenticatorRef({ on_error, ...ref }: RawAuthenticatorRef): AuthenticatorRef {
  return { ...toHandlerRef(ref), ...(on_error !== undefined && { on_error }) }
}

function toHandlerRef({ handler = '', config }: RawHandlerRef): HandlerRef {
  return { handler, config: config ?? null }
}
