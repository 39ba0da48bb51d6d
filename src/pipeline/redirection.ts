/** Answers that send a client to another URL, and the URL to which it may come back. */
import { STATUS_CODES } from 'node:http'
import type { GatewayError } from '../errors.ts'
import { ConfigError } from './contract/config_error.ts'
import type { HeaderLine } from './contract/headers.ts'
import type { Inbound } from './contract/inbound.ts'
import type { ErrorAnswer } from './contract/outcomes.ts'
import { NO_STORE } from './error_body.ts'

/** The answer that sends a client to a URL; `error` supplies the headers that belong to it. */
export function redirection(status: number, to: string, inbound: Inbound, error: GatewayError): ErrorAnswer {
  const location = absolutePath(to, inbound)
  const headers: HeaderLine[] = [['Location', location], NO_STORE, ...error.headers]
  // RFC 9110 section 15.4: a short note with a link; clients other than browsers have no use for it.
  if (inbound.method !== 'GET' && inbound.method !== 'HEAD') return { status, headers, body: '' }
  headers.push(['Content-Type', 'text/html; charset=utf-8'])
  const body =
    inbound.method === 'GET' ? `<a href="${escapeAttribute(location)}">${STATUS_CODES[status] ?? ''}</a>.\n\n` : ''
  return { status, headers, body }
}

/**
 * The URL (absolute, or a path) as a header takes it: what a URL may not hold as it is goes as percent-encoded UTF-8.
 * Throws ConfigError with `path` for what is no URL.
 */
export function asciiUrl(to: string, path: readonly string[]): string {
  if (!URL.canParse(to, 'http://relative.invalid')) throw new ConfigError(`"${to}" is not a URL`, path)
  return to.toWellFormed().replaceAll(/[^\x21-\x7e]+/gu, encodeURIComponent)
}

/** A `to` without scheme and without a leading slash is relative to the request's directory. */
function absolutePath(to: string, inbound: Inbound): string {
  if (to.startsWith('/') || URL.canParse(to)) return to
  return inbound.target.slice(0, inbound.target.lastIndexOf('/') + 1) + to
}

/** The URL as the client knows it. X-Forwarded-* are here only when they may be believed: the front gate drops them otherwise. */
export function requestUrl(inbound: Inbound): string {
  const scheme = inbound.headers.get('x-forwarded-proto') ?? inbound.scheme
  const host = inbound.headers.get('x-forwarded-host') ?? inbound.host
  const uri = inbound.headers.get('x-forwarded-uri')
  // Anything else than a path would continue the host: `@evil.example` leads elsewhere.
  if (uri?.startsWith('/') === true) return `${scheme}://${host}${uri}`
  return `${scheme}://${host}${inbound.target}${inbound.query === '' ? '' : `?${inbound.query}`}`
}

/** Sets the parameters and writes the query sorted by name, as Go's url.Values.Encode does. */
export function withQuery(to: string, parameters: Readonly<Record<string, string>>): string {
  const [beforeFragment = '', ...fragment] = to.split('#')
  const mark = beforeFragment.indexOf('?')
  const base = mark === -1 ? beforeFragment : beforeFragment.slice(0, mark)
  const query = new URLSearchParams(mark === -1 ? '' : beforeFragment.slice(mark + 1))
  for (const [name, value] of Object.entries(parameters)) query.set(name, value)
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
