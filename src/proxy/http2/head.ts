/** The head of an HTTP/2 request, said as HTTP/1.1 would say it: the front gate reads one language only. */

export interface Http1Head {
  readonly method: string
  readonly url: string
  /** Name, value, name, value… */
  readonly rawHeaders: readonly string[]
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Takes the header list as it came (RFC 9113 section 8.3.1), of a request over TLS; `endsHere` says that no body follows.
 * What HTTP/1.1 cannot say so that the gate would accept it, it is made to refuse: a Host beside another `:authority`
 * stays a second Host, and another scheme makes the target a URL of another origin.
 */
export function asHttp1(raw: readonly string[], endsHere: boolean): Http1Head {
  const pseudo: Record<string, string> = {}
  const list: string[] = []
  const crumbs: string[] = []
  let hasLength = false
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!
    const value = raw[i + 1]!
    if (name.startsWith(':')) {
      pseudo[name] = value
      continue
    }
    // Clients cut cookies up, so that each compresses by itself (section 8.2.3).
    if (name === 'cookie') {
      crumbs.push(value)
      continue
    }
    if (name === 'host' && value.toLowerCase() === pseudo[':authority']?.toLowerCase()) continue
    if (name === 'content-length') hasLength = true
    list.push(name, value)
  }
  const { ':method': method = '', ':path': path = '', ':authority': authority, ':scheme': scheme = '' } = pseudo
  const rawHeaders = authority === undefined ? list : ['host', authority, ...list]
  if (crumbs.length > 0) rawHeaders.push('cookie', crumbs.join('; '))
  // Of a length that is not said, HTTP/1.1 says that the body comes in pieces.
  if (!endsHere && !hasLength) rawHeaders.push('transfer-encoding', 'chunked')
  const headers: Record<string, string> = {}
  for (let i = 0; i < rawHeaders.length; i += 2) headers[rawHeaders[i]!] ??= rawHeaders[i + 1]!
  return { method, url: scheme === 'https' ? path : `${scheme}://${authority ?? ''}${path}`, rawHeaders, headers }
}
