/** A session as the API shows it, and the arithmetic of its assurance level. */
import { identityJson, type AssuranceLevel, type Identity } from './identities.ts'
import type { AuthenticationMethod, SessionRow } from './store.ts'

/**
 * Recomputed on every look: one first and one second factor make aal2, a federated login may bring aal2 along by itself,
 * any other second factor alone counts as a first one.
 */
export const assuranceLevel = (methods: readonly AuthenticationMethod[]): AssuranceLevel => {
  if (methods.length === 0) return 'aal0'
  const second = methods.filter((method) => method.aal === 'aal2')
  if (second.some(({ method }) => method === 'oidc' || method === 'saml')) return 'aal2'
  return second.length > 0 && methods.some((method) => method.aal === 'aal1') ? 'aal2' : 'aal1'
}

/** Without an identity only the row and the clock decide, as in Kratos. */
export const isActive = (row: SessionRow, identity: Identity | undefined, now: number): boolean =>
  row.active && row.expiresAt > now && (identity === undefined || identity.state === 'active')

const timestamp = (milliseconds: number): string => new Date(milliseconds).toISOString()

export interface SessionView {
  readonly baseUrl: string
  readonly now: number
  /** Undefined: not expanded. */
  readonly identity?: Identity | undefined
  readonly devices?: boolean
  /** The admin API shows the identity's metadata_admin, too. */
  readonly admin?: boolean
}

export const sessionJson = (row: SessionRow, view: SessionView): object => ({
  id: row.id,
  active: isActive(row, view.identity, view.now),
  expires_at: timestamp(row.expiresAt),
  authenticated_at: timestamp(row.authenticatedAt),
  authenticator_assurance_level: assuranceLevel(row.methods),
  authentication_methods: row.methods,
  issued_at: timestamp(row.issuedAt),
  identity: view.identity === undefined ? null : identityJson(view.identity, view.baseUrl, view.admin),
  devices: view.devices === true ? row.devices : [],
})
