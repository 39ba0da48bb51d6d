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
