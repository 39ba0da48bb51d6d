/** What is legal in claims but probably a mistake. */
export interface Advice {
  readonly message: string
  /** To the value inside the claims. */
  readonly path: readonly (string | number)[]
  readonly hint: string
}

/** Claims that every token gets from Mintkeeper itself. */
const registered = ['exp', 'iat', 'iss', 'jti', 'nbf', 'sub']

/** Where Hasura looks for its session variables unless it is told otherwise. */
const hasuraNamespace = 'https://hasura.io/jwt/claims'

/** Looks at claims written as an object, and at the roles in those of a template that is JSON by itself. */
export function adviceOn(claims: unknown): readonly Advice[] {
  if (typeof claims === 'string') return adviceOnText(claims)
  if (!isObject(claims)) return []
  const overwritten = registered
    .filter((name) => name in claims)
    .map((name) => ({
      message: `The claim ${name} is always set by Mintkeeper; what is written here has no effect`,
      path: [name],
      hint: 'Remove it, or use another name.',
    }))
  const hasura = claims[hasuraNamespace]
  return isObject(hasura) ? [...overwritten, ...hasuraAdvice(hasura)] : overwritten
}

/** Places inside a text cannot be told. */
function adviceOnText(claims: string): readonly Advice[] {
  let document: unknown
  try {
    document = JSON.parse(claims)
  } catch {
    return []
  }
  const hasura = isObject(document) ? document[hasuraNamespace] : undefined
  return isObject(hasura) ? hasuraAdvice(hasura).map((advice) => ({ ...advice, path: [] })) : []
}

/** Hasura refuses a token without both roles, or with a default role that is not allowed. */
function hasuraAdvice(variables: Readonly<Record<string, unknown>>): readonly Advice[] {
  const byName = new Map(Object.entries(variables).map(([name, value]) => [name.toLowerCase(), value]))
  const allowed = byName.get('x-hasura-allowed-roles')
  const role = byName.get('x-hasura-default-role')
  const advice: Advice[] = []
  for (const name of ['x-hasura-default-role', 'x-hasura-allowed-roles']) {
    if (byName.has(name)) continue
    advice.push({
      message: `Hasura refuses tokens without ${name}`,
      path: [hasuraNamespace],
      hint: `Add ${name}: ${name.endsWith('roles') ? 'a list of roles' : 'one of the allowed roles'}.`,
    })
  }
  const isWritten = typeof role === 'string' && !role.includes('{{')
  if (isWritten && Array.isArray(allowed) && !allowed.some((entry) => entry === role || String(entry).includes('{{'))) {
    advice.push({
      message: `The default role ${JSON.stringify(role)} is not one of x-hasura-allowed-roles; Hasura refuses such tokens`,
      path: [hasuraNamespace],
      hint: `Add ${JSON.stringify(role)} to x-hasura-allowed-roles.`,
    })
  }
  return advice
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
