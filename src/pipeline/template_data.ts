/**
 * What Go templates see: Oathkeeper's authentication session as a Go struct (`.Subject`, `.Extra`, `.Header`,
 * `.MatchContext`). Nothing is made before a template reads it.
 */
import {
  canonicalHeaderName,
  type GoMap,
  type GoRecord,
  httpHeader,
  nilMap,
  structType,
  typedSlice,
  urlValues,
} from '../languages/gotemplate/index.ts'
import type { Exchange } from './contract/exchange.ts'
import type { Inbound } from './contract/inbound.ts'

/** The data of Go templates for an exchange; cheap, made per render. */
export const templateData = structType<Exchange>({
  name: '*authn.AuthenticationSession',
  fields: {
    Subject: ({ session }) => session.subject,
    Extra: ({ session }) => session.extra ?? nilMap,
    Header: ({ edits }) => editedHeader(edits),
    MatchContext: (exchange) => matchContext(exchange),
  },
  json: { Subject: 'subject', Extra: 'extra', Header: 'header', MatchContext: 'match_context' },
})

const matchContext = structType<Exchange>({
  name: 'authn.MatchContext',
  fields: {
    RegexpCaptureGroups: ({ captures }) => typedSlice('string', captures),
    URL: ({ inbound }) => requestUrl(inbound),
    Method: ({ inbound }) => inbound.method,
    Header: ({ inbound }) => requestHeader(inbound),
  },
  json: { RegexpCaptureGroups: 'regexp_capture_groups', URL: 'url', Method: 'method', Header: 'header' },
})

/** Go's url.URL of the canonical request. */
const requestUrl = structType<Inbound>({
  name: '*url.URL',
  fields: {
    Scheme: ({ scheme }) => scheme,
    Opaque: () => '',
    User: () => null,
    Host: ({ host }) => host,
    Path: ({ path }) => path,
    RawPath: () => '',
    OmitHost: () => false,
    ForceQuery: () => false,
    RawQuery: ({ query }) => query,
    Fragment: () => '',
    RawFragment: () => '',
  },
  methods: {
    String: { params: [], call: urlText },
    Query: { params: [], call: ({ query }) => urlValues(query) },
    Hostname: { params: [], call: ({ host }) => splitHost(host)[0] },
    Port: { params: [], call: ({ host }) => splitHost(host)[1] },
    EscapedPath: { params: [], call: escapedPath },
    RequestURI: { params: [], call: requestUri },
    IsAbs: { params: [], call: ({ scheme }) => scheme !== '' },
  },
  text: urlText,
})

function urlText(inbound: Inbound): string {
  return `${inbound.scheme}://${inbound.host}${requestUri(inbound)}`
}

function requestUri(inbound: Inbound): string {
  return inbound.query === '' ? escapedPath(inbound) : `${escapedPath(inbound)}?${inbound.query}`
}

/** The path as it is matched has no trailing slash; so has its escaped form. */
function escapedPath({ target }: Inbound): string {
  return target.length > 1 && target.endsWith('/') ? target.slice(0, -1) : target
}

/** Name and port of an authority; an IPv6 address without its brackets, as Go's Hostname gives it. */
function splitHost(host: string): readonly [name: string, port: string] {
  const colon = host.lastIndexOf(':')
  const hasPort = colon > host.lastIndexOf(']')
  const name = hasPort ? host.slice(0, colon) : host
  return [name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name, hasPort ? host.slice(colon + 1) : '']
}

/** The request's headers under Go's spelling of their names; Go keeps Host apart from them. */
function requestHeader({ headers }: Inbound): GoMap {
  const pairs: (readonly [string, string])[] = []
  for (let at = 0; at + 1 < headers.raw.length; at += 2) {
    const name = canonicalHeaderName(headers.raw[at] as string)
    if (name !== 'Host') pairs.push([name, headers.raw[at + 1] as string])
  }
  return httpHeader(grouped(pairs))
}

function editedHeader(edits: Exchange['edits']): GoMap {
  const headers = new Map<string, string>()
  for (const [name, value] of edits) {
    if (value === null) headers.delete(canonicalHeaderName(name))
    else headers.set(canonicalHeaderName(name), value)
  }
  return httpHeader(grouped(headers))
}

function grouped(pairs: Iterable<readonly [name: string, value: string]>): GoRecord {
  const lists = new Map<string, string[]>()
  for (const [name, value] of pairs) {
    const list = lists.get(name)
    if (list === undefined) lists.set(name, [value])
    else list.push(value)
  }
  const record = Object.create(null) as Record<string, ReturnType<typeof typedSlice>>
  for (const [name, list] of lists) record[name] = typedSlice('string', list)
  return record
}
