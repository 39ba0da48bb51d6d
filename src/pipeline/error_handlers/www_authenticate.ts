import { z } from 'zod'
import { defineErrorHandler } from '../contract/handler.ts'
import { NO_STORE } from '../error_body.ts'
import { compileWhen, whenSchema } from '../when.ts'

/** Asks for HTTP Basic credentials (RFC 7617); always 401, whatever the error was. An outage is its only when `when` names `service_unavailable`. */
export const wwwAuthenticate = defineErrorHandler({
  name: 'www_authenticate',
  config: z.strictObject({
    realm: z.string().default('Please authenticate.').describe('Realm of the challenge.'),
    when: whenSchema,
  }),
  create({ realm, when }) {
    const answer = {
      status: 401,
      headers: [
        // Unquoted, as Oathkeeper sends it and as its clients' tests expect it.
        ['WWW-Authenticate', `Basic realm=${realm}`],
        ['Content-Type', 'text/plain; charset=utf-8'],
        ['X-Content-Type-Options', 'nosniff'],
        NO_STORE,
      ],
      body: 'Unauthorized\n',
    } as const
    return { matches: compileWhen(when, { outages: 'exact' }), answer: () => answer }
  },
})
