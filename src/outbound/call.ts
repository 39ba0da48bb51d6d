/** One HTTP exchange with a service beside the upstreams, read to its end within the limits. */
import type { HttpRequest, HttpResponse } from '../pipeline/contract/http_client.ts'
import { traceCall } from '../telemetry/call_span.ts'
import type { HttpConnection, HttpRequest as OutboundRequest, ResponseHandler } from './http1/connection.ts'
import { fieldRecord, type ResponseHead } from './http1/response_head.ts'
import { isReset } from './http1/errors.ts'
import type { OriginPool } from './origin_pool.ts'
import type { OriginPools } from './origin_pools.ts'

export interface ExchangeLimits {
  /** Milliseconds for everything, waiting for a connection included. */
  readonly timeout: number
  /** Bytes; 0 throws the body away unread. */
  readonly maxBody: number
}

const MAX_REDIRECTS = 5
/** Bytes of a body that nobody reads, after which it costs less to give up the connection. */
const MAX_UNREAD = 131_072

export class TooLargeError extends Error {
  override readonly name = 'TooLargeError'
}

/** The whole time of a call has gone by. */
export class CallTimeoutError extends Error {
  override readonly name = 'TimeoutError'
}

/**
 * Redirects are followed on the same origin only: neither credentials nor a body ever go to another one.
 * Rejects when there is no whole answer: refused, timed out (CallTimeoutError), broken off, not UTF-8 (TypeError), too large
 * (TooLargeError).
 */
export function exchange(pools: OriginPools, request: HttpRequest, limits: ExchangeLimits): Promise<HttpResponse> {
  return traceCall(
    request,
    (traced) => new Promise((resolve, reject) => new Call(pools, traced, limits, { resolve, reject }).start()),
  )
}

interface Outcome {
  readonly resolve: (response: HttpResponse) => void
  readonly reject: (error: unknown) => void
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

class Call implements ResponseHandler {
  readonly #limits: ExchangeLimits
  readonly #outcome: Outcome
  readonly #pool: OriginPool
  #url: URL
  #request: OutboundRequest
  #timer: NodeJS.Timeout | undefined
  #connection: HttpConnection | undefined
  #over = false
  #hops = 0
  #repeated = false
  #status = 0
  #headers: HttpResponse['headers'] = {}
  #redirect: URL | undefined
  #chunks: Buffer[] = []
  #size = 0

  constructor(
    pools: OriginPools,
    { url, method, headers, body }: HttpRequest,
    limits: ExchangeLimits,
    outcome: Outcome,
  ) {
    this.#limits = limits
    this.#outcome = outcome
    const place = parsed(url)
    this.#url = place.url
    this.#pool = pools.open(place.origin)
    const list: string[] = []
    for (const [name, value] of headers) list.push(name, value)
    this.#request = {
      path: this.#url.pathname + this.#url.search,
      method,
      headers: list,
      body: body === undefined || typeof body === 'string' ? body : Buffer.from(body),
      upgrades: false,
      // The whole has a limit; the parts need none.
      headersTimeout: 0,
      bodyTimeout: 0,
    }
  }

  start(): void {
    const timeout = Math.max(1, this.#limits.timeout)
    this.#timer = setTimeout(() => this.#abort(new CallTimeoutError('no whole answer in time')), timeout)
    this.#pool.dispatch(this.#request, this)
  }

  onRequestStart(connection: HttpConnection): void {
    this.#connection = connection
  }

  onResponseStart({ status, fields }: ResponseHead): void {
    this.#status = status
    this.#headers = fieldRecord(fields)
    const { location } = this.#headers
    this.#redirect = this.#hops < MAX_REDIRECTS ? redirectTarget(status, location, this.#url) : undefined
  }

  onResponseData(chunk: Buffer): void {
    this.#size += chunk.length
    const { maxBody } = this.#limits
    if (this.#redirect === undefined && maxBody > 0) {
      if (this.#size > maxBody) this.#abort(new TooLargeError())
      else this.#chunks.push(chunk)
    } else if (this.#size > MAX_UNREAD) {
      if (this.#redirect === undefined) this.#finish()
      else this.#fail(new TooLargeError())
      this.#connection?.abort(this, new TooLargeError())
    }
  }

  onResponseEnd(): void {
    if (this.#over) return
    if (this.#redirect === undefined) this.#finish()
    else this.#follow(this.#redirect)
  }

  onResponseError(error: Error, reused: boolean): void {
    if (this.#over) return
    if (!reused || !this.#mayRepeat(error)) {
      this.#fail(error)
      return
    }
    this.#repeated = true
    this.#again(true)
  }

  /**
   * A service may close a connection that it has kept open just when the next request is sent on it; RFC 9110 section 9.2.2
   * lets a GET or HEAD that ends so be sent once more.
   */
  #mayRepeat(error: Error): boolean {
    const { method } = this.#request
    return !this.#repeated && this.#status === 0 && (method === 'GET' || method === 'HEAD') && isReset(error)
  }

  #follow(url: URL): void {
    const { method, headers } = this.#request
    // RFC 9110 section 15.4: 303 is fetched with GET; and so are 301 and 302, by Go's client after any method.
    const fetched = this.#status <= 303 && method !== 'HEAD'
    this.#url = url
    this.#hops++
    this.#request = {
      ...this.#request,
      path: url.pathname + url.search,
      ...(fetched && { method: 'GET', body: undefined, headers: without(headers, 'content-type') }),
    }
    this.#again(false)
  }

  #again(fresh: boolean): void {
    this.#connection = undefined
    this.#status = 0
    this.#size = 0
    this.#pool.dispatch(this.#request, this, fresh)
  }

  #finish(): void {
    if (this.#over) return
    const [first] = this.#chunks
    let body: string
    try {
      body = first === undefined ? '' : utf8.decode(this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks))
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#end()
    this.#outcome.resolve({ status: this.#status, headers: this.#headers, body })
  }

  #abort(error: Error): void {
    this.#fail(error)
    if (this.#connection === undefined) this.#pool.withdraw(this)
    else this.#connection.abort(this, error)
  }

  #fail(error: unknown): void {
    if (this.#over) return
    this.#end()
    this.#outcome.reject(error)
  }

  #end(): void {
    this.#over = true
    clearTimeout(this.#timer)
  }
}

let last: { readonly text: string; readonly url: URL; readonly origin: string } | undefined

/** Taking a URL apart costs more than most steps of a request, and whoever asks often asks at one place. */
function parsed(text: string): { readonly url: URL; readonly origin: string } {
  if (last?.text !== text) {
    const url = new URL(text)
    last = { text, url, origin: url.origin }
  }
  return last
}

/** Scheme, host and port of a URL. Throws TypeError for what is none. */
export const originOf = (url: string): string => parsed(url).origin

function without(headers: readonly string[], unwanted: string): string[] {
  const kept: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== unwanted) kept.push(headers[i]!, headers[i + 1]!)
  }
  return kept
}

function redirectTarget(status: number, location: string | string[] | undefined, from: URL): URL | undefined {
  if (status < 301 || ![301, 302, 303, 307, 308].includes(status) || typeof location !== 'string') return undefined
  const target = URL.parse(location, from.href)
  return target?.origin === from.origin ? target : undefined
}
