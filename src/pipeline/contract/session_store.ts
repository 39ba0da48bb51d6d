/** What is asked of the session store, and what it answers. */
import type { GatewayError } from '../../errors.ts'
import type { HeaderLine } from './headers.ts'
import type { Session } from './session.ts'
import type { Awaitable, Json } from './values.ts'

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
