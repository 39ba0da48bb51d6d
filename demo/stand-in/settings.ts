/**
 * What can be set on the stand-in: the keys of Kratos' own configuration that change its answers, and the knobs with
 * which a test makes it slow, broken or rate limited. All of it may be changed while it runs.
 */

/** An answer that replaces whatever the session check would have said. */
interface Fault {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface Settings {
  /** serve.public.base_url, with a trailing slash. */
  baseUrl: string
  /** selfservice.flows.login.ui_url */
  loginUiUrl: string
  /** selfservice.default_browser_return_url */
  defaultReturnUrl: string
  /** selfservice.allowed_return_urls, besides the default one. */
  allowedReturnUrls: string[]
  /** session.cookie.name */
  cookieName: string
  /** secrets.cookie; the first one signs, all of them verify. */
  cookieSecrets: string[]
  /** session.lifespan in seconds; also how long a cookie is accepted after it was issued. */
  lifespan: number
  /** session.earliest_possible_extend in seconds; undefined means at any time. */
  earliestPossibleExtend: number | undefined
  /** session.whoami.required_aal */
  requiredAal: 'aal1' | 'highest_available'
  /** feature_flags.cacheable_sessions */
  cacheableSessions: boolean
  /** feature_flags.cacheable_sessions_max_age in seconds; 0 means no cap. */
  cacheableSessionsMaxAge: number
  /** feature_flags.faster_session_extend */
  fasterSessionExtend: boolean
  /** session.whoami.tokenizer.templates: each makes the token from the session as /sessions/whoami would show it. */
  tokenizers: Record<string, (session: object) => string | Promise<string>>
  /** selfservice.flows.login.lifespan in seconds. */
  loginLifespan: number

  /** Epoch milliseconds. */
  now: () => number
  /** Kratos without its database: it takes every credential for a bad one. */
  databaseDown: boolean
  /** Milliseconds by which every answer of the public API is held back. */
  latency: number
  /** Answers every /sessions/whoami when set, such as Ory Network's 429 or a broken Kratos' 500. */
  fault: Fault | undefined
}

/** `publicUrl` is without a trailing slash. */
export const defaultSettings = (publicUrl: string): Settings => ({
  baseUrl: `${publicUrl}/`,
  loginUiUrl: `${publicUrl}/login`,
  defaultReturnUrl: `${publicUrl}/`,
  allowedReturnUrls: [],
  cookieName: 'ory_kratos_session',
  cookieSecrets: ['a secret of the stand-in, known to everybody'],
  lifespan: 24 * 3600,
  earliestPossibleExtend: undefined,
  requiredAal: 'highest_available',
  cacheableSessions: false,
  cacheableSessionsMaxAge: 0,
  fasterSessionExtend: false,
  tokenizers: {},
  loginLifespan: 3600,
  now: () => Date.now(),
  databaseDown: false,
  latency: 0,
  fault: undefined,
})
