/**
 * The one table of reason codes. The same code stands in the log line, the metric label, `explain` and the error reference;
 * the HTTP status follows from it and from nothing else.
 */

interface CodeEntry {
  /** HTTP status (RFC 9110 section 15). */
  readonly status: number
  /** Safe to show to a client; worded as Oathkeeper words it where Oathkeeper has the case. */
  readonly message: string
  /** What an operator can do about it; printed in the error reference, never sent. */
  readonly remedy: string
}

export const codes = {
  request_invalid: {
    status: 400,
    message: 'The request was malformed or contained invalid parameters',
    remedy: 'The request line, the Host header or another header is ambiguous or forbidden; the reason names what.',
  },
  request_timeout: {
    status: 408,
    message: 'The request did not arrive in time',
    remedy: 'The client stopped sending in the middle of a request; raise serve.proxy.timeout.read for slow clients.',
  },
  body_too_large: {
    status: 413,
    message: 'The request body is too large',
    remedy: 'It has more than `max_body_bytes` of the rule’s `upstream` or of the authorizer `remote`; raise it.',
  },
  expectation_unknown: {
    status: 417,
    message: 'The expectation of the request cannot be met',
    remedy: 'The only thing that a request may expect, in its header `Expect`, is `100-continue`.',
  },
  headers_too_large: {
    status: 431,
    message: 'The request header is too large',
    remedy: 'The client sent more header lines or bytes than a request may have.',
  },
  credentials_invalid: {
    status: 401,
    message: 'Access credentials are invalid',
    remedy:
      'No authenticator of the rule accepted the credentials: they are missing, expired or not of a kind it looks at.',
  },
  access_denied: {
    status: 403,
    message: 'Access credentials are not sufficient to access this resource',
    remedy: 'The authorizer of the rule refused the request.',
  },
  cross_site_request: {
    status: 403,
    message: 'Access credentials are not sufficient to access this resource',
    remedy:
      "The request has the cookie but, as its Origin and Sec-Fetch-Site say, comes from another site's page, or its media type is not among `content_types`; add what is meant to `csrf` of the authenticator.",
  },
  session_aal2_required: {
    status: 403,
    message: 'Session does not fulfill the requested Authenticator Assurance Level',
    remedy: 'The session store, or `require` of the rule, asks for a second factor; `step_up` leads browsers to it.',
  },
  session_refresh_required: {
    status: 403,
    message: 'The session was authenticated too long ago or by other means than required',
    remedy: '`require` of the rule asks for a new authentication; the error handler `step_up` leads browsers to it.',
  },
  session_address_unverified: {
    status: 403,
    message: 'The session belongs to a user without the required verified address',
    remedy: '`require` of the rule asks for a verified address; lead the user to the verification flow.',
  },
  session_response_invalid: {
    status: 403,
    message: 'Access credentials are not sufficient to access this resource',
    remedy: 'subject_from or extra_from picked a value of the wrong type from the session store; correct the path.',
  },
  websocket_not_allowed: {
    status: 403,
    message: 'A WebSocket may not be opened here',
    remedy: 'Give the rule `upstream.websocket`, or name the origin of the page in its `allowed_origins`.',
  },
  too_many_websockets: {
    status: 429,
    message: 'Too many WebSockets of this session are open',
    remedy: 'A client opens sockets without closing them; or raise serve.proxy.websockets.max_per_session.',
  },
  rule_not_found: {
    status: 404,
    message: 'Requested url does not match any rules',
    remedy: 'Add a rule, or correct where the nearest one differs: method, scheme, host or path.',
  },
  rule_ambiguous: {
    status: 500,
    message: 'Expected exactly one rule but found multiple rules',
    remedy: 'Narrow the patterns until one rule matches, or give one of them a higher `priority`.',
  },
  rule_matching_failed: {
    status: 500,
    message: 'The request could not be matched against the rules',
    remedy: 'A rule pattern cannot be compiled or needs too many steps for this path; simplify it.',
  },
  rule_misconfigured: {
    status: 500,
    message: 'The matched rule is misconfigured',
    remedy: '`mintkeeper validate` shows what is wrong with the rule, and where.',
  },
  template_failed: {
    status: 500,
    message: 'A template of the matched rule could not be rendered',
    remedy: 'The template reads something that this session does not have; give a default or require the field.',
  },
  authorizer_failed: {
    status: 500,
    message: 'The authorizer came to no decision',
    remedy: 'The service behind the authorizer did not answer, or with a status that decides nothing; see its log.',
  },
  hydrator_failed: {
    status: 500,
    message: 'The session could not be hydrated',
    remedy: 'The service behind the hydrator did not answer with the session; the log line says what it did.',
  },
  signing_key_unavailable: {
    status: 500,
    message: 'No key to sign with is available',
    remedy:
      'Check jwks_url: it must hold a private key with `alg` and `kid`. `mintkeeper credentials generate` makes one.',
  },
  error_handler_failed: {
    status: 500,
    message: 'An internal server error occurred, please contact the system administrator',
    remedy: 'Exactly one error handler must be responsible; check `errors` of the rule and `errors.fallback`.',
  },
  internal_error: {
    status: 500,
    message: 'An internal server error occurred, please contact the system administrator',
    remedy: 'A fault in the gateway; the log line has the details. Please report it.',
  },
  upstream_unreachable: {
    status: 502,
    message: 'The upstream could not be reached',
    remedy:
      'No connection could be made: check the name, port and certificate of the upstream, and that it is running.',
  },
  upstream_broken: {
    status: 502,
    message: 'The upstream gave no valid or no whole answer',
    remedy: 'The upstream was reached, but broke off or sent what is no HTTP; its own log may say why.',
  },
  upstream_timeout: {
    status: 504,
    message: 'The upstream did not answer in time',
    remedy: 'The upstream sent nothing for longer than its timeout; raise the timeout or look at the upstream.',
  },
  session_store_unavailable: {
    status: 503,
    message: 'The session store is not available',
    remedy: 'Check check_session_url and that the session store answers it within its timeout.',
  },
  verification_keys_unavailable: {
    status: 503,
    message: 'The keys that verify tokens are not available',
    remedy: 'None of jwks_urls could be read, or the one that may hold the key could not; the log says which and why.',
  },
  introspection_failed: {
    status: 500,
    message: 'The token could not be introspected',
    remedy: 'Check introspection_url and pre_authorization: the server did not answer, or not with 200 and JSON.',
  },
  token_endpoint_not_found: {
    status: 404,
    message: 'Upstream service not found',
    remedy: 'The token endpoint answers 404; correct token_url.',
  },
  token_endpoint_failed: {
    status: 500,
    message: 'The upstream service encountered an unexpected error',
    remedy: 'The token endpoint answers 500; its own log says why.',
  },
  token_endpoint_unavailable: {
    status: 503,
    message: 'The upstream service is not available',
    remedy: 'Check token_url and that the token endpoint answers within retry.give_up_after.',
  },
  token_endpoint_timeout: {
    status: 504,
    message: 'The upstream service is timing out',
    remedy: 'The token endpoint waits in vain for a service behind it.',
  },
  overloaded: {
    status: 503,
    message: 'The gateway is at its limit of concurrent work',
    remedy: 'Too many requests wait for the session store or an upstream; look at which one is slow.',
  },
  rate_limited: {
    status: 429,
    message: 'Too many requests',
    remedy: 'A service that the gateway asks limits its callers; its Retry-After is passed on.',
  },
  client_closed_request: {
    status: 499,
    message: 'The client closed the connection before the answer',
    remedy: 'Nothing; the client went away.',
  },
} as const satisfies Record<string, CodeEntry>

export type Code = keyof typeof codes

export interface GatewayErrorOptions {
  /** What happened, for the log and for clients of verbose error handlers. Never contains secrets. */
  readonly reason?: string
  /** What happened, for the log alone; the reason unless given. */
  readonly detail?: string
  /** Response headers that belong to the answer, such as Retry-After. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
  /** A JSON body of the session store that is passed on untouched, such as Kratos' session_aal2_required. */
  readonly body?: string
  /** Replaces the message of the table, for Oathkeeper's wording of one code's several cases. */
  readonly message?: string
  readonly cause?: unknown
}

/** A request that cannot go on, with the reason code from which its status follows. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError'
  readonly code: Code
  readonly reason: string | undefined
  readonly detail: string | undefined
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string | undefined

  constructor(code: Code, options: GatewayErrorOptions = {}) {
    super(options.message ?? codes[code].message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.reason = options.reason
    this.detail = options.detail ?? options.reason
    this.headers = options.headers ?? []
    this.body = options.body
  }

  get status(): number {
    return codes[this.code].status
  }
}
