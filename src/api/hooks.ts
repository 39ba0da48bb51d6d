/** Takes the calls of Kratos' web hooks, which tell whose sessions are no longer what they were. */
import type { Context } from 'hono'
import type { Revocation, Revocations } from '../pipeline/contract/revocations.ts'
import type { Json } from '../pipeline/contract/values.ts'
import { isId, unauthorized } from './admin.ts'
import { problemAnswer } from './answers.ts'
import { bodyReader } from './body.ts'
import type { ApiEnv } from './request.ts'

/** Present when `revocation.webhook` is set. */
export interface HookAccess {
  /** By the `Authorization` header. */
  readonly accepts: (authorization: string | undefined) => boolean
}

/** Bytes of a body. */
const MAX_BODY = 16 * 1024
/** What Kratos calls a session that is not stored yet. */
const NIL = '00000000-0000-0000-0000-000000000000'

/**
 * Answers POST /hooks/kratos. The body is JSON with `identity`, `session`, or both (ids); `session` alone ends that one,
 * `identity` all of the user's. 204; 401 without the token; 400 when the body names nobody.
 */
export async function kratosHook(
  c: Context<ApiEnv>,
  access: HookAccess,
  revocations: Pick<Revocations, 'publish'>,
): Promise<Response> {
  if (!access.accepts(c.req.header('authorization'))) return unauthorized()
  const revocation = revocationOf(await document(c.req.raw))
  if (revocation === undefined) {
    return problemAnswer(
      400,
      'The body names neither an identity nor a session',
      'It is {"identity": "…"} or {"session": "…"}.',
    )
  }
  revocations.publish(revocation, 'webhook')
  return new Response(null, { status: 204 })
}

async function document(request: Request): Promise<Json | undefined> {
  try {
    const bytes = await bodyReader(request)(MAX_BODY)
    return JSON.parse(new TextDecoder().decode(bytes)) as Json
  } catch {
    return undefined
  }
}

function revocationOf(body: Json | undefined): Revocation | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined
  const identity = idOf(body['identity'])
  if (identity !== undefined) return { identity }
  const session = idOf(body['session'])
  return session === undefined ? undefined : { session }
}

function idOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== NIL && isId(value) ? value : undefined
}
