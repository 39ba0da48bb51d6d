/** Sends a body that comes while it is sent: as many bytes as announced, or in chunks (RFC 9112 sections 6 and 7.1). */
import type { Socket } from 'node:net'
import { ExchangeError } from './errors.ts'
import { trailerPart, type RequestFraming } from './request_head.ts'

/**
 * Bytes that wait in front of the kernel when the body has to stop. The read behind that can bring 64 KiB; and as long as it is
 * read, its client is seen to leave.
 */
const mostUnsent = 32_768
/** Pieces that come after the socket has said that it is full, however small: each costs more than its bytes. */
const mostBehind = 64
/** Bytes of a piece that goes out as one with what says its length; of larger ones no copy is made. */
const small = 1024
const lineEnd = Buffer.from('\r\n')

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
  #behind = 0

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
    return this.#socket.writableLength < mostUnsent && this.#behind < mostBehind
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
    if (this.isBlocked) this.#behind++
    else this.#owner.onBodyMoved()
    if (this.#body.framing === 'chunked') this.#writeChunk(bytes)
    else this.#socket.write(bytes)
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
    this.#behind = 0
    this.#owner.onBodyMoved()
    this.#body.resume()
  }

  /** The body is not wanted any more. */
  stop(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#body.stop()
  }

  #writeChunk(bytes: Buffer): void {
    const socket = this.#socket
    const size = `${bytes.length.toString(16)}\r\n`
    if (bytes.length <= small) {
      socket.write(Buffer.concat([Buffer.from(size, 'latin1'), bytes, lineEnd]))
      return
    }
    socket.cork()
    socket.write(size, 'latin1')
    socket.write(bytes)
    socket.write(lineEnd)
    socket.uncork()
  }

  /** It is not what was announced. */
  #refuse(error: ExchangeError): void {
    this.stop()
    this.#owner.onBodyFailed(error)
  }
}
