/**
 * What every part of the pipeline agrees on: the request it sees, the session it finds, the handlers it runs and the
 * decision it comes to. Holds types and the four `define…` functions, no behaviour.
 * Longer than most files because its parts name each other, and who writes a handler reads it from top to bottom.
 */
import type { CryptoKey, JWK } from 'jose'
import type { SecureContext } from 'node:tls'
import type { z } from 'zod'
import type { GatewayError } from '../errors.ts'

/** A value now or later. Hot paths return plain values, so that an answer from a cache costs no promise. */
export type Awaitable<T> = T | Promise<T>

export type Json = string | number | boolean | null | Json[] | JsonObject
export interface JsonObject {
  [name: string]: Json
}

// ------------------------------------------------------------------------------------------------ the request

/** Request headers as the client sent them; names are given in lower case. */
export interface RequestHeaders {
  /** The first value, or undefined. */
  get(name: string): string | undefined
  /** Every value, in order; empty when there is none. */
  all(name: string): readonly string[]
  /** Name, value, name, value… in the client's order and spelling. */
  readonly raw: readonly string[]
}

/**
 * Reads the request's body whole. What it takes is not lost: the upstream still gets every byte.
 * @param limit bytes
 * Rejects with GatewayError: `body_too_large`, `request_timeout`, `client_closed_request`.
 */
export type ReadBody = (limit: number) => Promise<Uint8Array>

/**
 * One request as the pipeline sees it: the canonical request and its headers. The body stays where it is until a handler
 * asks for it.
 * What is matched, logged and given to templates is what is forwarded.
 */
export interface Inbound {
  readonly method: string
  /** `http` or `https`; on /decisions whatever X-Forwarded-Proto says. */
  readonly scheme: string
  /** Host and port as the client named them, case kept. */
  readonly host: string
  /** Decoded once and resolved, without a trailing slash except for `/`: what rules match and templates see. */
  readonly path: string
  /** The same path percent-encoded, with the client's trailing slash: what the upstream gets. Starts with `/`. */
  readonly target: string
  /** Without `?`, as the client sent it; empty when there is none. */
  readonly query: string
  readonly headers: RequestHeaders
  /** IP address of the peer (without port). */
  readonly remoteAddress: string
  /** Absent when the request has no body. */
  readonly readBody?: ReadBody | undefined
}

// ------------------------------------------------------------------------------------------------ the session

/**
 * Who the request comes from. Immutable and shared by all requests that were answered by the same answer of the
 * session store, so that whatever is derived from it can be remembered beside it.
 */
export interface Session {
  /** Empty for `noop`. */
  readonly subject: string
  readonly extra: JsonObject | null
  /** The session store's id of this session; absent for credentials that have none. */
  readonly id?: string
  /** The session store's id of the user; absent when it does not say. */
  readonly identity?: string
  /** Epoch milliseconds; absent when the session has no known end. */
  readonly expiresAt?: number
  /** Epoch milliseconds at which the user's data changed last; absent when the session store does not say. */
  readonly changedAt?: number
  /** Absent when the session store says nothing of it. */
  readonly authentication?: SessionAuthentication
  /** Known from before an outage of the session store, which cannot be asked. */
  readonly stale?: true
}

/** How the user proved who they are, as the session store tells it. */
export interface SessionAuthentication {
  /** Assurance level: `aal0` to `aal3`. */
  readonly aal?: string
  /** Epoch milliseconds of the last factor. */
  readonly at?: number
  /** Such as `password` or `totp`. */
  readonly methods: readonly string[]
  /** Channels (`email`, `sms`) of which an address is verified. */
  readonly verified: readonly string[]
}

/** A header to set (text, also empty; it is sent as UTF-8) or to remove (null). Names in any case. */
export type HeaderEdit = readonly [name: string, value: string | null]
export type HeaderLine = readonly [name: string, value: string]

/** What authorizers, mutators and templates see of a request that has been authenticated. */
export interface Exchange {
  readonly inbound: Inbound
  /** Capture groups of the rule's pattern, without the whole match; empty for glob. */
  readonly captures: readonly string[]
  readonly session: Session
  /** What earlier steps have set so far, in order. */
  readonly edits: readonly HeaderEdit[]
}

// ------------------------------------------------------------------------------------------------ outcomes

export type Authentication =
  | { readonly outcome: 'authenticated'; readonly session: Session; readonly responseHeaders?: readonly HeaderLine[] }
  | { readonly outcome: 'not_responsible' }
  | { readonly outcome: 'denied'; readonly error: GatewayError; readonly responseHeaders?: readonly HeaderLine[] }
  | { readonly outcome: 'unavailable'; readonly error: GatewayError }

export type Authorization =
  | { readonly outcome: 'allowed'; readonly edits?: readonly HeaderEdit[] }
  | { readonly outcome: 'denied'; readonly error: GatewayError }
  | { readonly outcome: 'unavailable'; readonly error: GatewayError }

export interface Mutation {
  readonly edits?: readonly HeaderEdit[]
  /** Replaces the session for the steps that follow. */
  readonly session?: Session
  /** Whether `edits` takes the place of all edits before it, instead of coming after them. */
  readonly replacesEdits?: boolean
  /** Replaces the capture groups for the steps that follow. */
  readonly captures?: readonly string[]
  /** Oathkeeper's `noop`: /decisions answers with the request's own headers, too. */
  readonly echoRequestHeaders?: boolean
}

/** The answer to a request that was not allowed. */
export interface ErrorAnswer {
  readonly status: number
  readonly headers: readonly HeaderLine[]
  readonly body: string
}

// ------------------------------------------------------------------------------------------------ handlers

export type Authenticate = (inbound: Inbound) => Awaitable<Authentication>
/** Throws GatewayError only for faults; a refusal is an outcome. */
export type Authorize = (exchange: Exchange) => Awaitable<Authorization>
/** Throws GatewayError when the edit cannot be made: a request never goes on without it. */
export type Mutate = (exchange: Exchange) => Awaitable<Mutation>
export type AnswerError = (error: GatewayError, inbound: Inbound) => ErrorAnswer

/** An authorizer says at load which request headers it sets, so that a client's own copies never get through. */
export interface AuthorizerStep {
  readonly authorize: Authorize
  /** Lower case. */
  readonly owns: readonly string[]
}

/** A mutator says at load which request headers it owns, so that a client's own copies never get through. */
export interface MutatorStep {
  readonly mutate: Mutate
  /** Lower case. */
  readonly owns: readonly string[]
}

/** An error handler and the condition (`when`) under which it answers. */
export interface ErrorStep {
  /** With `exactly` an error counts under the name of its own status alone; without, also under Oathkeeper's name for it. */
  readonly matches: (error: GatewayError, inbound: Inbound, exactly: boolean) => boolean
  readonly answer: AnswerError
}

/**
 * One pluggable handler: a name, a config schema, and a factory that runs once per rule when the rule is loaded.
 * The one schema serves parsing, defaults, types, the editor's JSON Schema and the reference table.
 */
export interface Handler<Kind extends string, Step> {
  readonly kind: Kind
  /** What users write after `handler:`; also the name of the handler's file. */
  readonly name: string
  readonly config: z.ZodType
  // A method, not a property: keeps a handler with a narrower config assignable to this type.
  create(config: unknown, setup: Setup): Awaitable<Step>
}

export type Authenticator = Handler<'authenticators', Authenticate>
export type Authorizer = Handler<'authorizers', AuthorizerStep>
export type Mutator = Handler<'mutators', MutatorStep>
export type ErrorHandler = Handler<'errors', ErrorStep>
export type AnyHandler = Authenticator | Authorizer | Mutator | ErrorHandler

interface Definition<Schema extends z.ZodType, Step> {
  readonly name: string
  readonly config: Schema
  /** Throws ConfigError for what the schema cannot say. */
  create(config: z.output<Schema>, setup: Setup): Awaitable<Step>
}

export const defineAuthenticator = <S extends z.ZodType>(handler: Definition<S, Authenticate>): Authenticator => ({
  kind: 'authenticators',
  ...handler,
})
export const defineAuthorizer = <S extends z.ZodType>(handler: Definition<S, AuthorizerStep>): Authorizer => ({
  kind: 'authorizers',
  ...handler,
})
export const defineMutator = <S extends z.ZodType>(handler: Definition<S, MutatorStep>): Mutator => ({
  kind: 'mutators',
  ...handler,
})
export const defineErrorHandler = <S extends z.ZodType>(handler: Definition<S, ErrorStep>): ErrorHandler => ({
  kind: 'errors',
  ...handler,
})

/** Thrown by `create`: something that the config's author can mend; `path` leads to the value inside the handler's config. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly path: readonly (string | number)[]
  /** One sentence: what to do. */
  readonly hint: string | undefined
  /** Where in that value, when it is a text of several lines such as a template; both count from 1. */
  readonly within: { readonly line: number; readonly column: number } | undefined

  constructor(
    message: string,
    path: readonly (string | number)[] = [],
    hint?: string,
    within?: { readonly line: number; readonly column: number },
  ) {
    super(message)
    this.path = path
    this.hint = hint
    this.within = within && { line: within.line, column: within.column }
  }
}

// ------------------------------------------------------------------------------------------------ what handlers are given

export interface Clock {
  /** Wall clock, epoch milliseconds: for what is written into tokens. */
  now(): number
  /** Milliseconds from an arbitrary start, never going back: for the lifetime of what is cached. */
  monotonic(): number
}

export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** A private or symmetric key that signs, as chosen from its key set. */
export interface SigningKey {
  readonly kid: string
  /** JWS algorithm, RFC 7518 section 3.1. */
  readonly alg: string
  readonly key: CryptoKey | Uint8Array
  /** RFC 7638 thumbprint: tells two keys apart that share a kid. */
  readonly thumbprint: string
}

export interface KeySet {
  /** Where it comes from, without secrets. */
  readonly url: string
  /** Why it could not be read; undefined when it could, even if it has no key to sign with. */
  readonly problem: string | undefined
  /** Throws GatewayError `signing_key_unavailable` with the reason when the set has none. */
  signingKey(): SigningKey
  /** The same for tokens as Kratos makes them, where the first key of a set signs, with or without a kid. */
  firstKey(): SigningKey
  /** The public halves, ready to be published; no symmetric keys, and none that have ended. */
  readonly publicKeys: readonly JWK[]
  /** What there is in the set, private halves aside. */
  readonly keys: readonly KeyInfo[]
  /** When a key of the set begins to sign or ends, epoch milliseconds; undefined when none ever does. */
  readonly changesAt: number | undefined
}

/** One key of a set as operators see it. Times are epoch milliseconds. */
export interface KeyInfo {
  /** Empty when it has none. */
  readonly kid: string
  readonly kty: string
  /** Empty when it does not say. */
  readonly alg: string
  /**
   * `signing`; `next` signs later; `retired` has signed and is published until it ends; `published` is there for verifiers
   * only; `ended` is neither used nor published.
   */
  readonly state: 'signing' | 'next' | 'retired' | 'published' | 'ended'
  readonly signsFrom: number | undefined
  readonly endsAt: number | undefined
}

/** Loads each key set once per snapshot. */
export interface KeySets {
  /**
   * Never rejects: a set that cannot be read has no signing key and says why.
   * @param lifetime how long tokens signed with it may be valid, milliseconds; absent for a set that signs nothing
   */
  load(url: string, lifetime?: number): Promise<KeySet>
}

/** A signed token and until when it may be used. */
export interface Token {
  /** JWS compact serialisation, RFC 7515 section 7.1. */
  readonly jwt: string
  /** The claim `exp`: epoch seconds. */
  readonly exp: number
  /** The moment of `exp` on the monotonic clock, milliseconds. */
  readonly endsAt: number
  /** RFC 7638 thumbprint of the key that signed it. */
  readonly signedBy: string
}

/** One kind of token, the same wherever it is handed out: `session.whoami.tokenizer.templates`. */
export interface TokenTemplate {
  /** A token that is still good, or a new one. Throws, or rejects with, GatewayError. */
  readonly mint: (exchange: Exchange) => Awaitable<string>
  /** A new token each time. Rejects with GatewayError. */
  readonly issue: (exchange: Exchange) => Promise<string>
  /** What a token would say now. Throws, or rejects with, GatewayError. */
  readonly claims: (exchange: Exchange) => Awaitable<JsonObject>
}

/** Tokens by everything they were made of. One per gateway; outlives reloads, because a key says all that matters. */
export interface TokenCache {
  get(key: string): Token | undefined
  /** Signs a token and keeps it; calls for the same key that are in flight share one signature. */
  obtain(key: string, sign: () => Promise<Token>, session?: Pick<Session, 'id' | 'identity'>): Promise<Token>
  /** Forgets the tokens of all keys but these; they are named by their thumbprints. */
  keepSignedBy(thumbprints: ReadonlySet<string>): void
  /** Tokens of the sessions that this ends are no longer handed out; nor are those of which nobody can tell. */
  forget(revocation: Revocation): void
}

/** One call to a service beside the session store and the upstreams. */
export interface HttpRequest {
  readonly method: string
  /** Absolute, http or https; its origin comes from configuration, never from a client. */
  readonly url: string
  /** Names in lower case; values one character per byte, as node gives those of requests. */
  readonly headers: readonly HeaderLine[]
  readonly body?: string | Uint8Array
}

export interface HttpLimits {
  /** Milliseconds for everything: waiting for a connection, all attempts and the pauses between them. */
  readonly giveUpAfter: number
  /** Longest pause between two attempts, milliseconds; absent means that there is only one. */
  readonly maxDelay?: number
  /** Bytes of the answer's body; 1 MiB unless given. With 0 the body is not read: `body` is empty, whatever was sent. */
  readonly maxBody?: number
}

export interface HttpResponse {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export interface HttpClient {
  /**
   * Rejects with HttpCallError when there is no whole answer. Attempts that failed, or were answered with 429 or 5xx (other
   * than 501), are repeated as `limits` allow: the service must be able to take the same request twice. An answer whose
   * Retry-After asks for a longer pause than `limits` allow is final.
   */
  send(request: HttpRequest, limits: HttpLimits): Promise<HttpResponse>
}

/**
 * What steps share over all rules and reloads, such as a cache: made by the first step that asks with this function, and
 * given to all others that ask with it.
 */
export type Shared = <Value extends object>(make: (parts: Pick<Setup, 'clock' | 'http' | 'log'>) => Value) => Value

/** Settings that a profile sets as a whole and that can each be set singly under `safeguards`. */
export interface Safeguards {
  /** Dot segments, `//`, `%2f` and the like in a path: refused with 400, or resolved and then matched and forwarded. */
  readonly path: 'refuse' | 'resolve'
  /** x-hasura-*, forwarded headers, identity headers, session credentials and Authorization of the client, on the way to the upstream; headers that services get unasked. */
  readonly client_headers: 'drop' | 'pass'
  /** Whether the upstream gets X-Forwarded-For, -Host and -Proto as the gateway saw them. */
  readonly forwarded_headers: 'set' | 'none'
  /** Set-Cookie of the session cookie's name from an upstream that is not the session store. */
  readonly session_cookie_responses: 'drop' | 'pass'
  /** Whether requests of rules without `upstream.websocket` may become WebSockets. */
  readonly websockets: 'by_rule' | 'any'
  /** What is asked of the session store: a fixed URL with GET and one credential, or Oathkeeper's mixture with the client's request. */
  readonly session_request: 'fixed' | 'client'
  /** Whether a session counts only with a subject, active and unexpired. */
  readonly session_requirements: 'strict' | 'lenient'
  /** Unexpected statuses of the session store (neither 200, 401, 403, 429 nor 5xx). */
  readonly session_unexpected_status: 'unavailable' | 'denied'
  /** A field that a template reads and the session does not have. */
  readonly missing_field: 'error' | 'empty'
  /** A rule that is invalid: the whole set is refused, or the rule loads and answers 500. */
  readonly invalid_rules: 'refuse' | 'isolate'
  readonly missing_rule_files: 'refuse' | 'warn'
  readonly missing_signing_keys: 'refuse' | 'isolate'
  /** Seconds by which iat and nbf are back-dated, for verifiers whose clock is behind. */
  readonly token_backdate: number
  /** Whether a token may outlive its session. */
  readonly token_lifetime: 'session' | 'ttl'
}

/** What Go templates may do beside reading the session: `templates` of the config. */
export interface TemplateSettings {
  /** Unsafe functions, which are refused unless they are named here. */
  readonly functions?: readonly string[]
  /** Where they find environment variables. */
  readonly host?: { readonly env: (name: string) => string | undefined }
}

export interface Setup {
  readonly safeguards: Safeguards
  readonly templates: TemplateSettings
  readonly clock: Clock
  readonly randomUUID: () => string
  readonly log: Log
  readonly keys: KeySets
  readonly tokens: TokenCache
  /** By name. */
  readonly tokenTemplates: ReadonlyMap<string, TokenTemplate>
  readonly sessions: SessionStore
  readonly revocations: Revocations
  readonly http: HttpClient
  readonly shared: Shared
  /** `access_rules.matching_strategy`: the language of the rules' patterns. */
  readonly matchingStrategy: 'regexp' | 'glob'
  /** Name of the session store's cookie (`kratos.cookie`). */
  readonly sessionCookie: string
  /** That cookie, and all others that some rule takes a session from. */
  readonly sessionCookies: readonly string[]
  /** Whether the session credentials of clients reach the upstream of the rule that the step is made for. */
  readonly passCredentials: boolean
  /** Where Kratos says whether it is ready, by `kratos.public_url` or `kratos.admin_url`; absent when neither is set. */
  readonly sessionStoreHealth?: string | undefined
  /** Absent when sessions are not extended. */
  readonly sessionExtender?: SessionExtender | undefined
  /**
   * Says something at load; `path` leads to the value inside the handler's config. A warning is legal but probably a mistake;
   * an error is a fault with which the step can still be built, because it answers with the fault when it is reached.
   */
  report(severity: 'error' | 'warning', message: string, path?: readonly (string | number)[], hint?: string): void
}

// ------------------------------------------------------------------------------------------------ the session store

/**
 * One question to the session store. Two questions are the same when all that is sent and the way the answer is read
 * are the same; only then may they share a call.
 */
export interface SessionQuestion {
  readonly url: string
  readonly method: string
  /** All headers that are sent, credentials included; names in lower case. */
  readonly headers: readonly HeaderLine[]
  readonly reader: SessionReader
  /** Whether the answer is to be had as it came, too. */
  readonly verbatim?: true
}

/** How an answer of the session store becomes a session. */
export interface SessionReader {
  /** Equal for readers that read alike. */
  readonly key: string
  /** `document` is undefined when a 200 has no body, or one that is no JSON. */
  read(document: Json | undefined): Session | GatewayError
  /** The error for a status that the session store has no business answering with. */
  unexpected(status: number): GatewayError
}

/** The closed set of what the session store can have said; `setCookie` is relayed to the client. */
export type SessionAnswer =
  | {
      readonly outcome: 'session'
      readonly session: Session
      readonly setCookie: readonly string[]
      /** Only for a question that asks for it. */
      readonly verbatim?: VerbatimAnswer
    }
  | { readonly outcome: 'denied'; readonly error: GatewayError; readonly setCookie: readonly string[] }
  | { readonly outcome: 'unavailable'; readonly error: GatewayError }

/** The session store's own words, for whoever passes them on. */
export interface VerbatimAnswer {
  /** A JSON object. */
  readonly body: string
  /** Milliseconds for which it may be used again; absent when the session store does not say. */
  readonly cacheFor: number | undefined
}

/** What the one who asks makes of answers; no part of the question. */
export interface SessionPolicy {
  /** How many sessions are kept; 0 means that answers are neither kept nor taken from what is kept. */
  readonly maxEntries: number
  /** Milliseconds for which a session is kept when the session store does not say how long; absent means not at all. */
  readonly ttl?: number | undefined
  /** Milliseconds after that for which a session counts while the session store is unavailable. */
  readonly staleIfError: number
  /** False: a session that is kept is asked for again. */
  readonly reuse: boolean
  /** Answers 200 as long as a 401 of the session store can be believed; absent means that it always can. */
  readonly healthUrl?: string | undefined
}

/** Gives sessions that are used shortly before their end a longer life: `kratos.extend_sessions`. */
export interface SessionExtender {
  /** Whether sessions that are checked at this URL are Kratos' own. */
  appliesTo(checkSessionUrl: string): boolean
  /** To be told of every session that is used. Returns at once: whatever is done is done later. */
  use(session: Session): void
}

export interface SessionStore {
  /**
   * Never rejects; answers at once from what is kept. Identical questions that are in flight share one call.
   * Without a policy nothing is kept.
   */
  ask(question: SessionQuestion, policy?: SessionPolicy): Awaitable<SessionAnswer>
}

/**
 * What no longer holds: a session, which has ended, or of which a credential has (`inDoubt`); whatever is remembered of a user
 * (the session store's id of the identity), whose sessions have ended or say something else now; or everything, because news
 * may have been missed. Whoever remembers something of it forgets it, and asks anew before it counts again.
 */
export type Revocation =
  { readonly session: string; readonly inDoubt?: true } | { readonly identity: string } | { readonly everything: true }

/** Where the news of a revocation came from. */
export type RevocationLayer =
  'observed' | 'refused' | 'admin_api' | 'webhook' | 'database' | 'revalidation' | 'redis' | 'worker'

export type RevocationListener = (revocation: Revocation, layer: RevocationLayer) => void

/** The one bus over which everything that remembers a session hears that it has ended. One per gateway. */
export interface Revocations {
  /** Tells everybody, at once: when it returns, nothing that was revoked is remembered in this process any more. */
  publish(revocation: Revocation, layer: RevocationLayer): void
  /** Returns the function that ends the subscription. */
  subscribe(listener: RevocationListener): () => void
}

// ------------------------------------------------------------------------------------------------ the decision

/** How connections to an upstream are made, where a rule or the config says something of it. */
export interface UpstreamConnection {
  /** Equal when connections may be shared: same origin, connect timeout, limits, and contents of the TLS files. */
  readonly key: string
  /** Milliseconds; 0 for no limit. */
  readonly connectTimeout?: number
  readonly tls?: SecureContext
  /** What is said of how many requests it gets at a time. */
  readonly limits?: {
    readonly connections?: number
    /** Requests that wait for a connection. */
    readonly waiting?: number
    /** Milliseconds for which they wait. */
    readonly waitTimeout?: number
  }
}

/** Safeguards that a rule sets singly. */
export interface UpstreamHeaders extends Partial<
  Pick<Safeguards, 'client_headers' | 'forwarded_headers' | 'session_cookie_responses'>
> {
  /** Session credentials and Authorization stay behind although other headers of the client pass. */
  readonly credentials?: 'drop'
}

/** What a rule says of WebSockets. */
export interface WebSocketSettings {
  /** Origins of pages that may open one, beside pages of the host that they ask. */
  readonly allowedOrigins: readonly string[]
  /** Present when connection_init is to be rebuilt: where in it, or in the upgrade, the mutators' headers belong. */
  readonly graphql?: 'upgrade' | 'payload' | 'payload_headers'
  /** Milliseconds between two decisions about an open socket; 0 for no second one. */
  readonly recheck: number
  /** Bytes of one message of the client. */
  readonly maxMessage: number
}

/** Beginning of URLs. */
export interface UrlPlace {
  /** `scheme://host`; absent means the address under which the client asked. */
  readonly origin?: string
  /** Whole segments without a slash at the end; empty for all of the origin. */
  readonly path: string
}

export interface UrlRewrite {
  readonly from: UrlPlace
  readonly to: UrlPlace
}

export interface CookieRewrite {
  /** Empty: the cookie is for the host alone that sets it. */
  readonly domain: string
  readonly secure: 'match' | 'always'
}

/** What of an upstream's answers is rewritten, so that browsers stay on the gateway's address. */
export interface ResponseRewrite {
  /** The first that fits counts. */
  readonly urls: readonly UrlRewrite[]
  /** Whether the URLs are rewritten in bodies, too. */
  readonly bodies: boolean
  readonly cookies?: CookieRewrite
}

export interface UpstreamTarget {
  /** `http://host:port` or `https://host:port`; never made from client bytes. */
  readonly origin: string
  /** Path of the upstream URL; empty or starting with `/`, without a trailing slash. */
  readonly basePath: string
  readonly preserveHost: boolean
  /** Normalised to `/a/b`, or empty. */
  readonly stripPath: string
  /** Whether `stripPath` counts only at the beginning of the request's path, whatever `safeguards.path` says. */
  readonly stripsPrefixOnly?: boolean
  /** Whether the client's session credentials reach this upstream (Kratos itself, or a rule that says so). */
  readonly passCredentials: boolean
  /** What the rule says of headers, over the safeguards of the config. */
  readonly headers?: UpstreamHeaders
  readonly connection?: UpstreamConnection
  /** Milliseconds until the response begins, 0 for no limit; absent: as the proxy has it. */
  readonly responseTimeout?: number
  /** Milliseconds for which a response may stand still, 0 for no limit; absent: as the proxy has it. */
  readonly idleTimeout?: number
  /** Bytes that a request's body may have; absent: any number. */
  readonly maxBody?: number
  /** False: no request may become a WebSocket. Absent: any may, and its bytes pass untouched. */
  readonly webSocket?: WebSocketSettings | false
  readonly rewrite?: ResponseRewrite
}

export interface AllowedDecision {
  readonly allowed: true
  readonly ruleId: string
  readonly session: Session
  readonly edits: readonly HeaderEdit[]
  readonly responseHeaders: readonly HeaderLine[]
  readonly echoRequestHeaders: boolean
  /** Absent for a rule without `upstream.url`: it serves /decisions only. */
  readonly upstream?: UpstreamTarget | undefined
  /**
   * Told the status of the upstream's answer before the client sees any of it, and 0 when the request is over, which tells
   * something only when no answer came before.
   */
  readonly answered?: (status: number) => void
}

export interface RefusedDecision {
  readonly allowed: false
  /** Absent when no rule, or more than one, matched. */
  readonly ruleId?: string
  readonly error: GatewayError
  readonly answer: ErrorAnswer
  /** The session, when the request got so far. */
  readonly session?: Session
}

export type Decision = AllowedDecision | RefusedDecision

/** One line of how a decision came about; recorded for `explain` only. */
export interface TraceStep {
  readonly step: 'match' | 'authenticator' | 'authorizer' | 'mutator' | 'error_handler'
  /** Handler name, or the rule's id for `match`. */
  readonly name: string
  readonly outcome: string
  readonly detail?: string
}
export type Trace = (step: TraceStep) => void
