/** How Hasura makes session variables of a token's claims: no Hasura, but held to the same vectors as what is known of it. */

export interface HasuraConfig {
  readonly claims_namespace?: string
  /** `$`, or a path of names such as `$.hasura.claims`. */
  readonly claims_namespace_path?: string
  readonly claims_format?: 'json' | 'stringified_json'
}

export type HasuraAnswer =
  | { readonly session: Readonly<Record<string, unknown>> }
  | { readonly error: { readonly code: string; readonly path: '$'; readonly message: string } }

type Claims = Readonly<Record<string, unknown>>

/** @param role the header `x-hasura-role` */
export function hasuraSession(claims: Claims, role?: string, config: HasuraConfig = {}): HasuraAnswer {
  const found = namespaceOf(claims, config)
  if ('error' in found) return found
  const variables = Object.fromEntries(
    Object.entries(found.session)
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => name.startsWith('x-hasura-')),
  )
  const { 'x-hasura-allowed-roles': allowed, 'x-hasura-default-role': standard, ...others } = variables
  for (const [name, value] of Object.entries({
    'x-hasura-allowed-roles': allowed,
    'x-hasura-default-role': standard,
  })) {
    if (value === undefined) return failure('jwt-missing-role-claims', `JWT claim does not contain ${name}`)
  }
  if (!Array.isArray(allowed) || !allowed.every((each) => typeof each === 'string') || typeof standard !== 'string') {
    return failure('jwt-invalid-claims', 'invalid roles')
  }
  const wanted = role ?? standard
  if (!allowed.includes(wanted)) return failure('access-denied', 'Your requested role is not in allowed roles')
  const wrong = Object.entries(others).find(([, value]) => typeof value !== 'string')
  if (wrong !== undefined) return failure('jwt-invalid-claims', `${wrong[0]} is not a string`)
  return { session: { ...others, 'x-hasura-role': wanted } }
}

const failure = (code: string, message: string): HasuraAnswer => ({ error: { code, path: '$', message } })

function namespaceOf(claims: Claims, config: HasuraConfig): HasuraAnswer {
  const { claims_namespace: name = 'https://hasura.io/jwt/claims', claims_namespace_path: path, claims_format } = config
  const names = path === undefined ? [name] : path.split('.').slice(1)
  let value: unknown = claims
  for (const each of names) value = (value as Claims | undefined)?.[each]
  if (value === undefined) {
    const where =
      path === undefined ? `claims key: '${name}' not found` : `claims not found at claims_namespace_path: '${path}'`
    return failure('jwt-invalid-claims', where)
  }
  if (claims_format === 'stringified_json') {
    if (typeof value === 'string') return { session: JSON.parse(value) as Claims }
    return failure('jwt-invalid-claims', 'expecting a string when claims_format is stringified_json')
  }
  if (typeof value === 'object' && value !== null) return { session: value as Claims }
  return failure('jwt-invalid-claims', 'expecting a json object when claims_format is json')
}
