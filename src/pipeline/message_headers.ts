/** Headers that belong to one connection or frame one message. Whoever sends the message writes them: no step can. */

/** RFC 9110 section 7.6.1, and what each end of a connection settles for itself. */
export const hopByHopHeaders: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  // Answered here (100-continue); an upstream would answer it a second time.
  'expect',
  // Not a header of HTTP at all: CGI programs take it for the variable HTTP_PROXY.
  'proxy',
])

/** Which message this is, and how long it is. */
export const framingHeaders: ReadonlySet<string> = new Set(['host', 'content-length'])
