/**
 * One connection to an origin and the one request that is under way on it (RFC 9112 section 9). What is read goes through
 * one buffer that all connections share, so that an answer costs one copy and no stream's machinery.
 *
 * Longer than most files because the socket, the request on it and what both wait for share one state.
 */
import type { Socket } from 'node:net'
import { BodySender, type BodySenderOwner, type RequestBody } from './body_sender.ts'
import { ExchangeError } from './errors.ts'
import { requestHead, type RequestLines } from './request_head.ts'
import { RestartableTimer } from './restartable_timer.ts'
import type { ResponseHead } from './response_head.ts'
import { ResponseReader, type ResponseSink } from './response_reader.ts'

export interface HttpRequest extends RequestLines {
  /** Bytes that are there already, or come while they are sent. */
  readonly body: Buffer | string | RequestBody | undefined
  /** Milliseconds until the response begins, from when the whole request has been sent; 0 for no limit. */
  readonly headersTimeout: number
  /** Milliseconds for which the response may stand still; 0 for no limit. */
  readonly bodyTimeout: number
  /** Whether it asks for a WebSocket. */
  readonly upgrades: boolean
}

/** Who gets the answer to one request. After `onResponseEnd`, `onResponseError` or `onUpgrade` nothing more is called. */
export interface ResponseHandler {
  /** The request goes out now. */
  onRequestStart(connection: HttpConnection): void
  /** The first byte of the answer is there. */
  onResponseStarted?(): void
  /** An interim response (RFC 9110 section 15.2). */
  onInformation?(head: ResponseHead): void
  onResponseStart(head: ResponseHead): void
  /** The bytes are the handler's own. */
  onResponseData(bytes: Buffer): void
  /** All that has come of the answer has been told, and it is not complete. */
  onResponseWaiting?(): void
  /** Trailers as a flat list: name, value… */
  onResponseEnd(trailers: readonly string[]): void
  /** `reused`: the connection has carried other requests before; its server may just have closed it for idleness. */
  onResponseError(error: Error, reused: boolean): void
  /**
   * Needed where the request upgrades. The socket is the handler's; what has come behind the head is given to whoever listens
   * when this returns.
   */
  onUpgrade?(head: ResponseHead, socket: Socket): void
}

/** Who owns the connection. */
export interface ConnectionOwner {
  /** The request is done, and another one can follow. */
  onFree(connection: HttpConnection): void
  /** No request will follow. */
  onGone(connection: HttpConnection): void
}

export interface ConnectionOptions {
  readonly socket: Socket
  /** For requests that bring no Host. */
  readonly host: string
  /** Milliseconds for which it is kept without a request, unless the server says less. */
  readonly idleTimeout: number
  readonly owner: ConnectionOwner
}

/** Milliseconds by which we hang up before the server does. */
const hintMargin = 1000

export class HttpConnection implements ResponseSink, BodySenderOwner {
  readonly socket: Socket
  /** Set by the owner: no request is to follow the one under way. */
  isLast = false
  readonly #options: ConnectionOptions
  readonly #reader = new ResponseReader(this)
  #request: HttpRequest | undefined
  #handler: ResponseHandler | undefined
  #sender: BodySender | undefined
  #isBegun = false
  #hasHead = false
  /** Whether the answer goes on after the read that has brought its head. */
  #isLong = false
  #isPaused = false
  #isGone = false
  #isPersistent = false
  #keepAlive: number
  #answered = 0
  #waitsFor: 'nothing' | 'body_sent' | 'head' | 'body' | 'request' = 'nothing'
  readonly #timer = new RestartableTimer(() => this.#late())
  readonly #idleTimer = new RestartableTimer(() => {
    if (this.#waitsFor === 'request') this.destroy()
  })
  readonly #onEnd = (): void => this.#ended()
  readonly #onError = (error: Error): void => this.destroy(error)
  readonly #onClose = (): void => this.destroy()
  readonly #onDrain = (): void => this.#sender?.drained()

  constructor(options: ConnectionOptions) {
    this.#options = options
    const { socket } = options
    this.socket = socket
    this.#keepAlive = options.idleTimeout
    socket.on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose).on('drain', this.#onDrain)
  }

  /** Whether a request can be sent. */
  get isFree(): boolean {
    return !this.#isGone && this.#handler === undefined && this.socket.writable && this.socket.readable
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Sends a request; the connection has to be free. A request that cannot be sent is told to its handler. */
  send(request: HttpRequest, handler: ResponseHandler): void {
    const { body, method, upgrades } = request
    const streamed = typeof body === 'object' && !Buffer.isBuffer(body) ? body : undefined
    const framing = streamed?.framing ?? (body === undefined ? 'none' : Buffer.byteLength(body as Buffer | string))
    let head: string
    try {
      const connection = upgrades ? 'websocket' : this.isLast ? 'close' : 'keep-alive'
      head = requestHead(request, { host: this.#options.host, framing, connection })
    } catch (error) {
      handler.onResponseError(error as Error, false)
      this.rest()
      return
    }
    const { socket } = this
    this.#request = request
    this.#handler = handler
    this.#isBegun = false
    this.#hasHead = false
    this.#reader.begin(method, upgrades)
    handler.onRequestStart(this)
    // The handler may have given it up.
    if (this.#handler !== handler) return
    if (streamed !== undefined) {
      socket.write(head, 'latin1')
      this.#wait('body_sent', request.headersTimeout)
      this.#sender = new BodySender(socket, streamed, this)
      this.#sender.start()
      return
    }
    if (body === undefined) socket.write(head, 'latin1')
    else {
      socket.cork()
      socket.write(head, 'latin1')
      socket.write(body as Buffer | string)
      socket.uncork()
    }
    this.#wait('head', request.headersTimeout)
  }

  /** Keeps the connection, which has to be free, for a request to come. */
  rest(): void {
    this.#waitsFor = 'request'
    this.#idleTimer.start(this.#keepAlive)
    this.#options.owner.onFree(this)
  }

  /** Gives up a handler's request, and the connection with it; does nothing when it is another's by now. */
  abort(handler: ResponseHandler, error: Error): void {
    if (this.#handler === handler) this.destroy(error)
  }

  /** Nothing more is read until `resume`; what has been read already comes still. */
  pause(): void {
    if (this.#isPaused) return
    this.#isPaused = true
    this.socket.pause()
    // Whoever does not read cannot say that nothing comes.
    this.#waitsFor = 'nothing'
  }

  /** Reads on for a handler; does nothing when the request is another's by now. */
  resume(handler: ResponseHandler): void {
    if (this.#isPaused && this.#handler === handler) this.#goOn()
  }

  /** Ends the connection; the request under way gets the error. */
  destroy(error: Error = new ExchangeError('RESPONSE_CUT', 'the connection ended before the response did')): void {
    if (this.#isGone) return
    const handler = this.#handler
    this.#leave()
    this.socket.destroy()
    handler?.onResponseError(error, this.#answered > 0)
  }

  /** What the socket has read, only lent. Answers whether to go on reading. */
  received(bytes: Buffer): boolean {
    const handler = this.#handler
    if (handler === undefined) {
      // An answer to nothing that was asked: whatever is asked next, nobody could tell which answer is whose.
      this.destroy()
      return false
    }
    let used: number
    try {
      if (!this.#isBegun) {
        this.#isBegun = true
        handler.onResponseStarted?.()
      }
      this.#isLong = this.#hasHead
      used = this.#reader.read(bytes)
      if (this.#handler === handler && this.#hasHead && !this.#isPaused) {
        this.#waitForMore()
        handler.onResponseWaiting?.()
      }
    } catch (error) {
      this.destroy(error as Error)
      return false
    }
    if (this.#isGone) return false
    if (this.#handler === undefined) this.#release(used === bytes.length)
    return !this.#isPaused
  }

  information(head: ResponseHead): void {
    this.#handler?.onInformation?.(head)
  }

  head(head: ResponseHead): void {
    this.#hasHead = true
    this.#waitsFor = 'nothing'
    this.#isPersistent = head.isPersistent
    const { idleTimeout } = this.#options
    this.#keepAlive = head.keepAlive === undefined ? idleTimeout : Math.min(idleTimeout, head.keepAlive - hintMargin)
    this.#handler?.onResponseStart(head)
  }

  data(bytes: Buffer): void {
    this.#handler?.onResponseData(this.#isLong ? copyOf(bytes) : Buffer.from(bytes))
  }

  end(trailers: readonly string[]): void {
    const handler = this.#handler
    if (handler === undefined) return
    this.#handler = undefined
    this.#request = undefined
    this.#answered++
    try {
      handler.onResponseEnd(trailers)
    } catch (error) {
      handler.onResponseError(error as Error, false)
    }
  }

  upgraded(head: ResponseHead, rest: Buffer): void {
    const handler = this.#handler
    const { socket } = this
    if (handler === undefined) return
    socket.removeAllListeners('data')
    socket.off('end', this.#onEnd).off('error', this.#onError).off('close', this.#onClose).off('drain', this.#onDrain)
    this.#leave()
    try {
      if (handler.onUpgrade === undefined)
        throw new ExchangeError('RESPONSE_MALFORMED', 'nobody takes the other protocol')
      handler.onUpgrade(head, socket)
    } catch (error) {
      socket.destroy()
      handler.onResponseError(error as Error, false)
    }
    if (rest.length > 0 && !socket.destroyed) socket.unshift(rest)
  }

  onBodyMoved(): void {
    if (this.#waitsFor === 'body_sent') this.#timer.restart()
  }

  onBodySent(): void {
    this.#sender = undefined
    if (!this.#hasHead) this.#wait('head', this.#request?.headersTimeout ?? 0)
  }

  onBodyFailed(error: Error): void {
    this.destroy(error)
  }

  #ended(): void {
    // An answer that only the connection's end delimits has come whole; `end` has told its handler.
    if (this.#handler !== undefined) this.#reader.finish()
    this.destroy()
  }

  /** The answer has come whole; `isClean` when nothing followed it. */
  #release(isClean: boolean): void {
    const { socket } = this
    const isSent = this.#sender === undefined && socket.writableLength === 0
    if (!isClean || !isSent || !this.#isPersistent || this.isLast || this.#keepAlive <= 0 || !this.isFree) {
      this.destroy()
      return
    }
    if (this.#isPaused) this.#goOn()
    this.rest()
  }

  /** Nothing of this connection is wanted any more. */
  #leave(): void {
    this.#isGone = true
    this.#handler = undefined
    this.#request = undefined
    this.#timer.stop()
    this.#idleTimer.stop()
    this.#sender?.stop()
    this.#sender = undefined
    this.#options.owner.onGone(this)
  }

  #goOn(): void {
    this.#isPaused = false
    this.#waitForMore()
    this.socket.resume()
  }

  #waitForMore(): void {
    if (this.#handler === undefined) return
    if (this.#hasHead) this.#wait('body', this.#request!.bodyTimeout)
    else this.#wait(this.#sender === undefined ? 'head' : 'body_sent', this.#request!.headersTimeout)
  }

  #wait(what: 'body_sent' | 'head' | 'body', ms: number): void {
    this.#waitsFor = ms === 0 ? 'nothing' : what
    if (ms !== 0) this.#timer.start(ms)
  }

  #late(): void {
    const what = this.#waitsFor
    if (what === 'body') this.destroy(new ExchangeError('RESPONSE_BODY_TIMEOUT', 'the response stood still'))
    else if (what === 'head' || (what === 'body_sent' && this.#sender?.isBlocked === true))
      this.destroy(new ExchangeError('RESPONSE_HEAD_TIMEOUT', 'the response did not begin in time'))
    // It is the client that sends nothing, and somebody else's to say for how long.
    else if (what === 'body_sent') this.#timer.restart()
  }
}

/** In memory of its own: a few bytes that wait would keep all of what node's pool has made them a part of. */
function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}
