/** The session as JSON, the way Oathkeeper's hydrator sends and takes it. */
import { canonicalHeaderName } from '../languages/gotemplate/index.ts'
import type { Exchange } from './contract/exchange.ts'
import type { HeaderEdit } from './contract/headers.ts'
import type { Inbound } from './contract/inbound.ts'
import type { JsonObject } from './contract/values.ts'
import { CONNECTION_HEADERS, headerText } from './service_call.ts'

type HeaderMap = Record<string, string[]>

/** Go's encoding of the session; of the request's headers those that `isShown` lets through. */
export function sessionDocument(
  { inbound, captures, session, edits }: Exchange,
  isShown: (lowerName: string) => boolean,
): string {
  return JSON.stringify({
    subject: session.subject,
    extra: session.extra,
    // Go's nil map, as long as nothing has been set.
    header: edits.length === 0 ? null : editedHeaders(edits),
    match_context: {
      regexp_capture_groups: captures,
      url: urlDocument(inbound),
      method: inbound.method,
      header: requestHeaders(inbound, isShown),
    },
  })
}

/** Go's url.URL. */
const urlDocument = ({ scheme, host, path, query }: Inbound): object => ({
  Scheme: scheme,
  Opaque: '',
  User: null,
  Host: host,
  Path: path,
  RawPath: '',
  OmitHost: false,
  ForceQuery: false,
  RawQuery: query,
  Fragment: '',
  RawFragment: '',
})

function requestHeaders({ headers: { raw } }: Inbound, isShown: (lowerName: string) => boolean): HeaderMap {
  const map = emptyMap()
  for (let i = 0; i < raw.length; i += 2) {
    const lower = raw[i]!.toLowerCase()
    // Go keeps Host apart from the headers, and what belongs to the client's connection ends at the gateway.
    const ends = CONNECTION_HEADERS.has(lower) && lower !== 'content-length'
    if (!ends && isShown(lower)) (map[canonicalHeaderName(raw[i]!)] ??= []).push(headerText(raw[i + 1]!))
  }
  return map
}

function editedHeaders(edits: readonly HeaderEdit[]): HeaderMap {
  const map = emptyMap()
  for (const [name, value] of edits) {
    if (value === null) delete map[canonicalHeaderName(name)]
    else map[canonicalHeaderName(name)] = [value]
  }
  return map
}

const emptyMap = (): HeaderMap => Object.create(null) as HeaderMap

/** What an answer may change of a session. */
export interface HydratedSession {
  readonly subject: string
  readonly extra: JsonObject | null
  readonly edits: readonly HeaderEdit[]
  /** Absent when the answer has no match context. */
  readonly captures?: readonly string[]
}

/** Reads a session; undefined when the text is none. Members that it leaves out are empty, others are passed over. */
export function readSessionDocument(text: string): HydratedSession | undefined {
  const document = parse(text)
  if (!isObject(document)) return undefined
  const { subject = '', extra = null, header = null, match_context: context } = document
  if (typeof subject !== 'string' || !(extra === null || isObject(extra))) return undefined
  if (!(header === null || (isObject(header) && Object.values(header).every(isTexts)))) return undefined
  const captures = isObject(context) ? context['regexp_capture_groups'] : undefined
  if (!(captures === undefined || captures === null || isTexts(captures))) return undefined
  const edits = Object.entries(header ?? {}).map(([name, values]): HeaderEdit => [name, (values as string[])[0] ?? ''])
  return {
    subject,
    extra: extra as JsonObject | null,
    edits,
    ...(captures !== undefined && captures !== null && { captures }),
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
