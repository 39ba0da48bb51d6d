/** Rewrites the URLs of an upstream's `Location` headers (RFC 9110 section 10.2.2). */
import type { ResponseRewrite, UrlRewrite } from '../../pipeline/contract/upstream.ts'

/** Where an answer comes from and how its client asked. */
export interface RewritePlace {
  /** `http://host:port` of the upstream. */
  readonly upstream: string
  /** `scheme://host` under which the client asked. */
  readonly own: string
}

/** The Location for the client; as it was when no entry fits, or it is none. */
export function rewriteLocation(location: string, { urls }: ResponseRewrite, place: RewritePlace): string {
  // Without a scheme it means the upstream itself, however it was reached.
  const url = URL.parse(location, place.upstream)
  if (url === null) return location
  const rewrite = urls.find((entry) => fits(url, entry, place))
  if (rewrite === undefined) return location
  const { from, to } = rewrite
  const rest = url.pathname.slice(from.path.length) + url.search + url.hash
  // With an origin always: a path that begins with two slashes would name another host.
  return (to.origin ?? place.own) + to.path + rest
}

function fits({ origin, pathname }: URL, { from }: UrlRewrite, { own }: RewritePlace): boolean {
  if (origin !== (from.origin ?? own)) return false
  const { path } = from
  return pathname.startsWith(path) && (pathname.length === path.length || pathname[path.length] === '/')
}
