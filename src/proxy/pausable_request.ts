/** A request of HTTP/1.1 of which nothing is read while it is paused, and whose headers are made when they are asked for. */
import { IncomingMessage, type IncomingHttpHeaders } from 'node:http'
import { lazyHeaders } from './lazy_headers.ts'

/**
 * Node's own goes on reading until its buffer is full and once more, up to 128 KiB, whoever has paused it. What is left in the
 * kernel instead makes the client wait and costs us nothing.
 */
export class PausableRequest extends IncomingMessage {
  #isStopped = false
  /** What `headers` gives. */
  fields: IncomingHttpHeaders | undefined

  override pause(): this {
    super.pause()
    // Not before the streams have said what they had to say of this tick; nothing is read until then.
    process.nextTick(stopIfPaused, this)
    return this
  }

  override resume(): this {
    super.resume()
    if (this.#isStopped) {
      this.#isStopped = false
      this.socket.resume()
    }
    return this
  }

  // eslint-disable-next-line no-underscore-dangle -- node's name
  override _read(size: number): void {
    // eslint-disable-next-line no-underscore-dangle -- node's name
    if (!this.isPaused()) super._read(size)
  }

  /** For the tick after `pause`. */
  stop(): void {
    // Behind a whole request the connection is read, as the next one and the client's leaving come there.
    if (this.complete || !this.isPaused()) return
    this.#isStopped = true
    this.socket.pause()
  }
}

// The base class has an accessor for it, which no class may take the place of in TypeScript's eyes.
Object.defineProperty(PausableRequest.prototype, 'headers', {
  configurable: true,
  get(this: PausableRequest) {
    return (this.fields ??= lazyHeaders(this))
  },
  set(this: PausableRequest, fields: IncomingHttpHeaders) {
    this.fields = fields
  },
})

const stopIfPaused = (request: PausableRequest): void => request.stop()
