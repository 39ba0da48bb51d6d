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

/** The error for a client that stopped in the middle of a body. */
const stalled = (): GatewayError => new GatewayError('request_timeout', { reason: 'the request body stopped coming' })

/**
 * Reads the whole body. `done` is called once with it, or with `request_timeout` when nothing came for `idle`
 * milliseconds; never after the returned function was called.
 */
export function collectBody(
  request: IncomingMessage,
  idle: number,
  done: (body: Buffer | GatewayError) => void,
): () => void {
  const chunks: Buffer[] = []
  const timer = setTimeout(() => {
    stop()
    done(stalled())
  }, idle)
  const onData = (chunk: Buffer): void => {
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

/**
 * A request's body as a stream of its own. When undici destroys it, because the upstream answered early or broke off,
 * the client's connection lives on and can still be answered; node's own request stream would take it down.
 */
export class StreamedBody extends Readable {
  readonly #request: IncomingMessage
  readonly #timer: NodeJS.Timeout
  readonly #onData = (chunk: Buffer): void => {
    this.#timer.refresh()
    if (!this.push(chunk)) this.#request.pause()
  }
  readonly #onEnd = (): void => {
    clearTimeout(this.#timer)
    this.push(null)
  }

  constructor(request: IncomingMessage, idle: number) {
    super({ highWaterMark: 16_384 })
    this.#request = request
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
