/** The outgoing header lists: built anew from what may pass, and what the gateway says set last. */
import { GatewayError } from '../errors.ts'
import type { HeaderEdit, HeaderLine } from '../pipeline/contract/headers.ts'
import type { Inbound } from '../pipeline/contract/inbound.ts'
import type { UpstreamTarget } from '../pipeline/contract/upstream.ts'
import { cookieName, withoutCookies } from './cookies.ts'
import { namesOf } from './header_lines.ts'
import { forwarded, framing, headerName, hopByHop, identity, invalid, underscore } from './header_names.ts'
import type { ProxySettings } from './settings.ts'

const never = hopByHop | framing

/** What the client gets instead of a header's value; the name is in lower case. */
export type HeaderRewriter = (lower: string, value: string) => string

/**
 * Headers for the upstream as a flat list (name, value…) without Host: hop-by-hop headers and those that Connection
 * names are dropped first, then what the gateway owns; the edits are set last, so that none of them can be stripped or
 * doubled by the client. The body's framing is the outbound client's.
 *
 * Values of edits are text and go out as UTF-8. Throws GatewayError (`template_failed`) for an edit that cannot be a
 * header: a request never goes on without it.
 */
export function upstreamHeaders(
  inbound: Inbound,
  edits: readonly HeaderEdit[],
  upstream: UpstreamTarget,
  settings: ProxySettings,
): string[] {
  const { safeguards, ownedHeaders, sessionCookies, credentialCookies = sessionCookies } = settings
  const { headers: own, passCredentials } = upstream
  const drop = (own?.client_headers ?? safeguards.client_headers) === 'drop'
  const dropCredentials = !passCredentials && (drop || own?.credentials === 'drop')
  const replace = (own?.forwarded_headers ?? safeguards.forwarded_headers) === 'set'
  const edited = editedNames(edits)
  const named = connectionOptions(inbound.headers.all('connection'))
  const { raw } = inbound.headers
  const names = namesOf(inbound.headers)
  const list: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const { lower, traits, alias } = names[i / 2]!
    if ((traits & never) !== 0) {
      if (lower === 'content-length') list.push(raw[i]!, raw[i + 1]!)
      continue
    }
    if (named !== undefined && named.has(lower)) continue
    if (edited.includes(alias)) continue
    if ((traits & forwarded) !== 0 && (lower === 'forwarded' || drop || (replace && isReplaced(lower)))) continue
    if (drop && (traits & (identity | underscore)) !== 0) continue
    if (dropCredentials && lower === 'cookie') {
      const cookies = withoutCookies(raw[i + 1]!, credentialCookies)
      if (cookies !== '') list.push(raw[i]!, cookies)
      continue
    }
    if (alias === 'authorization' || alias === 'x-session-token') {
      if (dropCredentials) continue
    } else if (drop && ownedHeaders.has(alias)) continue
    list.push(raw[i]!, raw[i + 1]!)
  }
  if (replace) pushForwarded(list, inbound, settings.trustForwardedHeaders, edited)
  pushEdits(list, edits)
  return list
}

/**
 * Headers for the client as a flat list: hop-by-hop headers and those that Connection names are dropped, duplicates and
 * bytes kept; `added` comes last and takes the place of what the upstream said under `replaced` names.
 */
export function clientHeaders(
  raw: readonly string[],
  options: {
    /** Cookies that only the session store may set; empty when this upstream may. */
    readonly guardedCookies: readonly string[]
    readonly added: readonly HeaderLine[]
    /** Whether an upstream's own CORS headers are dropped, because the gateway answers for them. */
    readonly ownCors: boolean
    readonly status: number
    /** Whether trailers can follow, so that their announcement may pass. */
    readonly trailers: boolean
    /** What becomes of `location` and `set-cookie`. */
    readonly rewrite?: HeaderRewriter | undefined
  },
): string[] {
  let connection: string[] | undefined
  const list: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const spelling = raw[i]!
    const { lower, traits } = headerName(spelling)
    if ((traits & hopByHop) !== 0) {
      if (lower === 'connection') (connection ??= []).push(raw[i + 1]!)
      else if (lower === 'trailer' && options.trailers) list.push(spelling, raw[i + 1]!)
      continue
    }
    if ((traits & invalid) !== 0) continue
    // RFC 9110 section 8.6: no length where no body can be.
    if (lower === 'content-length' && options.status === 204) continue
    // Which of its headers scripts may read is the upstream's to say; it adds to what the gateway says.
    if (options.ownCors && lower.startsWith('access-control-') && lower !== 'access-control-expose-headers') continue
    const value = raw[i + 1]!
    if (lower === 'set-cookie' && options.guardedCookies.includes(cookieName(beforeSemicolon(value)))) continue
    list.push(spelling, options.rewrite === undefined ? value : options.rewrite(lower, value))
  }
  const named = connection === undefined ? undefined : connectionOptions(connection)
  const kept = named === undefined ? list : withoutNamed(list, named)
  for (const [name, value] of options.added) {
    kept.push(name, options.rewrite === undefined ? value : options.rewrite(headerName(name).lower, value))
  }
  return kept
}

/**
 * Trailers that say something about the body; whoever frames, routes or authenticates does so in the head, and what is
 * `owned` (names in lower case, `-` for `_`) is the gateway's to say.
 */
export function trailerLines(raw: readonly string[], owned = nobodys): [name: string, value: string][] {
  const lines: [string, string][] = []
  for (let i = 0; i < raw.length; i += 2) if (isTrailer(raw[i]!, owned)) lines.push([raw[i]!, raw[i + 1]!])
  return lines
}

/** The value of a Trailer header that announces no others than those; undefined when none is left. */
export function trailerNames(value: string, owned: ReadonlySet<string>): string | undefined {
  const names = value.split(',').map((name) => name.trim())
  const passing = names.filter((name) => isTrailer(name, owned))
  return passing.length === 0 ? undefined : passing.join(', ')
}

const nobodys: ReadonlySet<string> = new Set()

function isTrailer(name: string, owned: ReadonlySet<string>): boolean {
  const { lower, alias, traits, single } = headerName(name)
  return traits === 0 && single === 0 && lower !== 'set-cookie' && lower !== 'cookie' && !owned.has(alias)
}

/** Names that a Connection header takes out of the message; undefined for the usual `keep-alive` and `close`. */
export function connectionOptions(values: readonly string[]): Set<string> | undefined {
  let names: Set<string> | undefined
  for (const value of values) {
    if (value === 'keep-alive' || value === 'close') continue
    for (const option of value.split(',')) {
      const name = option.trim().toLowerCase()
      // Framing is not up to the other side; the rest of the list may go.
      if (name === '' || (headerName(name).traits & never) !== 0) continue
      names ??= new Set()
      names.add(name)
    }
  }
  return names
}

/** A flat list (name, value…) without the headers of those names, which are in lower case. */
export function withoutNamed(list: readonly string[], named: ReadonlySet<string>): string[] {
  const kept: string[] = []
  for (let i = 0; i < list.length; i += 2) {
    if (!named.has(headerName(list[i]!).lower)) kept.push(list[i]!, list[i + 1]!)
  }
  return kept
}

function editedNames(edits: readonly HeaderEdit[]): string[] {
  const names: string[] = []
  for (const [name] of edits) names.push(headerName(name).alias)
  return names
}

/**
 * Appends what mutators set to a header list (name, value…): the last edit of a name counts, values go out as UTF-8.
 * Throws GatewayError (`template_failed`) for an edit that cannot be a header.
 */
export function pushEdits(list: string[], edits: readonly HeaderEdit[]): void {
  for (let i = 0; i < edits.length; i++) {
    const edit = edits[i]!
    const [name, value] = edit
    const { lower, traits } = headerName(name)
    if ((traits & invalid) !== 0) throw unfit(name, 'is no header name')
    // As in Oathkeeper, a mutator cannot reach what frames or routes the message.
    if (value === null || (traits & never) !== 0) continue
    let last = i
    for (let j = i + 1; j < edits.length; j++) if (headerName(edits[j]![0]).lower === lower) last = j
    if (last === i) list.push(name, value.length < longValue ? encodeValue(name, value) : encodeOnce(edit, value))
  }
}

/** Characters from which on it is worth remembering what a value looks like: tokens come with many requests. */
const longValue = 256
const encoded = new WeakMap<HeaderEdit, string>()

function encodeOnce(edit: HeaderEdit, value: string): string {
  let bytes = encoded.get(edit)
  if (bytes === undefined) {
    bytes = encodeValue(edit[0], value)
    encoded.set(edit, bytes)
  }
  return bytes
}

/** A header value as the bytes that go out, one character a byte. */
function encodeValue(name: string, value: string): string {
  let ascii = true
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code >= 0x20 && code < 0x7f) continue
    if (code >= 0x80) ascii = false
    else if (code !== 0x09) throw unfit(name, 'has a value with a control character')
  }
  if (ascii) return value
  if (!value.isWellFormed()) throw unfit(name, 'has a value with half a surrogate pair')
  return Buffer.from(value, 'utf8').toString('latin1')
}

const unfit = (name: string, problem: string): GatewayError =>
  new GatewayError('template_failed', { reason: `the header ${JSON.stringify(name)} ${problem}` })

const isReplaced = (lower: string): boolean =>
  lower === 'x-forwarded-for' || lower === 'x-forwarded-host' || lower === 'x-forwarded-proto'

function pushForwarded(list: string[], inbound: Inbound, trusted: boolean, edited: readonly string[]): void {
  const chain = trusted ? inbound.headers.get('x-forwarded-for') : undefined
  const host = trusted ? inbound.headers.get('x-forwarded-host') : undefined
  const peer = inbound.remoteAddress
  const set = (name: string, value: string): void => {
    if (!edited.includes(name)) list.push(name, value)
  }
  set('x-forwarded-for', chain === undefined || chain === '' ? peer : `${chain}, ${peer}`)
  set('x-forwarded-host', host ?? inbound.host)
  set('x-forwarded-proto', inbound.scheme)
}

function beforeSemicolon(value: string): string {
  const end = value.indexOf(';')
  return end === -1 ? value : value.slice(0, end)
}
