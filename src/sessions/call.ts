/** One HTTP call to the session store, read to its end within the limits. */
import type { Dispatcher } from 'undici'
import type { HeaderLine, SessionQuestion } from '../pipeline/contract.ts'

export interface StoreResponse {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export interface CallLimits {
  readonly signal: AbortSignal
  /** Bytes. */
  readonly maxBody: number
}

const MAX_REDIRECTS = 5

/**
 * Redirects are followed on the same origin only: credentials never go to another one.
 * Rejects when there is no whole answer: refused, timed out, broken off, too large.
 */
export async function call(
  dispatcher: Dispatcher,
  question: SessionQuestion,
  limits: CallLimits,
): Promise<StoreResponse> {
  let url = new URL(question.url)
  let { method } = question
  for (let hops = 0; ; hops++) {
    const response = await dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: flatten(question.headers),
      signal: limits.signal,
      reset: false,
    })
    const location = redirectTarget(response.statusCode, response.headers['location'], url)
    if (location === undefined || hops === MAX_REDIRECTS) {
      return {
        status: response.statusCode,
        headers: response.headers,
        body: await readBody(response.body, limits.maxBody),
      }
    }
    await response.body.dump()
    url = location
    // RFC 9110 section 15.4: 303 is fetched with GET, and so are 301 and 302 after a POST; the body is never sent anyway.
    if (response.statusCode === 303 || (response.statusCode < 303 && method === 'POST')) method = 'GET'
  }
}

function flatten(headers: readonly HeaderLine[]): string[] {
  return headers.flatMap(([name, value]) => [name, value])
}

function redirectTarget(status: number, location: string | string[] | undefined, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || typeof location !== 'string') return undefined
  const target = URL.parse(location, from.href)
  return target?.origin === from.origin ? target : undefined
}

async function readBody(body: AsyncIterable<Buffer>, maxBody: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > maxBody) throw new Error(`the answer has more than ${maxBody} bytes`)
    chunks.push(chunk)
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
}
