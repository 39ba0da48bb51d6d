/** Notices that a client has left whose connection is not read, because what it sends would have to be held. */
import type { Socket } from 'node:net'
import { RestartableTimer } from '../outbound/http1/restartable_timer.ts'

/** Milliseconds, so that whoever leaves is noticed within a second. */
const interval = 400

const nothing = Buffer.alloc(0)

/**
 * Nobody looks at a socket that is neither read nor written, so a reset stays with the kernel until something is asked of it.
 * A write of no bytes asks without sending anything: after a reset it fails, and the socket closes as after any other error.
 */
export class ClientProbe {
  readonly #socket: Socket
  readonly #isNeeded: () => boolean
  readonly #timer = new RestartableTimer(() => this.#ask())

  /**
   * `socket`: the TCP connection itself, as TLS forgets the error of a write without bytes. `isNeeded`: whether the connection
   * still waits; asked before each look.
   */
  constructor(socket: Socket, isNeeded: () => boolean) {
    this.#socket = socket
    this.#isNeeded = isNeeded
  }

  /** Looks again and again until it is not needed any more; begins anew when it is already looking. */
  start(): void {
    this.#timer.start(interval)
  }

  stop(): void {
    this.#timer.stop()
  }

  #ask(): void {
    if (!this.#isNeeded() || !this.#socket.writable) return
    // What waits to be written is told of a reset by itself.
    if (this.#socket.writableLength === 0) this.#socket.write(nothing)
    this.#timer.start(interval)
  }
}
