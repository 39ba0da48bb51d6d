/** What Hasura refuses: the engine's `Auth/JWT.hs`, and for DDN and RelyAuth their documentation of JWT mode. */
import type { Advice } from './advice.ts'
import { isOutlineObject, type Outline, type OutlineObject } from './outline.ts'

/** Where Hasura looks for its session variables unless it is told otherwise. */
const V2 = 'https://hasura.io/jwt/claims'
/** Where the documentation of DDN and RelyAuth has them. */
const DDN = 'claims.jwt.hasura.io'

const DEFAULT_ROLE = 'x-hasura-default-role'
const ALLOWED_ROLES = 'x-hasura-allowed-roles'

/** @param alg what the token is signed with */
export function hasuraAdvice(claims: OutlineObject, alg: string | undefined): readonly Advice[] {
  const namespaces = [V2, DDN].filter((name) => claims.members.has(name))
  const advice = namespaces.flatMap((name) => namespaceAdvice(name, claims.members.get(name)))
  if (namespaces.length === 0 && claims.complete) advice.push(...strayAdvice(claims))
  if (namespaces.includes(V2) && alg?.startsWith('PS') === true) {
    advice.push({
      message: `Hasura v2 cannot verify ${alg}, with which these tokens are signed`,
      path: [V2],
      hint: 'Sign with ES256 or RS256: `mintkeeper jwks rotate FILE --alg ES256`.',
    })
  }
  return advice
}

/** Session variables that are not where Hasura looks. */
function strayAdvice({ members }: OutlineObject): readonly Advice[] {
  const stray = [...members.keys()].find((name) => name.toLowerCase().startsWith('x-hasura-'))
  if (stray === undefined) return []
  return [
    {
      message: `Hasura looks for ${stray} within ${V2}, not beside it`,
      path: [stray],
      hint: `Put the x-hasura-* claims into an object ${V2}, or tell Hasura: "claims_namespace_path": "$".`,
    },
  ]
}

function namespaceAdvice(namespace: string, variables: Outline): readonly Advice[] {
  if (variables === undefined) return []
  const at = (message: string, hint: string, ...path: readonly (string | number)[]): Advice => ({
    message,
    path: [namespace, ...path],
    hint,
  })
  if (!isOutlineObject(variables)) {
    return typeof variables === 'string'
      ? [at('Hasura expects an object here', 'Write an object, or tell Hasura: "claims_format": "stringified_json".')]
      : [at('Hasura refuses tokens whose session variables are no object', 'Write an object.')]
  }

  const names = new Map([...variables.members.keys()].map((name) => [name.toLowerCase(), name]))
  const valueOf = (name: string): Outline => variables.members.get(names.get(name) ?? '')
  const role = valueOf(DEFAULT_ROLE)
  const allowed = valueOf(ALLOWED_ROLES)
  const advice: Advice[] = []

  for (const name of [DEFAULT_ROLE, ALLOWED_ROLES]) {
    if (names.has(name) || !variables.complete) continue
    const what = name === ALLOWED_ROLES ? 'a list of roles' : 'one of the allowed roles'
    advice.push(at(`Hasura refuses tokens without ${name}`, `Add ${name}: ${what}.`))
  }
  if (role !== undefined && (typeof role !== 'string' || role === '')) {
    advice.push(
      at(
        `Hasura refuses tokens whose ${DEFAULT_ROLE} is not the name of a role`,
        'Write a text.',
        names.get(DEFAULT_ROLE) ?? '',
      ),
    )
  }
  if (allowed !== undefined && !isListOfTexts(allowed)) {
    advice.push(
      at(
        `Hasura refuses tokens whose ${ALLOWED_ROLES} is not a list of texts`,
        'Write a list: [user].',
        names.get(ALLOWED_ROLES) ?? '',
      ),
    )
  } else if (Array.isArray(allowed) && allowed.length === 0) {
    advice.push(
      at(
        `Nobody is allowed in with an empty ${ALLOWED_ROLES}`,
        'Name at least the default role.',
        names.get(ALLOWED_ROLES) ?? '',
      ),
    )
  } else if (typeof role === 'string' && role !== '' && Array.isArray(allowed) && isMissing(role, allowed)) {
    advice.push(
      at(
        `The default role ${JSON.stringify(role)} is not one of ${ALLOWED_ROLES}; Hasura refuses such tokens`,
        `Add ${JSON.stringify(role)} to ${ALLOWED_ROLES}.`,
      ),
    )
  }
  return [...advice, ...variableAdvice(namespace, variables)]
}

/** Of the variables that are no roles. */
function variableAdvice(namespace: string, { members }: OutlineObject): readonly Advice[] {
  return [...members].flatMap(([name, value]): readonly Advice[] => {
    const path = [namespace, name]
    const lower = name.toLowerCase()
    if (lower === DEFAULT_ROLE || lower === ALLOWED_ROLES) {
      if (namespace === V2 || name === lower) return []
      return [{ message: `RelyAuth does not find ${name} unless it is in lower case`, path, hint: `Write ${lower}.` }]
    }
    if (!lower.startsWith('x-hasura-')) {
      const message = `Hasura takes no notice of ${name}: its session variables begin with x-hasura-`
      return [{ message, path, hint: `Call it x-hasura-${lower}, or put it beside the namespace.` }]
    }
    if (lower === 'x-hasura-role' && namespace === V2) {
      const message =
        'Hasura takes no role from x-hasura-role in a token: clients choose theirs with a header of that name'
      return [{ message, path, hint: `Write ${DEFAULT_ROLE}.` }]
    }
    if (namespace === V2 && value !== undefined && typeof value !== 'string') {
      const hint = 'Put it in quotes; a list is written "{a,b}".'
      return [{ message: `Hasura expects a text as ${name}`, path, hint }]
    }
    return []
  })
}

const isListOfTexts = (value: Outline): boolean =>
  Array.isArray(value) && value.every((item: Outline) => item === undefined || typeof item === 'string')

/** A list with an item that only the session tells may have it. */
const isMissing = (role: string, allowed: readonly Outline[]): boolean =>
  !allowed.some((item) => item === undefined || item === role)
