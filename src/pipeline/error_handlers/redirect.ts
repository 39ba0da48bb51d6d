import { STATUS_CODES } from 'node:http'
import { z } from 'zod'
import type { GatewayError } from '../../errors.ts'
import { ConfigError, defineErrorHandler, type ErrorAnswer, type HeaderLine, type Inbound } from '../contract.ts'
import { compileWhen, whenSchema } from '../when.ts'

/** Sends the client elsewhere, usually to log in. */
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
    if (!URL.canParse(to, 'http://relative.invalid')) throw new ConfigError(`"${to}" is not a URL`, ['to'])
    return {
      matches: compileWhen(when),
      answer: (error, inbound) =>
        redirection(code, parameter === '' ? to : withReturnTo(to, parameter, requestUrl(inbound)), inbound, error),
    }
  },
})

function redirection(status: number, to: string, inbound: Inbound, error: GatewayError): ErrorAnswer {
  const location = absolutePath(to, inbound)
  const headers: HeaderLine[] = [['Location', location], ...error.headers]
  // RFC 9110 section 15.4: a short note with a link; clients other than browsers have no use for it.
  if (inbound.method !== 'GET' && inbound.method !== 'HEAD') return { status, headers, body: '' }
  headers.push(['Content-Type', 'text/html; charset=utf-8'])
  const body =
    inbound.method === 'GET' ? `<a href="${escapeAttribute(location)}">${STATUS_CODES[status] ?? ''}</a>.\n\n` : ''
  return { status, headers, body }
}

/** A `to` without scheme and without a leading slash is relative to the request's directory. */
function absolutePath(to: string, inbound: Inbound): string {
  if (to.startsWith('/') || URL.canParse(to)) return to
  return inbound.target.slice(0, inbound.target.lastIndexOf('/') + 1) + to
}

/** The URL as the client knows it. X-Forwarded-* are here only when they may be believed: the front gate drops them otherwise. */
function requestUrl(inbound: Inbound): string {
  const scheme = inbound.headers.get('x-forwarded-proto') ?? inbound.scheme
  const host = inbound.headers.get('x-forwarded-host') ?? inbound.host
  const query = inbound.query === '' ? '' : `?${inbound.query}`
  return `${scheme}://${host}${inbound.headers.get('x-forwarded-uri') ?? inbound.target + query}`
}

/** Sets the parameter and writes the query sorted by name, as Go's url.Values.Encode does. */
function withReturnTo(to: string, parameter: string, returnTo: string): string {
  const [beforeFragment = '', ...fragment] = to.split('#')
  const mark = beforeFragment.indexOf('?')
  const base = mark === -1 ? beforeFragment : beforeFragment.slice(0, mark)
  const query = new URLSearchParams(mark === -1 ? '' : beforeFragment.slice(mark + 1))
  query.set(parameter, returnTo)
  query.sort()
  return `${base}?${query.toString()}${fragment.length > 0 ? `#${fragment.join('#')}` : ''}`
}

function escapeAttribute(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&#34;')
    .replaceAll("'", '&#39;')
}
