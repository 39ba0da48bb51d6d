import { z } from 'zod'
import { defineErrorHandler } from '../contract/handler.ts'
import { asciiUrl, redirection, requestUrl, withQuery } from '../redirection.ts'
import { compileWhen, whenSchema } from '../when.ts'

/** Sends the client elsewhere, usually to log in; an outage only when `when` names it, because logging in would not help. */
export const redirect = defineErrorHandler({
  name: 'redirect',
  config: z.strictObject({
    to: z.string().min(1).describe('Where to; an absolute URL or a path.'),
    code: z
      .union([z.literal(301), z.literal(302)])
      .default(302)
      .describe('HTTP status of the redirect.'),
    return_to_query_param: z
      .string()
      .regex(/^[A-Za-z0-9,._~-]*$/)
      .default('')
      .describe("Query parameter of `to` that gets the request's own URL; empty means none."),
    when: whenSchema,
  }),
  create({ to, code, return_to_query_param: parameter, when }) {
    const target = asciiUrl(to, ['to'])
    return {
      matches: compileWhen(when, { outages: 'named' }),
      answer(error, inbound) {
        const location = parameter === '' ? target : withQuery(target, { [parameter]: requestUrl(inbound) })
        return redirection(code, location, inbound, error)
      },
    }
  },
})
