/** How long one HTTP/2 connection is kept open without a request. */
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { TLSSocket } from 'node:tls'

/** Milliseconds that a client gets to end a connection that it was told to leave. */
const lingering = 1000

/**
 * A connection is idle from the end of its last stream on, whatever frames come: node's own timeout of a session begins
 * anew with each of them, so that a PING now and then would keep it open for ever.
 */
export class Http2Connection {
  readonly #session: ServerHttp2Session
  readonly socket: TLSSocket
  #streams = 0
  #timer: NodeJS.Timeout | undefined

  /** `headTimeout`: milliseconds for the first request. */
  constructor(session: ServerHttp2Session, socket: TLSSocket, headTimeout: number) {
    this.#session = session
    this.socket = socket
    this.#idle(headTimeout)
    session.on('close', () => clearTimeout(this.#timer))
  }

  /** A request has come; after the last one the connection may be idle for so many milliseconds, with 0 for ever. */
  enter(stream: ServerHttp2Stream, idleTimeout: number): void {
    this.#streams++
    clearTimeout(this.#timer)
    stream.on('close', () => {
      if (--this.#streams > 0) return
      if (this.#session.closed) this.#linger()
      else this.#idle(idleTimeout)
    })
  }

  /** Tells the client to send no more requests; those under way go on. */
  leave(): void {
    clearTimeout(this.#timer)
    this.#session.close()
    if (this.#streams === 0) this.#linger()
  }

  #idle(timeout: number): void {
    if (timeout > 0) this.#timer = setTimeout(() => this.leave(), timeout).unref()
  }

  /** Node waits for the client to hang up, however long it takes, and goes on reading whatever it sends. */
  #linger(): void {
    this.#timer = setTimeout(() => this.socket.destroy(), lingering).unref()
  }
}
