import { z } from 'zod'
import { questionFields } from '../../sessions/question.ts'
import { defineAuthenticator } from '../contract/handler.ts'
import type { HeaderLine } from '../contract/headers.ts'
import type { Inbound } from '../contract/inbound.ts'
import { findToken, tokenFrom, type TokenFrom } from '../credentials.ts'
import { compileTokenCsrf, csrfField } from '../csrf.ts'
import { sessionAuthentication } from '../session_authentication.ts'

/** Asks the session store who the request's token belongs to. */
export const bearerToken = defineAuthenticator({
  name: 'bearer_token',
  config: z.strictObject({
    ...questionFields,
    token_from: tokenFrom.optional(),
    csrf: csrfField,
    prefix: z.string().optional().describe('Only tokens that begin with this, such as ory_st_, are looked at.'),
    subject_from: z.string().default('sub').describe('gjson path to the subject.'),
  }),
  create(config, setup) {
    const fixed = setup.safeguards.session_request === 'fixed'
    const authenticate = sessionAuthentication(config, setup)
    const prefix = config.prefix ?? ''
    const guard = compileTokenCsrf(config.csrf, config.token_from, setup)

    return (inbound) => {
      const token = findToken(inbound, config.token_from)
      if (token === '' || !token.startsWith(prefix)) return { outcome: 'not_responsible' }
      const error = guard?.(inbound)
      if (error !== undefined) return { outcome: 'denied', error }
      return authenticate(inbound, fixed ? carrier(token, config.token_from) : authorizationOf(inbound))
    }
  },
})

/** The one credential of a fixed question, in the header in which the session store reads it. */
function carrier(token: string, from: TokenFrom | undefined): HeaderLine {
  if (from === undefined || from === null || !('header' in from || 'query_parameter' in from || 'cookie' in from)) {
    return ['authorization', `Bearer ${token}`]
  }
  if ('header' in from)
    return from.header === 'Authorization' ? ['authorization', `Bearer ${token}`] : [from.header.toLowerCase(), token]
  return ['x-session-token', token]
}

/** Oathkeeper sends the Authorization header as it came, wherever the token was found. */
function authorizationOf(inbound: Inbound): HeaderLine | undefined {
  const value = inbound.headers.get('authorization')
  return value === undefined ? undefined : ['authorization', value]
}
