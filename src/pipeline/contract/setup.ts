/** What handlers are given at load. */
import type { HttpClient } from './http_client.ts'
import type { KeySets } from './keys.ts'
import type { Revocations } from './revocations.ts'
import type { Clock, Log } from './runtime.ts'
import type { Safeguards } from './safeguards.ts'
import type { SessionExtender, SessionStore } from './session_store.ts'
import type { TokenCache, TokenTemplate } from './tokens.ts'

/**
 * What steps share over all rules and reloads, such as a cache: made by the first step that asks with this function, and
 * given to all others that ask with it.
 */
export type Shared = <Value extends object>(make: (parts: Pick<Setup, 'clock' | 'http' | 'log'>) => Value) => Value

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
