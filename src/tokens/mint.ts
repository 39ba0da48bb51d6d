import { CompactSign } from 'jose'
import { GatewayError } from '../errors.ts'
import type { Exchange } from '../pipeline/contract/exchange.ts'
import type { SigningKey } from '../pipeline/contract/keys.ts'
import type { Clock } from '../pipeline/contract/runtime.ts'
import type { Safeguards } from '../pipeline/contract/safeguards.ts'
import type { Session } from '../pipeline/contract/session.ts'
import type { Token, TokenCache } from '../pipeline/contract/tokens.ts'
import type { Awaitable, Json, JsonObject } from '../pipeline/contract/values.ts'
import { cacheKey, canonicalJson, digest } from './claims/fingerprint.ts'
import type { ClaimsTemplate } from './claims/template.ts'

/** What the claims of all tokens of one kind have in common. */
export interface ClaimsSettings {
  /** The claim `iss`, verbatim. */
  readonly issuer: string
  /** Lifetime in milliseconds: `exp` minus `iat`, unless the session ends before. */
  readonly ttl: number
  /** Absent: the registered claims alone. */
  readonly claims: ClaimsTemplate | undefined
  readonly safeguards: Pick<Safeguards, 'token_backdate' | 'token_lifetime'>
  /** Whose token it is, the claim `sub`: the session's subject unless given. Throws GatewayError. */
  readonly subject?: (session: Session) => string
  /** Whether tokens name their session: `sid`, unless the session has no ID. */
  readonly sid?: boolean
  readonly clock: Clock
  readonly randomUUID: () => string
}

export interface TokenSettings extends ClaimsSettings {
  readonly key: SigningKey
}

export interface MintOptions extends TokenSettings {
  /** Location of the key set, a part of the cache's key. */
  readonly jwksUrl: string
  readonly tokens: TokenCache
}

/**
 * Gives the token of an exchange (JWS compact serialisation), at once when there is one that is still good.
 * Throws GatewayError: `template_failed`, or `credentials_invalid` when the session has ended meanwhile.
 */
export type Mint = (exchange: Exchange) => Awaitable<string>

/** A token and the moment (monotonic, milliseconds) until which it is handed out for one session. */
interface Remembered {
  readonly jwt: string
  readonly until: number
  /** See hasStepped. */
  readonly offset: number
}

/** Milliseconds by which the wall clock may drift from the monotonic one while a token lives. */
const DRIFT = 2000

/**
 * Whether the wall clock was set since it was this much (milliseconds) before the monotonic one: tokens of before then are
 * from the future to every verifier, or have ended.
 */
const hasStepped = (offset: number, clock: Clock, monotonic = clock.monotonic()): boolean =>
  Math.abs(clock.now() - monotonic - offset) > DRIFT

const offsetOf = ({ exp, endsAt }: Token): number => exp * 1000 - endsAt

/** Claims that say when a token was made, and differ from one token to the next. */
const VOLATILE: ReadonlySet<string> = new Set(['exp', 'iat', 'nbf', 'jti'])

/**
 * Makes tokens of sessions.
 *
 * A token is reused as long as a tenth of its lifetime remains, as in Oathkeeper; one that ends with its session, which a
 * new one could not outlive either, until then. Its key in the cache says all that went into it, so that neither another
 * session, template, setting or key nor a changed value can ever be given somebody else's token.
 */
export function createMint(options: MintOptions): Mint {
  const { ttl, claims, clock, tokens, key: signing } = options
  const settings = digest([
    options.issuer,
    String(ttl),
    options.jwksUrl,
    signing.kid,
    signing.alg,
    signing.thumbprint,
    claims?.identity ?? '',
    String(options.safeguards.token_backdate),
    options.safeguards.token_lifetime,
    String(options.sid === true),
  ])
  const remembered = new WeakMap<Session, Remembered>()

  /** Until when a token may be handed out for a session; in the past when it may not. */
  function goodUntil(token: Token, session: Session): number {
    const end = endOf(session, options)
    if ((end !== undefined && token.exp > end) || hasStepped(offsetOf(token), clock)) return -Infinity
    return token.exp === end ? token.endsAt : token.endsAt - ttl / 10
  }

  /** A token from the cache, or signed now and kept there. `remember` is told until when it may be handed out. */
  function obtain(
    place: string,
    session: Session,
    sign: () => Promise<Token>,
    remember?: (token: Token, until: number) => void,
  ): Awaitable<string> {
    const cached = tokens.get(place)
    if (cached !== undefined) {
      const until = goodUntil(cached, session)
      if (clock.monotonic() < until) {
        remember?.(cached, until)
        return cached.jwt
      }
    }
    return tokens.obtain(place, sign, session).then(async (shared) => {
      const until = goodUntil(shared, session)
      // A shared token may have been made for an answer of the store that lets the session live longer.
      if (until === -Infinity) return (await sign()).jwt
      remember?.(shared, until)
      return shared.jwt
    })
  }

  return (exchange) => {
    const { session } = exchange
    const before = remembered.get(session)
    if (before !== undefined) {
      const monotonic = clock.monotonic()
      if (monotonic < before.until && !hasStepped(before.offset, clock, monotonic)) return before.jwt
    }

    const subject = subjectOf(session, options)
    const fingerprint = claims === undefined ? '' : claims.fingerprint(exchange)
    if (fingerprint !== undefined) {
      const key = cacheKey([settings, ...sessionParts(session), subject, fingerprint])
      const sign = async (): Promise<Token> => signClaims(await allClaims(exchange, options), options)
      return obtain(key, session, sign, (token, until) =>
        remembered.set(session, { jwt: token.jwt, until, offset: offsetOf(token) }),
      )
    }

    // For a template that reads the request only the claims themselves tell tokens apart.
    const byClaims = (evaluated: SessionClaims): Awaitable<string> => {
      const lasting = canonicalJson(withoutVolatile(evaluated))
      const key = cacheKey([settings, 'claims', session.id ?? '', subject, lasting])
      return obtain(key, session, () => signClaims(evaluated, options))
    }
    const evaluated = allClaims(exchange, options)
    return evaluated instanceof Promise ? evaluated.then(byClaims) : byClaims(evaluated)
  }
}

/** Makes a new token each time. Rejects as `Mint` throws. */
export function createIssue(settings: TokenSettings): (exchange: Exchange) => Promise<string> {
  return async (exchange) => (await signClaims(await allClaims(exchange, settings), settings)).jwt
}

/** What a token will say. */
export interface SessionClaims {
  /** Without a template: `iss`, `sub`, `iat`, `nbf`, `exp`, `jti` and, where tokens name it, `sid`. */
  readonly registered: JsonObject & { readonly exp: number }
  /** All of it. */
  readonly all: JsonObject
}

/** The claims that a token of this exchange would have now. Throws, or rejects, as `Mint`. */
export function allClaims(exchange: Exchange, settings: ClaimsSettings): Awaitable<SessionClaims> {
  const registered = registeredClaims(exchange.session, settings)
  const { claims } = settings
  if (claims === undefined) return { registered, all: registered }
  const complete = (said: JsonObject): SessionClaims => {
    // Set last: what a template says about them never counts, and what a mapper says about the subject neither.
    const all = claims.replacesRegistered ? { ...registered, ...said, sub: registered.sub } : { ...said, ...registered }
    return { registered, all: { ...all, exp: expiry(all['exp'], exchange.session, settings) } }
  }
  const said = claims.evaluate(exchange, registered)
  return said instanceof Promise ? said.then(complete) : complete(said)
}

function registeredClaims(session: Session, settings: ClaimsSettings) {
  const { clock, ttl, safeguards, issuer, randomUUID, sid } = settings
  const now = clock.now()
  const issuedAt = now - safeguards.token_backdate * 1000
  const end = endOf(session, settings)
  if (end !== undefined && end * 1000 <= now) {
    throw new GatewayError('credentials_invalid', { reason: 'The session has ended' })
  }
  const iat = Math.floor(issuedAt / 1000)
  return {
    exp: Math.min(Math.floor((issuedAt + ttl) / 1000), end ?? Infinity),
    iat,
    iss: issuer,
    jti: randomUUID(),
    nbf: iat,
    sub: subjectOf(session, settings),
    ...(sid === true && session.id !== undefined && { sid: session.id }),
  }
}

/** Says in a key whose session it is; those without an ID are one as long as their subjects and what a template reads are. */
const sessionParts = ({ id }: Session): readonly string[] => (id === undefined ? ['subject'] : ['session', id])

const subjectOf = (session: Session, { subject }: ClaimsSettings): string => subject?.(session) ?? session.subject

/** `exp` as a mapper may have replaced it: earlier is its own affair, later than the session's end it never is. */
function expiry(exp: Json | undefined, session: Session, settings: ClaimsSettings): Json {
  const end = endOf(session, settings)
  if (end === undefined) return exp ?? null
  if (typeof exp === 'number') return Math.min(exp, end)
  throw new GatewayError('template_failed', {
    reason: 'The claims mapper makes an "exp" that is no number, so that the token would outlive its session',
  })
}

/** The last `exp` that the session allows, epoch seconds. */
function endOf({ expiresAt }: Session, { safeguards }: ClaimsSettings): number | undefined {
  return safeguards.token_lifetime === 'ttl' || expiresAt === undefined ? undefined : Math.floor(expiresAt / 1000)
}

function withoutVolatile({ registered, all }: SessionClaims): JsonObject {
  const isOurs = (name: string): boolean => VOLATILE.has(name) && all[name] === registered[name]
  return Object.fromEntries(Object.entries(all).filter(([name]) => !isOurs(name)))
}

const encoder = new TextEncoder()

async function signClaims({ registered, all }: SessionClaims, { key, clock }: TokenSettings): Promise<Token> {
  const now = clock.now()
  const monotonic = clock.monotonic()
  const jwt = await new CompactSign(encoder.encode(JSON.stringify(all)))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT' })
    .sign(key.key)
  const exp = typeof all['exp'] === 'number' ? all['exp'] : registered.exp
  return { jwt, exp, endsAt: monotonic + exp * 1000 - now, signedBy: key.thumbprint }
}
