import type { HeaderLine } from '../../pipeline/contract/headers.ts'
import type { HttpClient, HttpResponse } from '../../pipeline/contract/http_client.ts'

/** Milliseconds; key sources repeat attempts themselves. */
const ATTEMPT_TIMEOUT = 5000
const MAX_REDIRECTS = 5
/** Of a set; as many as key sources take. */
const MAX_BYTES = 1024 * 1024

/** `fetch` as far as key sources use it, over the gateway's own client. Redirects are followed: keys are public. */
export function fetchThrough(http: HttpClient): typeof globalThis.fetch {
  return async (input, init) => {
    let url = new URL(input instanceof Request ? input.url : input)
    let headers = Object.entries((init?.headers ?? {}) as Record<string, string>) as readonly HeaderLine[]
    for (let hops = 0; ; hops++) {
      const request = { method: 'GET', url: url.href, headers }
      const response = await http.send(request, { giveUpAfter: ATTEMPT_TIMEOUT, maxBody: MAX_BYTES })
      const target = redirectTarget(response, url)
      // The statuses without a body allow none at all.
      if (target === undefined || hops === MAX_REDIRECTS) {
        return new Response(response.body || null, { status: response.status })
      }
      // What is for one origin is not for another.
      if (target.origin !== url.origin) headers = headers.filter(([name]) => name !== 'authorization')
      url = target
    }
  }
}

/** Never from https to http: the keys would be anybody's. */
function redirectTarget({ status, headers: { location } }: HttpResponse, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || typeof location !== 'string') return undefined
  const target = URL.parse(location, from.href)
  return target?.protocol === 'https:' || target?.protocol === from.protocol ? target : undefined
}
