import type { RequestHeaders } from '../../src/pipeline/contract/headers.ts'
import type { Inbound } from '../../src/pipeline/contract/inbound.ts'

type HeaderInput = Readonly<Record<string, string | readonly string[]>>

export function requestHeaders(input: HeaderInput): RequestHeaders {
  const raw = Object.entries(input).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).flatMap((line) => [name, line]),
  )
  const all = (name: string): string[] =>
    raw.filter((_, index) => index % 2 === 1 && raw[index - 1]?.toLowerCase() === name)
  return { get: (name) => all(name)[0], all, raw }
}

/** A canonical inbound from a URL that is canonical already. */
export function inboundOf(
  url: string,
  options: { readonly method?: string; readonly headers?: HeaderInput; readonly remoteAddress?: string } = {},
): Inbound {
  const { protocol, host, pathname, search } = new URL(url)
  return {
    method: options.method ?? 'GET',
    scheme: protocol.slice(0, -1),
    host,
    path: decodeURIComponent(pathname),
    target: pathname,
    query: search.slice(1),
    headers: requestHeaders(options.headers ?? {}),
    remoteAddress: options.remoteAddress ?? '127.0.0.1',
  }
}
