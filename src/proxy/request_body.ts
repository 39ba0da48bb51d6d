/** Takes a request's body from the client, small ones whole and large ones as they come. */
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { GatewayError } from '../errors.ts'

/** Bytes up to which a body of known length is taken whole: one write to the upstream instead of a stream. */
const wholeBelow = 65_536

export type BodyKind = 'none' | 'whole' | 'stream'

/** How the body of a request (with checked framing) is taken. */
export function bodyKind(request: IncomingMessage): BodyKind {
  const length = request.headers['content-length']
  if (length === undefined) return request.headers['transfer-encoding'] === undefined ? 'none' : 'stream'
  const bytes = Number(length)
  if (bytes === 0) return 'none'
  return bytes <= wholeBelow ? 'whole' : 'stream'
}

/** Bytes of the body that the client has announced; 0 for none, and for chunks. */
export const announcedBytes = (request: IncomingMessage): number => Number(request.headers['content-length'] ?? 0)

/** The error for a client that stopped in the middle of a body. */
const stalled = (): GatewayError => new GatewayError('request_timeout', { reason: 'the request body stopped coming' })

export const tooLarge = (limit: number): GatewayError =>
  new GatewayError('body_too_large', { reason: `the request body has more than ${limit} bytes` })

/**
 * Reads the whole body. `done` is called once with it, with `request_timeout` when nothing came for `idle`
 * milliseconds, or with `body_too_large` when it has more than `limit` bytes; never after the returned function was
 * called.
 */
export function collectBody(
  request: IncomingMessage,
  idle: number,
  done: (body: Buffer | GatewayError) => void,
  limit = Number.POSITIVE_INFINITY,
): () => void {
  const chunks: Buffer[] = []
  let size = 0
  const timer = setTimeout(() => {
    stop()
    done(stalled())
  }, idle)
  const onData = (chunk: Buffer): void => {
    size += chunk.length
    if (size > limit) {
      stop()
      // What still comes is thrown away, so that the client can finish sending and read its answer.
      request.resume()
      done(tooLarge(limit))
      return
    }
    chunks.push(chunk)
    timer.refresh()
  }
  const onEnd = (): void => {
    stop()
    done(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
  }
  const stop = (): void => {
    clearTimeout(timer)
    request.off('data', onData).off('end', onEnd)
  }
  request.on('data', onData).on('end', onEnd)
  return stop
}

/** A body that the pipeline reads before the upstream gets it; held until the exchange is over. */
export class HeldBody {
  readonly #request: IncomingMessage
  readonly #idle: number
  /** Called before the first byte is read. */
  readonly #proceed: () => void
  #reading: Promise<Buffer> | undefined
  #giveUp: (() => void) | undefined
  #bytes: Buffer | undefined

  constructor(request: IncomingMessage, idle: number, proceed: () => void) {
    this.#request = request
    this.#idle = idle
    this.#proceed = proceed
  }

  /** All of it; undefined unless it has been read. */
  get bytes(): Buffer | undefined {
    return this.#bytes
  }

  /** See ReadBody. */
  async read(limit: number): Promise<Buffer> {
    // A body that says its length is refused before any of it is held.
    if (announcedBytes(this.#request) > limit) throw tooLarge(limit)
    this.#reading ??= this.#collect(limit)
    const bytes = await this.#reading
    if (bytes.length > limit) throw tooLarge(limit)
    return bytes
  }

  /** The client is gone: whoever reads is told so. */
  abandon(): void {
    this.#giveUp?.()
  }

  #collect(limit: number): Promise<Buffer> {
    this.#proceed()
    return new Promise((resolve, reject) => {
      const stop = collectBody(
        this.#request,
        this.#idle,
        (body) => {
          this.#giveUp = undefined
          if (body instanceof GatewayError) {
            reject(body)
            return
          }
          this.#bytes = body
          resolve(body)
        },
        limit,
      )
      this.#giveUp = () => {
        stop()
        reject(new GatewayError('client_closed_request'))
      }
    })
  }
}

/**
 * A request's body as a stream of its own. When undici destroys it, because the upstream answered early or broke off,
 * the client's connection lives on and can still be answered; node's own request stream would take it down.
 */
export class StreamedBody extends Readable {
  readonly #request: IncomingMessage
  readonly #timer: NodeJS.Timeout
  readonly #limit: number
  #size = 0
  readonly #onData = (chunk: Buffer): void => {
    this.#timer.refresh()
    this.#size += chunk.length
    if (this.#size > this.#limit) {
      this.destroy(tooLarge(this.#limit))
      return
    }
    if (!this.push(chunk)) this.#request.pause()
  }
  readonly #onEnd = (): void => {
    clearTimeout(this.#timer)
    this.push(null)
  }

  /** Destroyed with `request_timeout` when nothing came for `idle` milliseconds, with `body_too_large` after `limit` bytes. */
  constructor(request: IncomingMessage, idle: number, limit: number) {
    super({ highWaterMark: 16_384 })
    this.#request = request
    this.#limit = limit
    this.#timer = setTimeout(() => this.#check(), idle)
    request.on('data', this.#onData).on('end', this.#onEnd)
    // An error that comes when undici no longer listens has been told already, and must not take the process down.
    this.on('error', () => undefined)
  }

  override _read(): void {
    this.#request.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#timer)
    this.#request.off('data', this.#onData).off('end', this.#onEnd)
    // What still comes is thrown away, so that the client can finish sending and read its answer.
    this.#request.resume()
    callback(error)
  }

  #check(): void {
    // While the upstream takes nothing, the silence is not the client's.
    if (this.#request.isPaused()) this.#timer.refresh()
    else this.destroy(stalled())
  }
}
