/** The whoami cases of test/vectors/kratos.json, put on a stand-in: their state, their placeholders, their expectations. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { encodeCookie } from '../../demo/stand-in/cookies.ts'
import type { AssuranceLevel } from '../../demo/stand-in/identities.ts'
import { createStandIn, type StandIn } from '../../demo/stand-in/server.ts'
import type { AuthenticationMethod } from '../../demo/stand-in/store.ts'

interface VectorSession {
  readonly active?: boolean
  readonly aal?: AssuranceLevel
  readonly identity_available_aal?: AssuranceLevel
  readonly identity_state?: 'active' | 'inactive'
  readonly expires_in_s?: number
  readonly cookie_expires_in_s?: number
}

export type HeaderExpectation =
  string | { readonly absent: true } | { readonly integer: number; readonly tolerance: number }

export interface WhoamiVector {
  readonly id: string
  readonly group: string
  readonly given: {
    readonly request: {
      readonly method: string
      readonly path: string
      readonly headers: Record<string, string>
      readonly target?: 'ory-network'
    }
    readonly state: { readonly sessions?: Record<string, VectorSession>; readonly database?: 'down' }
    readonly config: {
      readonly base_url: string
      readonly cookie_name: string
      readonly required_aal: 'aal1' | 'highest_available'
      readonly cacheable_sessions: boolean
      readonly cacheable_sessions_max_age?: string
      readonly secrets_cookie?: string[]
      readonly cookie_issued_with?: string
    }
  }
  readonly expect: {
    readonly status: number
    readonly headers?: Record<string, HeaderExpectation>
    readonly body?: unknown
    readonly body_includes?: Record<string, unknown>
    readonly set_cookie_count?: number
    readonly top_level_keys?: string[]
    readonly identity_keys_in_order?: string[]
  }
}

const vectorFile = (name: string): unknown =>
  JSON.parse(readFileSync(path.join(import.meta.dirname, '..', 'vectors', name), 'utf8'))

export const whoamiVectors = (): WhoamiVector[] =>
  (vectorFile('kratos.json') as WhoamiVector[]).filter(({ group }) => group === 'whoami_responses')

/** For `it.each` with `%s`: in `$id` vitest cuts off what is long. */
export const named = <Vector extends { readonly id: string }>(all: readonly Vector[]): [id: string, vector: Vector][] =>
  all.map((vector) => [vector.id, vector])

export interface ExtraVector {
  readonly id: string
  readonly group: string
  readonly given: Record<string, unknown>
  readonly expect: Record<string, unknown>
}

export const extraVectors = (group: string): ExtraVector[] =>
  (vectorFile('kratos-extra.json') as ExtraVector[]).filter((vector) => vector.group === group)

const password: AuthenticationMethod = { method: 'password', aal: 'aal1', completed_at: '2026-01-01T00:00:00Z' }

const methodsOf = (aal: AssuranceLevel = 'aal1'): AuthenticationMethod[] =>
  aal === 'aal0' ? [] : aal === 'aal1' ? [password] : [password, { ...password, method: 'totp', aal: 'aal2' }]

const rateLimited = {
  status: 429,
  headers: { 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1' },
}

export interface Arranged {
  readonly standIn: StandIn
  /** Puts the real values where the case has placeholders. */
  readonly fill: (text: string) => string
}

/** A stand-in in the state of the case; the caller closes it. */
export const arrange = async ({
  given: {
    config,
    state,
    request: { target },
  },
}: WhoamiVector): Promise<Arranged> => {
  const standIn = await createStandIn({
    settings: {
      baseUrl: config.base_url,
      cookieName: config.cookie_name,
      requiredAal: config.required_aal,
      cacheableSessions: config.cacheable_sessions,
      cacheableSessionsMaxAge: config.cacheable_sessions_max_age === '1m' ? 60 : 0,
      databaseDown: state.database === 'down',
      fault: target === 'ory-network' ? rateLimited : undefined,
      ...(config.secrets_cookie && { cookieSecrets: config.secrets_cookie }),
    },
  })
  const { settings } = standIn
  const now = settings.now()
  const secret = config.cookie_issued_with ?? settings.cookieSecrets[0] ?? ''
  const values = new Map<string, string>()
  for (const [name, session] of Object.entries(state.sessions ?? {})) {
    const identity = name === 'A' ? standIn.alice : standIn.bob
    identity.available_aal = session.identity_available_aal ?? 'aal1'
    identity.state = session.identity_state ?? 'active'
    const { row, token } = standIn.signIn(identity, methodsOf(session.aal))
    row.active = session.active ?? true
    if (session.expires_in_s !== undefined) row.expiresAt = now + session.expires_in_s * 1000
    const end = session.cookie_expires_in_s === undefined ? row.expiresAt : now + session.cookie_expires_in_s * 1000
    const content = { token, expiresAt: end }
    values.set(`$cookie_${name}_older_than_lifespan`, encodeCookie(content, now - settings.lifespan * 1000 - 1, secret))
    values.set(`$cookie_${name}`, encodeCookie(content, now, secret))
    values.set(`$token_${name}`, token)
    values.set(`$session_${name}`, row.id)
    values.set(`$identity_${name}`, identity.id)
  }
  values.set('$cookie_foreign_secret', encodeCookie({ token: randomUUID(), expiresAt: now }, now, 'another secret'))
  const names = [...values.keys()].toSorted((left, right) => right.length - left.length)
  return {
    standIn,
    fill: (text) => names.reduce((filled, name) => filled.replaceAll(name, values.get(name) ?? ''), text),
  }
}
