/** One HTTP/2 stream in the shape of HTTP/1.1's request and response, as far as the forwarder uses them. */
import { constants, Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { readNothingWhile } from '../reading.ts'
import { asHttp1 } from './head.ts'

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants

/** What belongs to a connection of HTTP/1.1 (RFC 9113 section 8.2.2). */
const ofConnection = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

/** What is done to the socket of a request concerns its stream alone: others share the connection. */
class StreamSocket {
  readonly #stream: ServerHttp2Stream

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream
    stream.on('timeout', () => stream.close(NGHTTP2_CANCEL))
  }

  get destroyed(): boolean {
    return this.#stream.destroyed
  }

  setTimeout(milliseconds: number): void {
    if (!this.#stream.destroyed) this.#stream.setTimeout(milliseconds)
  }

  /** After a whole answer this tells the client that the rest of its body is not wanted (RFC 9113 section 8.1). */
  destroy(): void {
    this.#stream.close(NGHTTP2_NO_ERROR)
  }
}

export class StreamRequest extends Http2ServerRequest {
  readonly #readOn: () => void

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]) {
    // What waits, waits in the stream.
    super(stream, headers, { highWaterMark: 0 }, raw)
    // As long as a stream reads, its client may send another window full.
    this.#readOn = readNothingWhile(() => this.isPaused(), stream)
    // Nothing that depends on the version is less in HTTP/2 than in HTTP/1.1.
    const said = { ...asHttp1(raw, stream.endAfterHeaders), httpVersion: '1.1', socket: new StreamSocket(stream) }
    // The base class has accessors for these, which cannot be assigned to.
    for (const [name, value] of Object.entries(said)) Object.defineProperty(this, name, { value })
    // A stream that is reset is told of by 'aborted'.
    this.on('error', () => undefined)
  }

  override resume(): this {
    super.resume()
    this.#readOn()
    return this
  }
}

export class StreamResponse extends Http2ServerResponse<StreamRequest> {
  constructor(stream: ServerHttp2Stream, request: StreamRequest) {
    super(stream)
    Object.defineProperty(this, 'socket', { value: request.socket })
    // The answer is over when it is sent, whether or not the client has finished sending.
    stream.once('finish', () => this.emit('finish'))
  }

  /** Said of a connection of HTTP/1.1. Here other requests go on, and who drains tells all clients to go. */
  shouldKeepAlive = true

  /** Takes a flat list of headers; those that have no place in HTTP/2 are left out. */
  override writeHead(status: number, list: OutgoingHttpHeaders | readonly string[] | string = []): this {
    const lines: [string, string][] = []
    if (Array.isArray(list)) {
      for (let i = 0; i < list.length; i += 2) {
        const name = list[i] as string
        if (!ofConnection.has(name.toLowerCase())) lines.push([name, list[i + 1] as string])
      }
    }
    try {
      return super.writeHead(status, gathered(lines))
    } catch (error) {
      // Nothing has been sent; what is answered instead must not come with the headers of this.
      for (const name of this.getHeaderNames()) this.removeHeader(name)
      throw error
    }
  }

  /** Takes pairs of name and value. */
  override addTrailers(lines: OutgoingHttpHeaders | readonly (readonly [name: string, value: string])[]): void {
    if (Array.isArray(lines)) super.addTrailers(gathered(lines))
  }

  /** The client sees that its answer is not whole. */
  override destroy(): this {
    this.stream.close(NGHTTP2_INTERNAL_ERROR)
    return this
  }
}

/** Names in lower case (RFC 9113 section 8.2), each with all its values. */
function gathered(lines: readonly (readonly [name: string, value: string])[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {}
  for (const [spelling, value] of lines) {
    const name = spelling.toLowerCase()
    const before = headers[name]
    headers[name] = before === undefined ? value : [before, value].flat()
  }
  return headers
}
