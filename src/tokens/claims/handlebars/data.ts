import type { Exchange } from '../../../pipeline/contract/exchange.ts'
import type { HeaderEdit } from '../../../pipeline/contract/headers.ts'
import type { Inbound } from '../../../pipeline/contract/inbound.ts'
import type { JsonObject } from '../../../pipeline/contract/values.ts'

/** What a claim can read; the same names as in the JSON that Oathkeeper's hydrator sends. */
export const handlebarsRoots = ['subject', 'extra', 'header', 'match_context'] as const

/**
 * What Handlebars in claims sees:
 *
 * - `subject`: who it is; text, empty for noop
 * - `extra`: what the session store said, as `extra_from` picked it; with Kratos the whole session
 * - `header.NAME`: headers that earlier mutators set, names in lower case
 * - `match_context.method`, `.url.scheme`, `.url.host`, `.url.path`, `.url.query.NAME` (first value), `.header.NAME`
 *   (the request's, lower case, first value), `.regexp_capture_groups.[0]`
 *
 * Each part is made when it is read.
 */
export function handlebarsData({ session, inbound, captures, edits }: Exchange): JsonObject {
  return {
    subject: session.subject,
    extra: session.extra,
    get header() {
      return editedHeaders(edits)
    },
    get match_context() {
      return matchContext(inbound, captures)
    },
  }
}

function editedHeaders(edits: readonly HeaderEdit[]): JsonObject {
  const headers = Object.create(null) as JsonObject
  for (const [name, value] of edits) {
    if (value === null) delete headers[name.toLowerCase()]
    else headers[name.toLowerCase()] = value
  }
  return headers
}

function matchContext(inbound: Inbound, captures: readonly string[]): JsonObject {
  const { method, scheme, host, path, query, headers } = inbound
  return {
    method,
    regexp_capture_groups: [...captures],
    url: {
      scheme,
      host,
      path,
      get query() {
        return firstOfEach(new URLSearchParams(query))
      },
    },
    get header() {
      return firstOfEach(headerPairs(headers.raw))
    },
  }
}

function firstOfEach(pairs: Iterable<readonly [string, string]>): JsonObject {
  const first = Object.create(null) as JsonObject
  for (const [name, value] of pairs) first[name] ??= value
  return first
}

function* headerPairs(raw: readonly string[]): Iterable<readonly [string, string]> {
  for (let at = 0; at + 1 < raw.length; at += 2) yield [(raw[at] as string).toLowerCase(), raw[at + 1] as string]
}
