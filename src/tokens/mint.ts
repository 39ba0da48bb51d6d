import { CompactSign } from 'jose'
import { GatewayError } from '../errors.ts'
import type {
  Awaitable,
  Clock,
  Exchange,
  JsonObject,
  Safeguards,
  Session,
  SigningKey,
  Token,
  TokenCache,
} from '../pipeline/contract.ts'
import { canonicalJson, digest } from './claims/fingerprint.ts'
import type { ClaimsTemplate } from './claims/template.ts'

export interface MintOptions {
  /** The claim `iss`, verbatim. */
  readonly issuer: string
  /** Lifetime in milliseconds: `exp` minus `iat`, unless the session ends before. */
  readonly ttl: number
  /** Location of the key set, a part of the cache's key. */
  readonly jwksUrl: string
  readonly key: SigningKey
  /** Absent: the registered claims alone. */
  readonly claims: ClaimsTemplate | undefined
  readonly safeguards: Pick<Safeguards, 'token_backdate' | 'token_lifetime'>
  readonly clock: Clock
  readonly randomUUID: () => string
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
}

/**
 * Makes tokens of sessions.
 *
 * A token is reused as long as a tenth of its lifetime remains, as in Oathkeeper; one that ends with its session, which a
 * new one could not outlive either, until then. Its key in the cache says all that went into it, so that neither another
 * session, template, setting or key nor a changed value can ever be given somebody else's token.
 */
export function createMint(options: MintOptions): Mint {
  const { ttl, claims, clock, tokens, key } = options
  const settings = digest([
    options.issuer,
    String(ttl),
    options.jwksUrl,
    key.kid,
    key.alg,
    key.thumbprint,
    claims?.identity ?? '',
    String(options.safeguards.token_backdate),
    options.safeguards.token_lifetime,
  ])
  const remembered = new WeakMap<Session, Remembered>()

  /** Until when a token may be handed out for a session; in the past when it may not. */
  function goodUntil(token: Token, session: Session): number {
    const end = endOf(session, options)
    if (end !== undefined && token.exp > end) return -Infinity
    return token.exp === end ? token.endsAt : token.endsAt - ttl / 10
  }

  return (exchange) => {
    const { session } = exchange
    const now = clock.monotonic()
    const before = remembered.get(session)
    if (before !== undefined && now < before.until) return before.jwt

    const fingerprint = claims === undefined ? '' : claims.fingerprint(exchange)
    // Without a session ID, or for a template that reads the request, only the claims themselves tell tokens apart.
    const evaluated =
      fingerprint === undefined || session.id === undefined ? (claims?.evaluate(exchange) ?? {}) : undefined
    const cacheKey = digest(
      evaluated === undefined
        ? [settings, 'session', session.id ?? '', session.subject, fingerprint ?? '']
        : [settings, 'claims', session.id ?? '', session.subject, canonicalJson(evaluated)],
    )

    function remember(token: Token, until: number): string {
      // Not for a template that reads the request: the next request of this session may need other claims.
      if (fingerprint !== undefined) remembered.set(session, { jwt: token.jwt, until })
      return token.jwt
    }

    const cached = tokens.get(cacheKey)
    if (cached !== undefined) {
      const until = goodUntil(cached, session)
      if (now < until) return remember(cached, until)
    }

    const sign = (): Promise<Token> => signToken(evaluated ?? claims?.evaluate(exchange) ?? {}, session, options)
    return tokens.obtain(cacheKey, sign).then(async (shared) => {
      const until = goodUntil(shared, session)
      // A shared token may have been made for an answer of the store that lets the session live longer.
      return until === -Infinity ? (await sign()).jwt : remember(shared, until)
    })
  }
}

/** The last `exp` that the session allows, epoch seconds. */
function endOf({ expiresAt }: Session, { safeguards }: MintOptions): number | undefined {
  return safeguards.token_lifetime === 'ttl' || expiresAt === undefined ? undefined : Math.floor(expiresAt / 1000)
}

const encoder = new TextEncoder()

async function signToken(claims: JsonObject, session: Session, options: MintOptions): Promise<Token> {
  const { key, clock, ttl, safeguards } = options
  const now = clock.now()
  const monotonic = clock.monotonic()
  const issuedAt = now - safeguards.token_backdate * 1000
  const end = endOf(session, options)
  const exp = Math.min(Math.floor((issuedAt + ttl) / 1000), end ?? Infinity)
  if (end !== undefined && end * 1000 <= now) {
    throw new GatewayError('credentials_invalid', { reason: 'The session has ended' })
  }
  const iat = Math.floor(issuedAt / 1000)
  // Set last: what a template says about them never counts.
  const payload = {
    ...claims,
    exp,
    iat,
    iss: options.issuer,
    jti: options.randomUUID(),
    nbf: iat,
    sub: session.subject,
  }
  const jwt = await new CompactSign(encoder.encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT' })
    .sign(key.key)
  return { jwt, exp, endsAt: monotonic + exp * 1000 - now }
}
