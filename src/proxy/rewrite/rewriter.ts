/** What a rule has rewritten of the answer to one request. */
import { fieldRecord } from '../../outbound/http1/response_head.ts'
import type { Inbound } from '../../pipeline/contract/inbound.ts'
import type { ResponseRewrite, UpstreamTarget } from '../../pipeline/contract/upstream.ts'
import { withoutNamed } from '../headers.ts'
import { BodyRewriter, isRewritable } from './body.ts'
import { rewriteCookie } from './cookies.ts'
import { rewriteLocation, type RewritePlace } from './urls.ts'

/** What describes the bytes of a body, and would be wrong of the rewritten ones. */
const OF_THE_BYTES: ReadonlySet<string> = new Set(['content-length', 'content-md5', 'digest', 'content-digest'])
const ENCODINGS: ReadonlySet<string> = new Set(['accept-encoding'])

export class ResponseRewriter {
  readonly #rewrite: ResponseRewrite
  readonly #scheme: string
  readonly #place: RewritePlace

  constructor(rewrite: ResponseRewrite, { scheme, host }: Inbound, { origin }: UpstreamTarget) {
    this.#rewrite = rewrite
    this.#scheme = scheme
    this.#place = { upstream: origin, own: `${scheme}://${host.toLowerCase()}` }
  }

  /** The headers for the upstream: what cannot be read cannot be rewritten, so it is asked not to compress. */
  request(headers: string[]): string[] {
    if (!this.#rewrite.bodies) return headers
    return [...withoutNamed(headers, ENCODINGS), 'accept-encoding', 'identity']
  }

  /** The value of a header for the client; its name is in lower case. */
  readonly header = (lower: string, value: string): string => {
    const { cookies } = this.#rewrite
    if (lower === 'location') return rewriteLocation(value, this.#rewrite, this.#place)
    return lower === 'set-cookie' && cookies !== undefined ? rewriteCookie(value, cookies, this.#scheme) : value
  }

  /** Rewrites the body of an answer with these fields (name, value…); absent for one that passes as it is. */
  body(fields: readonly string[], status: number): BodyRewriter | undefined {
    if (!this.#rewrite.bodies || !isRewritable(fieldRecord(fields), status)) return undefined
    const { own } = this.#place
    return new BodyRewriter(
      this.#rewrite.urls.flatMap(({ from, to }) =>
        from.origin === undefined ? [] : [{ from: from.origin + from.path, to: (to.origin ?? own) + to.path }],
      ),
    )
  }
}

/** The header list of an answer whose body is rewritten. */
export const rewrittenHead = (list: readonly string[]): string[] => withoutNamed(list, OF_THE_BYTES)
