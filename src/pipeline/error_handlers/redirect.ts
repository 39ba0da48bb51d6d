import { STATUS_CODES } from 'node:http'
import { z } from 'zod'
import type { GatewayError } from '../../errors.ts'
import { ConfigError, defineErrorHandler, type ErrorAnswer, type HeaderLine, type Inbound } from '../contract.ts'
import { NO_STORE } from '../error_body.ts'
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
    if (!URL.canParse(to, 'http://relative.invalid')) throw new ConfigError(`"${to}" is not a URL`, ['to'])
    const target = asciiUrl(to)
    return {
      matches: compileWhen(when, { outages: 'named' }),
      answer(error, inbound) {
        const location = parameter === '' ? target : withReturnTo(target, parameter, requestUrl(inbound))
        return redirection(code, location, inbound, error)
      },
    }
  },
})

function redirection(status: number, to: string, inbound: Inbound, error: GatewayError): ErrorAnswer {
  const location = absolutePath(to, inbound)
  const headers: HeaderLine[] = [['Location', location], NO_STORE, ...error.headers]
  // RFC 9110 section 15.4: a short note with a link; clients other than browsers have no use for it.
  if (inbound.method !== 'GET' && inbound.method !== 'HEAD') return { status, headers, body: '' }
  headers.push(['Content-Type', 'text/html; charset=utf-8'])
  const body =
    inbound.method === 'GET' ? `<a href="${escapeAttribute(location)}">${STATUS_CODES[status] ?? ''}</a>.\n\n` : ''
  return { status, headers, body }
}

/** A header takes no other characters; what a URL may not hold as it is goes as percent-encoded UTF-8. */
function asciiUrl(to: string): string {
  return to.toWellFormed().replaceAll(/[^\x21-\x7e]+/gu, encodeURIComponent)
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
  const uri = inbound.headers.get('x-forwarded-uri')
  // Anything else than a path would continue the host: `@evil.example` leads elsewhere.
  if (uri?.startsWith('/') === true) return `${scheme}://${host}${uri}`
  return `${scheme}://${host}${inbound.target}${inbound.query === '' ? '' : `?${inbound.query}`}`
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
