import { z } from 'zod'
import type { Code } from '../../errors.ts'
import { defineErrorHandler } from '../contract/handler.ts'
import { matchesMime, parseMimeList } from '../mime.ts'
import { asciiUrl, redirection, requestUrl, withQuery } from '../redirection.ts'

/** What Kratos' login flow has to be asked for, by the refusal that it can resolve. */
const FLOWS: Readonly<Partial<Record<Code, Readonly<Record<string, string>>>>> = {
  session_aal2_required: { aal: 'aal2' },
  session_refresh_required: { refresh: 'true' },
}

/**
 * Leads a browser that navigates to the login flow in which the user gives a second factor, or authenticates again, and
 * then back. Scripts get the refusal itself from the next handler: they cannot follow a redirect into a flow.
 */
export const stepUp = defineErrorHandler({
  name: 'step_up',
  config: z.strictObject({
    to: z
      .string()
      .min(1)
      .describe(
        "Kratos' login flow as browsers reach it, such as https://auth.example.com/self-service/login/browser; `aal=aal2` or `refresh=true` is added.",
      ),
    return_to_query_param: z
      .string()
      .regex(/^[A-Za-z0-9,._~-]+$/)
      .default('return_to')
      .describe("Query parameter of `to` that gets the request's own URL."),
  }),
  create({ to, return_to_query_param: parameter }) {
    const target = asciiUrl(to, ['to'])
    return {
      matches({ code }, { method, headers }) {
        if (FLOWS[code] === undefined || method !== 'GET') return false
        const mode = headers.get('sec-fetch-mode')
        if (mode !== undefined && mode !== 'navigate') return false
        return matchesMime(parseMimeList(headers.get('accept') ?? ''), ['text/html'])
      },
      answer: (error, inbound) =>
        redirection(302, withQuery(target, { ...FLOWS[error.code], [parameter]: requestUrl(inbound) }), inbound, error),
    }
  },
})
