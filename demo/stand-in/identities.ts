/** The users of the stand-in. Their passwords are in the open: it is for demo and tests only. */

export type AssuranceLevel = 'aal0' | 'aal1' | 'aal2' | 'aal3'

export interface Identity {
  readonly id: string
  external_id?: string
  readonly schema_id: string
  state: 'active' | 'inactive'
  state_changed_at?: string
  traits: Record<string, unknown>
  metadata_public: unknown
  metadata_admin: unknown
  readonly created_at: string
  updated_at: string
  organization_id: string | null
  /** The highest level that the identity's credentials can reach. */
  available_aal: AssuranceLevel
  password: string
}

interface Person {
  readonly id: string
  readonly first: string
  readonly last: string
  readonly role: string
}

const identity = ({ id, first, last, role }: Person): Identity => ({
  id,
  schema_id: 'default',
  state: 'active',
  state_changed_at: '2026-01-01T00:00:00Z',
  traits: { email: `${first.toLowerCase()}@example.com`, name: { first, last } },
  metadata_public: { role },
  metadata_admin: null,
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
  organization_id: null,
  available_aal: 'aal1',
  password: `${first.toLowerCase()}-in-wonderland`,
})

export const alice = (): Identity =>
  identity({ id: 'a11ce000-0000-4000-8000-000000000001', first: 'Alice', last: 'Liddell', role: 'user' })
export const bob = (): Identity =>
  identity({ id: 'b0b00000-0000-4000-8000-000000000002', first: 'Bob', last: 'Dodgson', role: 'user' })

/** The identity as /sessions/whoami shows it; with `admin`, as the admin API does. */
export const identityJson = (of: Identity, baseUrl: string, admin = false): object => {
  const email = of.traits['email']
  const address = { id: of.id, value: email, via: 'email', created_at: of.created_at, updated_at: of.updated_at }
  const hasEmail = typeof email === 'string'
  return {
    id: of.id,
    ...(of.external_id !== undefined && { external_id: of.external_id }),
    schema_id: of.schema_id,
    schema_url: `${baseUrl}schemas/${Buffer.from(of.schema_id).toString('base64url')}`,
    state: of.state,
    ...(of.state_changed_at !== undefined && { state_changed_at: of.state_changed_at }),
    traits: of.traits,
    ...(hasEmail && {
      verifiable_addresses: [{ ...address, verified: true, status: 'completed', verified_at: of.created_at }],
      recovery_addresses: [address],
    }),
    metadata_public: of.metadata_public,
    ...(admin && { metadata_admin: of.metadata_admin }),
    created_at: of.created_at,
    updated_at: of.updated_at,
    organization_id: of.organization_id,
  }
}
