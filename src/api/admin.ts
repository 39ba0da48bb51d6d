/**
 * What operators tell the gateway: that a session, all sessions of a user, or everything that it remembers no longer holds.
 * Kratos itself is not told; it is asked about the sessions with the next request.
 */
import type { Context } from 'hono'
import type { Revocation, Revocations } from '../pipeline/contract/revocations.ts'
import { problemAnswer } from './answers.ts'
import { rawRequest, type ApiEnv } from './request.ts'

/** Present when `serve.api.admin` is set. */
export interface AdminAccess {
  /** By the `Authorization` header. */
  readonly accepts: (authorization: string | undefined) => boolean
  /** By the address of the connection. */
  readonly admits: (address: string) => boolean
}

/** Answers a call that revokes: 204, or 401, 403 and 400 when nothing was done. */
export function revoke(
  c: Context<ApiEnv>,
  access: AdminAccess,
  revocations: Pick<Revocations, 'publish'>,
  revocation: Revocation,
): Response {
  if (!access.admits(rawRequest(c).peer.address)) {
    return problemAnswer(
      403,
      'Calls from this address are not taken',
      'serve.api.admin.allowed_networks says from where.',
    )
  }
  if (!access.accepts(c.req.header('authorization'))) return unauthorized()
  const id = 'session' in revocation ? revocation.session : 'identity' in revocation ? revocation.identity : undefined
  if (id !== undefined && !isId(id)) return problemAnswer(400, 'The id is malformed')
  revocations.publish(revocation, 'admin_api')
  return new Response(null, { status: 204 })
}

export function unauthorized(): Response {
  const answer = problemAnswer(401, 'The call needs the bearer token that the config names')
  answer.headers.set('www-authenticate', 'Bearer')
  return answer
}

/** UUIDs, and what other session stores may use. */
export function isId(text: string): boolean {
  return /^[\w.:@-]{1,128}$/.test(text)
}
