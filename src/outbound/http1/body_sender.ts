/** Sends a body that comes while it is sent: as many bytes as announced, or in chunks (RFC 9112 sections 6 and 7.1). */
import type { Socket } from 'node:net'
import { ExchangeError } from './errors.ts'
import { trailerPart, type RequestFraming } from './request_head.ts'

/**
 * Bytes that wait in front of the kernel when the body has to stop. The read behind that can bring 64 KiB; and as long as it is
 * read, its client is seen to leave.
 */
const mostUnsent = 32_768

/** A request's body that comes while it is sent. */
export interface RequestBody {
  readonly framing: RequestFraming
  /** Called once, when the head has been sent; the body is written to `out`, no faster than it takes it. */
  start(out: BodyWriter): void
  /** `out` takes more; also called when it never took less. */
  resume(): void
  /** Nothing of it is wanted any more. */
  stop(): void
}

export interface BodyWriter {
  /** Answers false when the next bytes have to wait for `resume`. */
  write(bytes: Buffer): boolean
  /** Trailers go out where the body goes in chunks, and nowhere else. */
  end(trailers?: readonly (readonly [name: string, value: string])[]): void
  /** The body will never be complete. */
  fail(error: Error): void
}

/** Whom it tells what has become of the body. */
export interface BodySenderOwner {
  /** Some of it is on its way. */
  onBodyMoved(): void
  onBodySent(): void
  onBodyFailed(error: Error): void
}

export class BodySender implements BodyWriter {
  readonly #socket: Socket
  readonly #body: RequestBody
  readonly #owner: BodySenderOwner
  #left: number
  #isOver = false

  constructor(socket: Socket, body: RequestBody, owner: BodySenderOwner) {
    this.#socket = socket
    this.#body = body
    this.#owner = owner
    this.#left = typeof body.framing === 'number' ? body.framing : Infinity
  }

  /** Whether it is the server that takes no more. */
  get isBlocked(): boolean {
    return this.#socket.writableNeedDrain
  }

  /** Above the socket's own mark, so that it says when there is room again. */
  get #takesMore(): boolean {
    return this.#socket.writableLength < mostUnsent
  }

  start(): void {
    this.#body.start(this)
  }

  write(bytes: Buffer): boolean {
    if (this.#isOver || bytes.length === 0) return this.#takesMore
    this.#left -= bytes.length
    if (this.#left < 0) {
      this.#refuse(new ExchangeError('REQUEST_INVALID', 'the body is longer than announced'))
      return false
    }
    // What comes to what waits does not mean that the server has taken anything.
    if (!this.isBlocked) this.#owner.onBodyMoved()
    const socket = this.#socket
    if (this.#body.framing === 'chunked') {
      socket.cork()
      socket.write(`${bytes.length.toString(16)}\r\n`, 'latin1')
      socket.write(bytes)
      socket.write('\r\n', 'latin1')
      socket.uncork()
    } else socket.write(bytes)
    return this.#takesMore
  }

  end(trailers: readonly (readonly [name: string, value: string])[] = []): void {
    if (this.#isOver) return
    if (this.#left > 0 && this.#left !== Infinity) {
      this.#refuse(new ExchangeError('REQUEST_INVALID', 'the body is shorter than announced'))
      return
    }
    if (this.#body.framing === 'chunked') {
      let last: string
      try {
        last = trailerPart(trailers)
      } catch (error) {
        this.#refuse(error as ExchangeError)
        return
      }
      this.#socket.write(last, 'latin1')
    }
    this.#isOver = true
    this.#owner.onBodySent()
  }

  fail(error: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#owner.onBodyFailed(error)
  }

  /** The socket has room again. */
  drained(): void {
    if (this.#isOver) return
    this.#owner.onBodyMoved()
    this.#body.resume()
  }

  /** The body is not wanted any more. */
  stop(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#body.stop()
  }

  /** It is not what was announced. */
  #refuse(error: ExchangeError): void {
    this.stop()
    this.#owner.onBodyFailed(error)
  }
}
