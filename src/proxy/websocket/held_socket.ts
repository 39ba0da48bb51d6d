/** A client's socket from the moment node lets go of it until it is answered over HTTP or becomes a WebSocket. */
import type { Socket } from 'node:net'
import { GrowingBuffer } from './growing_buffer.ts'

/** Bytes that a client may send before it is answered: it has no reason to send any (RFC 6455 section 4.1). */
const mostEarly = 65_536

/**
 * With its parser node takes away all that it listened for. A socket that nobody reads does not tell when its client has
 * left, nor that it has taken what it was sent.
 */
export class HeldSocket {
  readonly socket: Socket
  readonly #early = new GrowingBuffer()
  readonly #drained: () => void

  /** `head` is what node has read already; `drained` is called when the socket takes more. */
  constructor(socket: Socket, head: Buffer, drained: () => void) {
    this.socket = socket
    this.#early.append(head)
    this.#drained = drained
    // 'close' does the rest.
    socket.on('error', () => undefined)
    socket.on('drain', drained)
    socket.on('timeout', this.#giveUp)
    socket.on('end', this.#giveUp)
    socket.on('data', this.#keep)
  }

  /** Leaves the socket to somebody else, who has to read it from now on; returns what has come until now. */
  release(): Buffer {
    const { socket } = this
    socket.off('drain', this.#drained).off('timeout', this.#giveUp).off('end', this.#giveUp).off('data', this.#keep)
    socket.setTimeout(0)
    return this.#early.take()
  }

  readonly #giveUp = (): void => {
    this.socket.destroy()
  }

  readonly #keep = (chunk: Buffer): void => {
    this.#early.append(chunk)
    if (this.#early.length > mostEarly) this.socket.destroy()
  }
}
