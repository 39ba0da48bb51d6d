/** What handlers that ask a service while a request waits have in common: their keys, and what of the request they send. */
import { isUtf8 } from 'node:buffer'
import { z } from 'zod'
import { duration } from '../documents/duration.ts'
import { type Code, GatewayError } from '../errors.ts'
import { HttpCallError } from '../outbound/client.ts'
import type { HeaderLine } from './contract/headers.ts'
import type { HttpLimits, HttpResponse } from './contract/http_client.ts'
import type { Inbound } from './contract/inbound.ts'
import type { Safeguards } from './contract/safeguards.ts'

export const serviceUrl = z.url({ protocol: /^https?$/, error: 'must be an absolute http or https URL' })

export const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be a header name')

/** Of the connection and the framing, which are not the caller's to say (RFC 9110 section 7.6.1). */
export const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

export const sentHeaderName = headerName.refine((name) => !CONNECTION_HEADERS.has(name.toLowerCase()), {
  error: 'is set by the connection itself',
})

export const retry = z.strictObject({
  give_up_after: duration
    .prefault('1s')
    .describe('How long the service may take for an answer, all attempts and pauses included.'),
  max_delay: duration
    .prefault('100ms')
    .describe('Longest pause before another attempt; there are up to five when none is answered, or with 429 or 5xx.'),
})

export const forwardHttpHeaders = z.array(sentHeaderName).optional()

/** The limits of a call. The services that are asked decide or look up, so that a call may reach them twice. */
export const limitsOf = ({ give_up_after, max_delay }: z.output<typeof retry>): HttpLimits => ({
  giveUpAfter: give_up_after,
  maxDelay: max_delay,
})

/** Which headers of the request are sent along: those that are named, or without names the default of the profile. */
export function forwardedNames(
  configured: readonly string[] | undefined,
  safeguards: Pick<Safeguards, 'client_headers'>,
  compatible: readonly string[] | 'all',
): ReadonlySet<string> | 'all' {
  if (configured !== undefined) return new Set(configured.map((name) => name.toLowerCase()))
  if (safeguards.client_headers === 'drop') return new Set()
  return compatible === 'all' ? compatible : new Set(compatible)
}

/** The request's headers of these names; several lines of one name become one. */
export function forwardedHeaders({ headers }: Inbound, names: ReadonlySet<string> | 'all'): Map<string, string> {
  const lines = new Map<string, string>()
  const named = connectionOptions(headers.all('connection'))
  for (const name of names === 'all' ? lowerNames(headers.raw) : names) {
    if (CONNECTION_HEADERS.has(name) || named.has(name)) continue
    const value = headers.all(name).join(name === 'cookie' ? '; ' : ', ')
    if (value !== '') lines.set(name, value)
  }
  return lines
}

function lowerNames(raw: readonly string[]): Set<string> {
  const names = new Set<string>()
  for (let i = 0; i < raw.length; i += 2) names.add(raw[i]!.toLowerCase())
  return names
}

function connectionOptions(lines: readonly string[]): Set<string> {
  return new Set(lines.flatMap((line) => line.split(',')).map((name) => name.trim().toLowerCase()))
}

/** Text as a header's value: UTF-8, one character per byte. */
export const headerBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

/** A header's value, one character per byte, as text: UTF-8 where it is that, else Latin-1. */
export function headerText(value: string): string {
  const bytes = Buffer.from(value, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : value
}

/** The first value of a header of an answer, as text. */
export function firstValue({ headers }: HttpResponse, name: string): string | undefined {
  const values = headers[name.toLowerCase()]
  const first = typeof values === 'string' ? values : values?.[0]
  return first === undefined ? undefined : headerText(first)
}

/** The error for a call without a whole answer; anything else than HttpCallError is a fault and is thrown on. */
export function callFailed(code: Code, service: string, error: unknown): GatewayError {
  if (!(error instanceof HttpCallError)) throw error
  const reason = `The ${service} ${error.message}`
  return error.kind === 'overloaded'
    ? new GatewayError('overloaded', { reason, headers: [['Retry-After', '1']] })
    : new GatewayError(code, { reason, cause: error })
}

export const jsonContent: HeaderLine = ['content-type', 'application/json']
