/** One HTTP exchange with a service beside the upstreams, read to its end within the limits. */
import type { Dispatcher } from 'undici'
import type { HttpRequest, HttpResponse } from '../pipeline/contract.ts'
import { traceCall } from '../telemetry/call_span.ts'

export interface ExchangeLimits {
  readonly signal: AbortSignal
  /** Bytes; 0 throws the body away unread. */
  readonly maxBody: number
}

const MAX_REDIRECTS = 5

export class TooLargeError extends Error {
  override readonly name = 'TooLargeError'
}

/**
 * Redirects are followed on the same origin only: neither credentials nor a body ever go to another one.
 * Rejects when there is no whole answer: refused, timed out, broken off, not UTF-8, too large (TooLargeError).
 */
export function exchange(dispatcher: Dispatcher, request: HttpRequest, limits: ExchangeLimits): Promise<HttpResponse> {
  return traceCall(request, (traced) => followRedirects(dispatcher, traced, limits))
}

async function followRedirects(
  dispatcher: Dispatcher,
  request: HttpRequest,
  limits: ExchangeLimits,
): Promise<HttpResponse> {
  let url = new URL(request.url)
  let { method, body, headers } = request
  for (let hops = 0; ; hops++) {
    const response = await begin(dispatcher, {
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: headers.flat(),
      body: body ?? null,
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
    // RFC 9110 section 15.4: 303 is fetched with GET; and so are 301 and 302, by Go's client after any method.
    if (response.statusCode <= 303 && method !== 'HEAD') {
      method = 'GET'
      body = undefined
      headers = headers.filter(([name]) => name !== 'content-type')
    }
  }
}

/**
 * Resolves when the answer has begun. A service may close a connection that it has kept open just when the next request is
 * sent on it; RFC 9110 section 9.2.2 lets a GET or HEAD that ends so be sent once more.
 */
async function begin(
  dispatcher: Dispatcher,
  options: Dispatcher.RequestOptions & { readonly method: string },
): Promise<Dispatcher.ResponseData> {
  try {
    return await dispatcher.request(options)
  } catch (error) {
    const repeatable = options.method === 'GET' || options.method === 'HEAD'
    if (!repeatable || !isBrokenOff(error)) throw error
    return dispatcher.request(options)
  }
}

/** A service that closes every connection on which nothing was answered yet would only do it again. */
function isBrokenOff(error: unknown): boolean {
  const { code, socket } = error as { readonly code?: unknown; readonly socket?: { readonly bytesRead?: number } }
  if (code === 'UND_ERR_SOCKET') return (socket?.bytesRead ?? 0) > 0
  return code === 'ECONNRESET' || code === 'EPIPE'
}

function redirectTarget(status: number, location: string | string[] | undefined, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || typeof location !== 'string') return undefined
  const target = URL.parse(location, from.href)
  return target?.origin === from.origin ? target : undefined
}

async function readBody(body: Dispatcher.ResponseData['body'], maxBody: number): Promise<string> {
  if (maxBody === 0) {
    await body.dump()
    return ''
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBody) throw new TooLargeError()
    chunks.push(chunk)
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
}
