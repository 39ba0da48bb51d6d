/** `require` of cookie_session and bearer_token: what a rule asks of a session beyond its being one. */
import { z } from 'zod'
import { duration } from '../documents/duration.ts'
import { codes, GatewayError } from '../errors.ts'
import type { Clock } from '../pipeline/contract/runtime.ts'
import type { Session } from '../pipeline/contract/session.ts'
import { sessionStoreUnavailable } from './answer.ts'

const names = z.array(z.string().min(1)).min(1)

export const requireField = z
  .strictObject({
    aal: z.enum(['aal1', 'aal2']).optional().describe('Lowest assurance level; aal2 means two factors.'),
    max_age: duration.optional().describe('How long ago the user may have proved last who they are.'),
    methods: names
      .optional()
      .describe('Authentication methods, such as totp or passkey, of which one must have been used.'),
    verified_addresses: names
      .optional()
      .describe('Channels (email, sms) for each of which the user must have a verified address.'),
  })
  .optional()
  .describe('What a session must have beyond being active; otherwise the answer is 403.')

type RequireConfig = NonNullable<z.output<typeof requireField>>

/** What is wrong with a session, or undefined. To be asked for each request, because sessions age. */
export type Requirements = (session: Session) => GatewayError | undefined

export function compileRequirements(config: RequireConfig | undefined, clock: Pick<Clock, 'now'>): Requirements {
  if (config === undefined) return () => undefined
  const { aal, max_age: maxAge, methods, verified_addresses: channels } = config

  return ({ authentication }) => {
    if (aal !== undefined) {
      // A session store that does not say it would send users round in circles.
      if (authentication?.aal === undefined) return unsaid('authenticator_assurance_level')
      if (authentication.aal < aal)
        return refusal('session_aal2_required', `the session has ${authentication.aal} only`)
    }
    if (maxAge !== undefined) {
      if (authentication?.at === undefined) return unsaid('authenticated_at')
      if (clock.now() - authentication.at > maxAge)
        return refusal('session_refresh_required', 'the last authentication is too long ago')
    }
    if (methods?.some((method) => authentication?.methods.includes(method)) === false)
      return refusal('session_refresh_required', 'none of the required methods was used')
    const missing = channels?.find((channel) => authentication?.verified.includes(channel) !== true)
    if (missing === undefined) return undefined
    return refusal('session_address_unverified', `there is no verified address for ${missing}`)
  }
}

const unsaid = (field: string): GatewayError =>
  sessionStoreUnavailable(`the session store answered without \`${field}\`, which the rule requires`)

const wordings = {
  session_aal2_required:
    'An active session was found, but it does not have the required Authenticator Assurance Level. A second factor resolves this.',
  session_refresh_required: 'An active session was found, but the user has to authenticate again.',
  session_address_unverified: 'An active session was found, but its user has no verified address of the required kind.',
} as const

/** Told as Kratos tells its own, with an `id`, so that what handles Kratos' answers handles this one. */
function refusal(code: keyof typeof wordings, detail: string): GatewayError {
  const reason = wordings[code]
  const { status, message } = codes[code]
  const body = JSON.stringify({ error: { id: code, code: status, status: 'Forbidden', reason, message } })
  return new GatewayError(code, { reason, detail, body })
}
