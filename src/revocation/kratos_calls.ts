/** Which calls of Ory Kratos' APIs end sessions, or change what a session says. */
import type { Revocation } from '../pipeline/contract/revocations.ts'

/** Whose sessions a call ends. */
export type Ended =
  /** The one that the request itself is made with, or all of its user's. */
  | { readonly whose: 'caller'; readonly scope: 'session' | 'identity' }
  /** The one whose token is the body's `session_token`. */
  | { readonly whose: 'token in body' }
  /** Those that the body lists. */
  | { readonly whose: 'list in body' }
  | { readonly whose: 'named'; readonly revocation: Revocation }

export type KratosApi = 'public' | 'admin'

const callersSession: Ended = { whose: 'caller', scope: 'session' }
const callersIdentity: Ended = { whose: 'caller', scope: 'identity' }

/**
 * What a call ends if it succeeds; undefined for one that ends nothing. `path` is that of Kratos, without its base path
 * and without a query.
 *
 * A login with a session is a step-up or a new authentication; settings, verification and what comes back from a social
 * sign-in change the user. Whether such a form was accepted cannot be seen by its status alone, so that one that was not
 * costs a question more.
 */
export function endedBy(api: KratosApi, method: string, path: string): Ended | undefined {
  return api === 'public' ? endedInPublic(method, path) : endedByAdmin(method, path)
}

function endedInPublic(method: string, path: string): Ended | undefined {
  switch (`${method} ${path}`) {
    case 'GET /self-service/logout':
      return callersSession
    case 'DELETE /self-service/logout/api':
      return { whose: 'token in body' }
    case 'DELETE /sessions':
    case 'POST /self-service/login':
    case 'POST /self-service/settings':
    case 'POST /self-service/verification':
    case 'POST /self-service/recovery':
      return callersIdentity
  }
  if (path.startsWith('/self-service/methods/') && path.includes('/callback')) return callersIdentity
  const [top, id, ...rest] = segments(path)
  if (method !== 'DELETE' || top !== 'sessions' || id === undefined || id === 'whoami' || rest.length > 0)
    return undefined
  return { whose: 'named', revocation: { session: id } }
}

function endedByAdmin(method: string, path: string): Ended | undefined {
  const parts = segments(path)
  // Kratos takes the calls of its admin API with and without the prefix.
  const [collection, id, sub, ...rest] = parts[0] === 'admin' ? parts.slice(1) : parts
  if (collection === 'sessions') {
    if (method === 'POST' && id === undefined) return { whose: 'list in body' }
    if (method !== 'DELETE' || id === undefined || sub !== undefined) return undefined
    return { whose: 'named', revocation: { session: id } }
  }
  if (collection !== 'identities') return undefined
  // Several at once, of whom the body tells in too many ways.
  if (id === undefined) return method === 'PATCH' ? { whose: 'named', revocation: { everything: true } } : undefined
  const changes = sub === undefined && (method === 'PATCH' || method === 'PUT' || method === 'DELETE')
  const ends = method === 'DELETE' && (sub === 'sessions' ? rest.length === 0 : sub === 'credentials')
  return changes || ends ? { whose: 'named', revocation: { identity: id } } : undefined
}

const segments = (path: string): readonly string[] => path.split('/').filter((segment) => segment !== '')
