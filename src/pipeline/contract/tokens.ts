/** Tokens: one kind of them, and the memory of those that are made. */
import type { Exchange } from './exchange.ts'
import type { Revocation } from './revocations.ts'
import type { Session } from './session.ts'
import type { Awaitable, JsonObject } from './values.ts'

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
