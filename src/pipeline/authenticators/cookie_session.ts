import { z } from 'zod'
import { GatewayError } from '../../errors.ts'
import { questionFields } from '../../sessions/question.ts'
import { defineAuthenticator } from '../contract/handler.ts'
import { requestCookies } from '../credentials.ts'
import { compileCsrf, csrfField } from '../csrf.ts'
import { sessionAuthentication } from '../session_authentication.ts'

/** Bytes of a cookie that a browser keeps (RFC 6265 section 6.1); the session store need not be asked about more. */
const LONGEST = 4096

/** Asks the session store who the request's cookie belongs to. */
export const cookieSession = defineAuthenticator({
  name: 'cookie_session',
  config: z.strictObject({
    ...questionFields,
    only: z
      .array(z.string().min(1))
      .default([])
      .describe('Cookies that make this authenticator responsible; none means any cookie.'),
    csrf: csrfField,
    subject_from: z.string().default('subject').describe('gjson path to the subject.'),
  }),
  create(config, setup) {
    const fixed = setup.safeguards.session_request === 'fixed'
    const authenticate = sessionAuthentication(config, setup)
    const guard = compileCsrf(config.csrf)
    // One credential needs a name: without `only` that is the session store's own cookie.
    const responsibleFor = config.only.length > 0 ? config.only : fixed ? [setup.sessionCookie] : undefined

    return (inbound) => {
      const [cookie] = requestCookies(inbound, responsibleFor)
      if (cookie === undefined || (fixed && cookie.value === '')) return { outcome: 'not_responsible' }
      const error = fixed && cookie.value.length > LONGEST ? tooLong() : guard?.(inbound)
      if (error !== undefined) return { outcome: 'denied', error }
      const sent = fixed ? `${cookie.name}=${cookie.value}` : inbound.headers.all('cookie').join('; ')
      return authenticate(inbound, ['cookie', sent])
    }
  },
})

const tooLong = (): GatewayError =>
  new GatewayError('credentials_invalid', { detail: `the session cookie is longer than ${LONGEST} bytes` })
