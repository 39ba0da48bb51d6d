/** Where a request carries its credentials: cookies and tokens, read the way Oathkeeper (and so Go's net/http) reads them. */
import { z } from 'zod'
import type { Inbound } from './contract/inbound.ts'

/** A cookie of the request; RFC 6265 section 5.4 order, duplicates kept. */
export interface RequestCookie {
  readonly name: string
  readonly value: string
  /** Whether the value came in double quotes, which are no part of `value`. */
  readonly quoted: boolean
}

/** The request's cookies with the given names, or all; what is no `name=value` pair is passed over. */
export function requestCookies(inbound: Inbound, names?: readonly string[]): RequestCookie[] {
  return parseCookies(inbound.headers.all('cookie'), names)
}

/** The same of lines of a Cookie header. */
export function parseCookies(lines: readonly string[], names?: readonly string[]): RequestCookie[] {
  const cookies: RequestCookie[] = []
  for (const line of lines) {
    let equals = -1
    for (let start = 0; start < line.length;) {
      const next = line.indexOf(';', start)
      const end = next === -1 ? line.length : next
      if (equals < start) equals = line.indexOf('=', start)
      if (equals === -1) break
      if (equals < end) {
        const name = nameAt(line, start, equals, names)
        if (name !== undefined) {
          const text = valueAt(line, equals + 1, end)
          const quoted = text.length > 1 && text.startsWith('"') && text.endsWith('"')
          cookies.push({ name, value: quoted ? text.slice(1, -1) : text, quoted })
        }
      }
      start = end + 1
    }
  }
  return cookies
}

/** The name between two places, if it is one of those that are looked for: no other is cut out. */
function nameAt(line: string, from: number, to: number, names: readonly string[] | undefined): string | undefined {
  const start = afterSpace(line, from, to)
  const end = beforeSpace(line, start, to)
  if (names === undefined) return start < end ? line.slice(start, end) : undefined
  for (const name of names) if (name.length === end - start && line.startsWith(name, start)) return name
  return undefined
}

function valueAt(line: string, from: number, to: number): string {
  const start = afterSpace(line, from, to)
  return line.slice(start, beforeSpace(line, start, to))
}

// String.prototype.trim() also takes U+00A0 and friends, which would make two different names equal.
function afterSpace(text: string, from: number, to: number): number {
  let start = from
  while (start < to && isSpace(text.charCodeAt(start))) start++
  return start
}

function beforeSpace(text: string, from: number, to: number): number {
  let end = to
  while (end > from && isSpace(text.charCodeAt(end - 1))) end--
  return end
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** `token_from` of bearer_token, jwt and oauth2_introspection: exactly one place. */
export const tokenFrom = z
  .union([
    z.null(),
    z.strictObject({ header: z.string().min(1).describe('Name of the header that holds the bare token.') }),
    z.strictObject({ query_parameter: z.string().min(1).describe('Name of the query parameter.') }),
    z.strictObject({ cookie: z.string().min(1).describe('Name of the cookie.') }),
    z.strictObject({}),
  ])
  .describe('Where the token is; absent means `Authorization: Bearer`.')

export type TokenFrom = z.output<typeof tokenFrom>

/** The token of a request, or an empty string. */
export function findToken(inbound: Inbound, from: TokenFrom | undefined): string {
  if (from !== undefined && from !== null) {
    if ('query_parameter' in from) return new URLSearchParams(inbound.query).get(from.query_parameter) ?? ''
    if ('cookie' in from) return requestCookies(inbound, [from.cookie])[0]?.value ?? ''
    if ('header' in from && from.header !== 'Authorization') return inbound.headers.get(from.header.toLowerCase()) ?? ''
  }
  return bearerToken(inbound.headers.get('authorization'))
}

/** RFC 6750 section 2.1; the scheme in any case, the rest after the first space is the token. */
function bearerToken(authorization: string | undefined): string {
  if (authorization === undefined) return ''
  const space = authorization.indexOf(' ')
  return space !== -1 && authorization.slice(0, space).toLowerCase() === 'bearer' ? authorization.slice(space + 1) : ''
}

/** HTTP Basic credentials (RFC 7617), as Go's `Request.BasicAuth` reads them; undefined when there are none. */
export function basicCredentials(inbound: Inbound): { readonly user: string; readonly password: string } | undefined {
  const authorization = inbound.headers.get('authorization') ?? ''
  if (authorization.slice(0, 6).toLowerCase() !== 'basic ') return undefined
  const encoded = authorization.slice(6)
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.toString('base64') !== encoded) return undefined
  const decoded = bytes.toString()
  const colon = decoded.indexOf(':')
  return colon === -1 ? undefined : { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) }
}
