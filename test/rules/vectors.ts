/** Cases of test/vectors, and how their requests become what the matcher is asked. */
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'

export interface Vector {
  readonly id: string
  readonly group: string
  readonly given: Readonly<Record<string, unknown>>
  readonly when: Readonly<Record<string, unknown>>
  readonly expect: Readonly<Record<string, unknown>>
}

const file = new URL('../vectors/oathkeeper.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly Vector[] }

export function vectors(group: string): readonly Vector[] {
  const found = cases.filter((vector) => vector.group === group)
  if (found.length === 0) throw new Error(`no vectors in group ${group}`)
  return found
}

/** The canonical form of a URL, as the front of the gateway makes it: decoded, resolved, without trailing slash and query. */
export function canonicalUrl(url: string): string {
  const [, origin = '', target = ''] = /^([a-z]+:\/\/[^/?#]+)([^?#]*)/.exec(url) ?? []
  const path = posix.normalize(decodeURIComponent(target) || '/')
  return origin + (path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path)
}
