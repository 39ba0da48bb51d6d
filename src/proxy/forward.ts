/**
 * Carries one allowed request to its upstream and the answer back, both streamed, with backpressure both ways.
 * Longer than most files because what the upstream says, the client's leaving and the retry share one state.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { GatewayError } from '../errors.ts'
import type { HttpConnection, ResponseHandler } from '../outbound/http1/connection.ts'
import { isReset } from '../outbound/http1/errors.ts'
import { field, fieldRecord, type ResponseHead } from '../outbound/http1/response_head.ts'
import type { OriginPool } from '../outbound/origin_pool.ts'
import { trailerLines, trailerNames } from './headers.ts'
import { announcedBytes, bodyKind, collectBody, StreamedBody, tooLarge } from './request_body.ts'
import type { BodyRewriter } from './rewrite/body.ts'
import { rewrittenHead, type ResponseRewriter } from './rewrite/rewriter.ts'
import type { ProxyTimeouts } from './settings.ts'
import { clientClosed, toGatewayError } from './upstream_errors.ts'

export interface ForwardOptions {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The client's TCP connection. */
  readonly carrier: Socket
  readonly method: string
  /** Path and query, starting with `/`. */
  readonly path: string
  /** Flat list, with `host` only when the client's is kept. */
  readonly headers: string[]
  /** Names that a request's trailers may not have, in lower case. */
  readonly ownedHeaders: ReadonlySet<string>
  readonly upstream: OriginPool
  readonly timeouts: Pick<ProxyTimeouts, 'read' | 'write'>
  /** Milliseconds until the upstream's answer begins; 0 for no limit. */
  readonly responseTimeout: number
  /** Milliseconds for which the upstream's answer may stand still; 0 for no limit. */
  readonly idleTimeout: number
  /** Bytes that the request's body may have. */
  readonly maxBody: number
  /** The request's body when it has been read already. */
  readonly body?: Buffer | undefined
  /** The client waits for 100 (Continue) before it sends the body. */
  readonly expectsContinue: boolean
  /** Whether the request asks for a WebSocket. */
  readonly upgrades: boolean
  readonly owner: ForwardOwner
  /** Present when the rule has something rewritten. */
  readonly rewriter: ResponseRewriter | undefined
}

/** Who has a request forwarded. An object instead of functions, so that a request needs none of its own. */
export interface ForwardOwner {
  /** The client's header list for an upstream's head. */
  head(status: number, fields: readonly string[]): string[]
  /** Called once. With an error and `headSent` false nothing has been answered yet. */
  ended(result: ForwardResult): void
  /** Called instead of `ended` when the upstream agrees to become a WebSocket. */
  upgraded(fields: readonly string[], socket: Socket): void
}

export interface ForwardResult {
  readonly headSent: boolean
  /** What the upstream answered; 0 when it did not. */
  readonly status: number
  readonly error: GatewayError | undefined
}

/** Sends the request; what comes back can give it up because the client is gone. */
export function forward(options: ForwardOptions): { abandon(): void } {
  const forwarding = new Forwarding(options)
  forwarding.start()
  return forwarding
}

// RFC 9110 section 9.2.2; PUT and DELETE are idempotent too, but not worth doing twice unasked.
const repeatable = new Set(['GET', 'HEAD', 'OPTIONS'])

class Forwarding implements ResponseHandler {
  readonly #options: ForwardOptions
  #connection: HttpConnection | undefined
  #stopCollecting: (() => void) | undefined
  #settled = false
  #abandoned = false
  #reached = false
  #retried = false
  #answerBegun = false
  #headSent = false
  #bodySent = false
  #status = 0
  #announced = false
  #bodyKind: ReturnType<typeof bodyKind> = 'none'
  /** Bytes of the body still to come; -1 when only its end will tell. */
  #left = -1
  /** The chunk that completes the body, kept so that it goes out in one write with the end. */
  #last: Buffer | undefined
  /** Present when the body is text that the rule has rewritten. */
  #rewriting: BodyRewriter | undefined

  constructor(options: ForwardOptions) {
    this.#options = options
  }

  start(): void {
    const { request, response, headers, timeouts, upstream, expectsContinue, maxBody } = this.#options
    upstream.enter()
    this.#bodyKind = this.#options.upgrades ? 'none' : bodyKind(request)
    if (this.#bodyKind === 'none') {
      this.#dispatch(undefined)
      return
    }
    // A body that says its length is refused before a byte of it has been asked for.
    if (announcedBytes(request) > maxBody || (this.#options.body?.length ?? 0) > maxBody) {
      request.resume()
      this.#settle(tooLarge(maxBody))
      return
    }
    if (this.#options.body !== undefined) {
      this.#dispatch(this.#options.body)
      return
    }
    if (expectsContinue) response.writeContinue()
    if (this.#bodyKind === 'stream') {
      const { carrier, ownedHeaders } = this.#options
      const announced = request.headers.trailer
      const trailer = announced === undefined ? undefined : trailerNames(announced, ownedHeaders)
      if (trailer !== undefined) headers.push('trailer', trailer)
      this.#dispatch(new StreamedBody(request, carrier, { idle: timeouts.read, size: maxBody, ownedHeaders }))
      return
    }
    this.#stopCollecting = collectBody(request, timeouts.read, (body) => {
      this.#stopCollecting = undefined
      if (body instanceof GatewayError) this.#settle(body)
      else this.#dispatch(body)
    })
  }

  abandon(): void {
    this.#abandoned = true
    if (this.#stopCollecting !== undefined) {
      this.#stopCollecting()
      this.#settle(clientClosed())
    } else if (this.#connection !== undefined) this.#connection.abort(this, clientClosed())
    else if (this.#options.upstream.withdraw(this)) this.#settle(clientClosed())
  }

  onRequestStart(connection: HttpConnection): void {
    this.#connection = connection
    this.#reached = true
    if (this.#abandoned) connection.abort(this, clientClosed())
  }

  onResponseStarted(): void {
    this.#answerBegun = true
  }

  onUpgrade({ fields }: ResponseHead, socket: Socket): void {
    if (this.#abandoned) {
      socket.destroy()
      this.#settle(clientClosed())
      return
    }
    this.#settled = true
    this.#options.upstream.leave()
    this.#options.owner.upgraded(fields, socket)
  }

  onInformation(head: ResponseHead): void {
    // The other interim answers are between us and the upstream.
    if (head.status === 103) relayHints(this.#options.response, this.#options.request, head.fields)
  }

  onResponseStart(head: ResponseHead): void {
    const { response, request, rewriter, owner } = this.#options
    const { status, fields } = head
    this.#status = status
    const isBodyless = request.method === 'HEAD' || status === 204 || status === 304
    this.#announced = head.isChunked && !isBodyless && request.httpVersion === '1.1' && hasTrailers(fields)
    this.#left = isBodyless ? -1 : head.length
    this.#rewriting = rewriter?.body(fields, status)
    const list = owner.head(status, fields)
    response.writeHead(status, this.#rewriting === undefined ? list : rewrittenHead(list))
    this.#headSent = true
  }

  onResponseData(data: Buffer): void {
    const { response, timeouts } = this.#options
    const chunk = this.#rewriting === undefined ? data : this.#rewriting.write(data)
    if (this.#left >= 0) {
      this.#left -= data.length
      if (this.#left === 0) {
        this.#last = chunk
        return
      }
    }
    if (chunk.length === 0) return
    this.#bodySent = true
    const connection = this.#connection!
    if (response.write(chunk) || connection.isPaused) return
    connection.pause()
    // The socket's own timer sees how much the kernel takes, so that slow is not mistaken for stuck.
    response.socket?.setTimeout(timeouts.write)
    response.once('drain', () => {
      response.socket?.setTimeout(0)
      connection.resume(this)
    })
  }

  onResponseWaiting(): void {
    // The head of a stream must not wait for the first byte of its body; an ordinary answer is one write.
    if (!this.#bodySent) this.#options.response.flushHeaders()
  }

  onResponseEnd(trailers: readonly string[]): void {
    const { response, timeouts } = this.#options
    if (this.#announced) response.addTrailers(trailerLines(trailers))
    const last = this.#rewriting === undefined ? this.#last : this.#rewriting.end(this.#last)
    if (last === undefined) response.end()
    else response.end(last)
    if (response.writableLength > 0) response.socket?.setTimeout(timeouts.write)
    this.#settle()
  }

  onResponseError(error: Error, reused: boolean): void {
    if (reused && this.#mayRetry(error)) {
      this.#retried = true
      this.#connection = undefined
      this.#dispatch(undefined, true)
      return
    }
    this.#settle(this.#abandoned ? clientClosed() : toGatewayError(error, this.#reached))
  }

  #dispatch(body: Buffer | StreamedBody | undefined, fresh = false): void {
    const { upstream, method, path, headers, upgrades, responseTimeout, idleTimeout } = this.#options
    this.#reached = false
    upstream.dispatch(
      { path, method, headers, body, upgrades, headersTimeout: responseTimeout, bodyTimeout: idleTimeout },
      this,
      fresh,
    )
  }

  #mayRetry(error: Error): boolean {
    return (
      !this.#retried &&
      !this.#abandoned &&
      !this.#answerBegun &&
      this.#bodyKind === 'none' &&
      repeatable.has(this.#options.method) &&
      isReset(error)
    )
  }

  #settle(error?: GatewayError): void {
    if (this.#settled) return
    this.#settled = true
    this.#options.upstream.leave()
    this.#options.owner.ended({ headSent: this.#headSent, status: this.#status, error })
  }
}

const hasTrailers = (fields: readonly string[]): boolean => field(fields, 'trailer') !== undefined

/** Hints may be dropped (RFC 8297 section 2). */
function relayHints(response: ServerResponse, request: IncomingMessage, fields: readonly string[]): void {
  const { link } = fieldRecord(fields)
  if (link === undefined || request.httpVersion !== '1.1') return
  try {
    response.writeEarlyHints({ link })
  } catch {
    // Node refuses links that it cannot read.
  }
}
