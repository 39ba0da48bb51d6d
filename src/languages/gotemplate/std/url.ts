import { GoError } from '../errors.ts'
import { type GoStruct, structType } from '../values/struct.ts'
import { type GoMethod, type GoValue } from '../values/value.ts'
import { urlValues } from './header.ts'
import { escapePercent, unescapePercent } from './percent.ts'

/** The parts of a URL as Go's url.URL has them. */
export interface UrlParts {
  readonly scheme: string
  /** What follows the scheme when it is no path, as in `mailto:`. */
  readonly opaque: string
  readonly user: { readonly name: string; readonly password: string | undefined } | undefined
  /** With the port, decoded. */
  readonly host: string
  /** Decoded. */
  readonly path: string
  /** The path as it was written, when encoding `path` would give something else. */
  readonly rawPath: string
  readonly forceQuery: boolean
  readonly rawQuery: string
  readonly fragment: string
}

const pathKeep = '$&+,/:;=@'
const hostKeep = '!$&\'()*+,;=:[]<>"'
const userKeep = '$&+,;='
const fragmentKeep = "!'()*$&+,/:;=?@"

function decoded(text: string): string {
  const result = unescapePercent(text)
  if (result === undefined) throw new GoError('invalid URL escape')
  return result
}

/** Parses a URL as Go's url.Parse does. @throws GoError when Go would refuse it */
export function parseUrl(text: string): UrlParts {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code === 0x7f) throw new GoError('invalid control character in URL')
  }
  const hash = text.indexOf('#')
  const fragment = hash === -1 ? '' : decoded(text.slice(hash + 1))
  let rest = hash === -1 ? text : text.slice(0, hash)
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(rest)?.[1] ?? ''
  if (scheme !== '') rest = rest.slice(scheme.length + 1)
  else if (rest.startsWith(':')) throw new GoError('missing protocol scheme')
  const question = rest.indexOf('?')
  const rawQuery = question === -1 ? '' : rest.slice(question + 1)
  const forceQuery = question !== -1 && rawQuery === ''
  if (question !== -1) rest = rest.slice(0, question)
  const none = { scheme: scheme.toLowerCase(), forceQuery, rawQuery, fragment, opaque: '', user: undefined, host: '' }
  if (!rest.startsWith('/')) {
    if (scheme !== '') return { ...none, opaque: rest, path: '', rawPath: '' }
    if (rest.split('/', 1)[0]?.includes(':') === true) {
      throw new GoError('first path segment in URL cannot contain colon')
    }
  }
  let authority = {}
  if (rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'))) {
    const slash = rest.indexOf('/', 2)
    authority = parseAuthority(slash === -1 ? rest.slice(2) : rest.slice(2, slash))
    rest = slash === -1 ? '' : rest.slice(slash)
  }
  const path = decoded(rest)
  const rawPath = escapePercent(path, pathKeep) === rest ? '' : rest
  return { ...none, ...authority, path, rawPath }
}

function parseAuthority(authority: string): Pick<UrlParts, 'host' | 'user'> {
  const at = authority.lastIndexOf('@')
  const host = parseHost(authority.slice(at + 1))
  if (at === -1) return { host, user: undefined }
  const info = authority.slice(0, at)
  const colon = info.indexOf(':')
  const name = decoded(colon === -1 ? info : info.slice(0, colon))
  return { host, user: { name, password: colon === -1 ? undefined : decoded(info.slice(colon + 1)) } }
}

function parseHost(host: string): string {
  const port = host.startsWith('[') ? host.slice(host.lastIndexOf(']') + 1) : host.slice(portStart(host))
  if (host.startsWith('[') && !host.includes(']')) throw new GoError("missing ']' in host")
  if (port !== '' && !/^:\d*$/.test(port)) throw new GoError('invalid port after host')
  if (/[ ^`{}|\\/?#]/.test(host)) throw new GoError('invalid character in host name')
  return decoded(host)
}

function portStart(host: string): number {
  const colon = host.lastIndexOf(':')
  return colon === -1 ? host.length : colon
}

/** Host without port and brackets, and the port. */
function splitHost(host: string): [hostname: string, port: string] {
  const colon = host.lastIndexOf(':')
  const hasPort = colon !== -1 && /^\d*$/.test(host.slice(colon + 1)) && !(host.startsWith('[') && host.endsWith(']'))
  const hostname = hasPort ? host.slice(0, colon) : host
  const bare = hostname.startsWith('[') && hostname.endsWith(']') ? hostname.slice(1, -1) : hostname
  return [bare, hasPort ? host.slice(colon + 1) : '']
}

function escapedPath({ path, rawPath }: UrlParts): string {
  if (rawPath !== '' && unescapePercent(rawPath) === path && !/[^!-~]|[<>"\\^`{}|]/.test(rawPath)) return rawPath
  return path === '*' ? '*' : escapePercent(path, pathKeep)
}

function formatUser(user: NonNullable<UrlParts['user']>, password: string | undefined): string {
  const name = escapePercent(user.name, userKeep)
  return password === undefined ? name : `${name}:${escapePercent(password, userKeep)}`
}

/** A URL as text (Go's URL.String); `redacted` hides the password. */
export function formatUrl(url: UrlParts, redacted = false): string {
  const { scheme, opaque, user, host, forceQuery, rawQuery, fragment } = url
  let out = scheme === '' ? '' : `${scheme}:`
  if (opaque !== '') out += opaque
  else {
    const path = escapedPath(url)
    if (scheme !== '' || host !== '' || user !== undefined) {
      if (host !== '' || path.startsWith('//') || user !== undefined) out += '//'
      if (user !== undefined) {
        out += `${formatUser(user, user.password !== undefined && redacted ? 'xxxxx' : user.password)}@`
      }
      out += escapePercent(host, hostKeep)
    }
    if (path !== '' && !path.startsWith('/') && host !== '') out += '/'
    if (out === '' && path.split('/', 1)[0]?.includes(':') === true) out += './'
    out += path
  }
  if (forceQuery || rawQuery !== '') out += `?${rawQuery}`
  return fragment === '' ? out : `${out}#${escapePercent(fragment, fragmentKeep)}`
}

const method = <T>(call: (source: T) => GoValue): GoMethod<T> => ({ params: [], call })
const of = method<UrlParts>

function requestUri(url: UrlParts): string {
  const { scheme, opaque, forceQuery, rawQuery } = url
  const query = forceQuery || rawQuery !== '' ? `?${rawQuery}` : ''
  if (opaque === '') return (escapedPath(url) || '/') + query
  return (opaque.startsWith('//') ? `${scheme}:${opaque}` : opaque) + query
}

const userinfo = structType<NonNullable<UrlParts['user']>>({
  name: '*url.Userinfo',
  fields: {},
  methods: {
    Username: method((user) => user.name),
    String: method((user) => formatUser(user, user.password)),
  },
  text: (user) => formatUser(user, user.password),
})

const urlStruct = structType<UrlParts>({
  name: '*url.URL',
  fields: {
    Scheme: (url) => url.scheme,
    Opaque: (url) => url.opaque,
    User: (url) => (url.user === undefined ? null : userinfo(url.user)),
    Host: (url) => url.host,
    Path: (url) => url.path,
    RawPath: (url) => url.rawPath,
    OmitHost: () => false,
    ForceQuery: (url) => url.forceQuery,
    RawQuery: (url) => url.rawQuery,
    Fragment: (url) => url.fragment,
    RawFragment: () => '',
  },
  methods: {
    String: of((url) => formatUrl(url)),
    Redacted: of((url) => formatUrl(url, true)),
    Hostname: of((url) => splitHost(url.host)[0]),
    Port: of((url) => splitHost(url.host)[1]),
    Query: of((url) => urlValues(url.rawQuery)),
    EscapedPath: of(escapedPath),
    EscapedFragment: of((url) => escapePercent(url.fragment, fragmentKeep)),
    IsAbs: of((url) => url.scheme !== ''),
    RequestURI: of(requestUri),
  },
  text: (url) => formatUrl(url),
})

/**
 * A Go *url.URL with its fields and methods that only read.
 * @param url its text, parsed as Go does, or its parts
 * @throws GoError when the text is no URL
 */
export function goUrl(url: string | UrlParts): GoStruct {
  return urlStruct(typeof url === 'string' ? parseUrl(url) : url)
}
