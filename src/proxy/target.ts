/** Which path of an upstream a request goes to. */
import type { Inbound } from '../pipeline/contract/inbound.ts'
import type { Safeguards } from '../pipeline/contract/safeguards.ts'
import type { UpstreamTarget } from '../pipeline/contract/upstream.ts'
import { encodePath } from './path.ts'

/**
 * Path and query for the upstream: the upstream's own path in front, `strip_path` taken out, the client's trailing
 * slash kept. The query is the client's; one in the upstream's URL does not count.
 *
 * With `resolve`, `strip_path` is taken out as Oathkeeper does it: where it first occurs in the joined path. With
 * `refuse`, or for `strip_prefix`, only a request path that begins with it is changed. In both, `/api` is no part of `/apiary`.
 */
export function upstreamPath(inbound: Inbound, upstream: UpstreamTarget, mode: Safeguards['path']): string {
  const { basePath, stripPath, stripsPrefixOnly = mode === 'refuse' } = upstream
  const path =
    stripPath === '' ? join(basePath, inbound.target) : stripped(inbound, basePath, stripPath, stripsPrefixOnly)
  return inbound.query === '' ? path : `${path}?${inbound.query}`
}

/** The root of a request adds nothing to a base path: `/foo` and `/` make `/foo`. */
const join = (basePath: string, target: string): string =>
  target === '/' && basePath !== '' ? basePath : basePath + target

function stripped(inbound: Inbound, basePath: string, stripPath: string, prefixOnly: boolean): string {
  // Both sides in one encoding, so that an escaped letter cannot hide the prefix.
  const path = encodePath(inbound.path)
  const unwanted = encodePath(stripPath)
  const cut = prefixOnly
    ? join(basePath, startsWithSegments(path, unwanted, 0) ? path.slice(unwanted.length) : path)
    : withoutFirst(join(basePath, path), unwanted)
  const slash = inbound.target.length > 1 && inbound.target.endsWith('/') && !cut.endsWith('/') ? '/' : ''
  return cut + slash || '/'
}

function withoutFirst(path: string, unwanted: string): string {
  for (let at = path.indexOf(unwanted); at !== -1; at = path.indexOf(unwanted, at + 1)) {
    if (startsWithSegments(path, unwanted, at)) return path.slice(0, at) + path.slice(at + unwanted.length)
  }
  return path
}

/** Whether `segments` (`/a/b`) stands at `at` and ends where a segment ends. */
function startsWithSegments(path: string, segments: string, at: number): boolean {
  const end = at + segments.length
  return path.startsWith(segments, at) && (end === path.length || path.charCodeAt(end) === 0x2f)
}
