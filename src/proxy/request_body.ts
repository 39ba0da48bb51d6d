/** Takes a request's body from the client, small ones whole and large ones as they come. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { GatewayError } from '../errors.ts'
import type { BodyWriter, RequestBody } from '../outbound/http1/body_sender.ts'
import type { RequestFraming } from '../outbound/http1/request_head.ts'
import { ClientProbe } from './client_probe.ts'
import { trailerLines } from './headers.ts'

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

/** A request's body on its way from the client to the upstream, with backpressure. */
export class StreamedBody implements RequestBody {
  readonly framing: RequestFraming
  readonly #request: IncomingMessage
  readonly #limits: StreamedBodyLimits
  readonly #probe: ClientProbe
  #out: BodyWriter | undefined
  #timer: NodeJS.Timeout | undefined
  #size = 0
  #isOver = false
  readonly #onData = (bytes: Buffer): void => {
    this.#timer?.refresh()
    this.#size += bytes.length
    if (this.#size > this.#limits.size) this.#fail(tooLarge(this.#limits.size))
    else if (this.#out?.write(bytes) === false && !this.#isOver) {
      this.#request.pause()
      this.#probe.start()
    }
  }
  readonly #onEnd = (): void => {
    this.#detach()
    this.#out?.end(trailerLines(this.#request.rawTrailers, this.#limits.ownedHeaders))
  }

  constructor(request: IncomingMessage, carrier: Socket, limits: StreamedBodyLimits) {
    this.#request = request
    this.#limits = limits
    this.#probe = new ClientProbe(carrier, () => request.isPaused())
    this.framing = request.headers['content-length'] === undefined ? 'chunked' : announcedBytes(request)
  }

  start(out: BodyWriter): void {
    this.#out = out
    this.#timer = setTimeout(() => this.#check(), this.#limits.idle)
    this.#request.on('data', this.#onData).on('end', this.#onEnd)
  }

  resume(): void {
    if (this.#request.isPaused()) this.#request.resume()
  }

  stop(): void {
    this.#detach()
    // What still comes is thrown away, so that the client can finish sending and read its answer.
    this.#request.resume()
  }

  #detach(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#probe.stop()
    this.#request.off('data', this.#onData).off('end', this.#onEnd)
  }

  #fail(error: GatewayError): void {
    this.stop()
    this.#out?.fail(error)
  }

  #check(): void {
    // While the upstream takes nothing, the silence is not the client's.
    if (this.#request.isPaused()) this.#timer?.refresh()
    else this.#fail(stalled())
  }
}

interface StreamedBodyLimits {
  /** Milliseconds for which the client may send nothing; then `request_timeout`. */
  readonly idle: number
  /** Bytes; more are `body_too_large`. */
  readonly size: number
  /** Headers that only the gateway sets; lower case. */
  readonly ownedHeaders: ReadonlySet<string>
}
