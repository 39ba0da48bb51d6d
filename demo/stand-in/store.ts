/** Identities and sessions in memory, and the queries on them that Kratos sends to its database. */
import { randomBytes, randomUUID } from 'node:crypto'
import type { AssuranceLevel, Identity } from './identities.ts'

export interface AuthenticationMethod {
  readonly method: string
  readonly aal: AssuranceLevel
  readonly completed_at: string
}

export interface Device {
  readonly id: string
  readonly ip_address: string | null
  readonly user_agent: string | null
  readonly location: string | null
}

export interface SessionRow {
  readonly id: string
  readonly token: string
  readonly logoutToken: string
  readonly identityId: string
  active: boolean
  /** Epoch milliseconds. */
  expiresAt: number
  authenticatedAt: number
  readonly issuedAt: number
  methods: AuthenticationMethod[]
  readonly devices: Device[]
}

export interface NewSession {
  readonly now: number
  /** Seconds. */
  readonly lifespan: number
  readonly methods?: AuthenticationMethod[]
  readonly devices?: Device[]
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** `ory_st_` or `ory_lo_` and 32 alphanumerics. */
const opaqueToken = (prefix: string): string =>
  prefix + Array.from(randomBytes(32), (byte) => alphabet[byte % alphabet.length]).join('')

export const createStore = (people: readonly Identity[]) => {
  const identities = new Map(people.map((identity) => [identity.id, identity]))
  const sessions = new Map<string, SessionRow>()

  const sessionsOf = (identityId: string): SessionRow[] =>
    [...sessions.values()].filter((session) => session.identityId === identityId)

  return {
    identities,
    sessions,
    sessionsOf,

    byPassword(identifier: string, password: string): Identity | undefined {
      for (const identity of identities.values()) {
        if (identity.traits['email'] === identifier.trim().toLowerCase()) {
          return identity.password === password ? identity : undefined
        }
      }
      return undefined
    },

    byToken(token: string): SessionRow | undefined {
      return [...sessions.values()].find((session) => session.token === token)
    },

    createSession(identity: Identity, { now, lifespan, methods, devices = [] }: NewSession): SessionRow {
      const session: SessionRow = {
        id: randomUUID(),
        token: opaqueToken('ory_st_'),
        logoutToken: opaqueToken('ory_lo_'),
        identityId: identity.id,
        active: true,
        expiresAt: now + lifespan * 1000,
        authenticatedAt: now,
        issuedAt: now,
        methods: methods ?? [{ method: 'password', aal: 'aal1', completed_at: new Date(now).toISOString() }],
        devices,
      }
      sessions.set(session.id, session)
      return session
    },

    deleteIdentity(id: string): boolean {
      for (const session of sessionsOf(id)) sessions.delete(session.id)
      return identities.delete(id)
    },
  }
}

export type Store = ReturnType<typeof createStore>
