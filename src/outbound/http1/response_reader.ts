/** Finds one response in the bytes of a connection, in whatever pieces they come (RFC 9112 section 6.3). */
import { CR, LF } from './characters.ts'
import { ChunkedReader } from './chunked.ts'
import { ExchangeError, malformed } from './errors.ts'
import { readHead, type ResponseHead } from './response_head.ts'

/** Whom the reader tells what it finds, in this order; pieces of a body are not copied. */
export interface ResponseSink {
  /** An interim response (RFC 9110 section 15.2); more follow. */
  information(head: ResponseHead): void
  head(head: ResponseHead): void
  data(bytes: Buffer): void
  /** The response is complete. */
  end(trailers: readonly string[]): void
  /** The connection speaks another protocol from here on; `rest` has come already. */
  upgraded(head: ResponseHead, rest: Buffer): void
}

/** Bytes of a head, as node's own limit is. */
const LONGEST_HEAD = 16_384
/** Interim responses to one request: a server that sends more of them never comes to an end. */
const MOST_INFORMATION = 32
const END_OF_HEAD = Buffer.from('\r\n\r\n')
const BEGINNING = Buffer.from('HTTP/1.')
const NO_TRAILERS: readonly string[] = []

type State = 'head' | 'counted' | 'chunked' | 'until_close' | 'ended'

export class ResponseReader {
  readonly #sink: ResponseSink
  readonly #take: (data: Buffer) => void
  #state: State = 'ended'
  #isHead = false
  #upgrades = false
  #informed = 0
  /** Bytes of the body still to come. */
  #left = 0
  #chunks: ChunkedReader | undefined
  /** A head that came in pieces. */
  #partial: Buffer | undefined
  #partialLength = 0

  constructor(sink: ResponseSink) {
    this.#sink = sink
    this.#take = (data) => sink.data(data)
  }

  /** The next response is the answer to a request with this method, which may ask for another protocol. */
  begin(method: string, upgrades: boolean): void {
    this.#state = 'head'
    this.#isHead = method === 'HEAD'
    this.#upgrades = upgrades
    this.#informed = 0
    this.#chunks = undefined
    this.#partialLength = 0
  }

  /**
   * Returns how many of the bytes belong to the response; more than that is an answer to nothing that was asked.
   * Throws ExchangeError (`RESPONSE_MALFORMED`, `RESPONSE_HEAD_TOO_LARGE`).
   */
  read(bytes: Buffer): number {
    let at = 0
    while (at < bytes.length && this.#state !== 'ended') at = this.#read(bytes, at)
    return at
  }

  /** The connection has ended, orderly. Answers whether that makes the response complete. */
  finish(): boolean {
    if (this.#state !== 'until_close') return false
    this.#end(NO_TRAILERS)
    return true
  }

  #read(bytes: Buffer, at: number): number {
    if (this.#state === 'head') return this.#readHead(bytes, at)
    if (this.#state === 'chunked') {
      const chunks = this.#chunks!
      const end = chunks.read(bytes, at, this.#take)
      if (chunks.isEnded) this.#end(chunks.trailers)
      return end
    }
    if (this.#state === 'until_close') {
      this.#sink.data(at === 0 ? bytes : bytes.subarray(at))
      return bytes.length
    }
    const end = Math.min(bytes.length, at + this.#left)
    this.#left -= end - at
    this.#sink.data(bytes.subarray(at, end))
    if (this.#left === 0) this.#end(NO_TRAILERS)
    return end
  }

  #readHead(bytes: Buffer, from: number): number {
    if (this.#partialLength > 0) return this.#continueHead(bytes, from)
    const found = bytes.indexOf(END_OF_HEAD, from)
    if (found === -1) {
      this.#keep(bytes, from)
      return bytes.length
    }
    const end = found + END_OF_HEAD.length
    if (end - from > LONGEST_HEAD) throw tooLarge()
    return this.#begun(readHead(bytes.toString('latin1', from, end)), bytes, end)
  }

  #keep(bytes: Buffer, from: number): void {
    const more = bytes.length - from
    if (this.#partialLength + more > LONGEST_HEAD) throw tooLarge()
    this.#partial ??= Buffer.allocUnsafeSlow(LONGEST_HEAD)
    bytes.copy(this.#partial, this.#partialLength, from)
    const before = this.#partialLength
    this.#partialLength += more
    // Who speaks another protocol, or ends lines in another way, may never send an empty line.
    const kept = this.#partial.subarray(0, this.#partialLength)
    const known = Math.min(kept.length, BEGINNING.length)
    if (kept.compare(BEGINNING, 0, known, 0, known) !== 0) throw malformed('it does not begin with HTTP/1')
    for (let at = kept.indexOf(LF, before); at !== -1; at = kept.indexOf(LF, at + 1))
      if (kept[at - 1] !== CR) throw malformed('a line ends without its carriage return')
  }

  #continueHead(bytes: Buffer, from: number): number {
    const before = this.#partialLength
    // The empty line may have begun in what is kept.
    const overlap = Math.min(before, END_OF_HEAD.length - 1)
    const room = LONGEST_HEAD - before
    const taken = Math.min(room, bytes.length - from)
    const partial = this.#partial!
    bytes.copy(partial, before, from, from + taken)
    const found = partial.subarray(0, before + taken).indexOf(END_OF_HEAD, before - overlap)
    if (found === -1) {
      if (taken === room) throw tooLarge()
      this.#keep(bytes, from)
      return bytes.length
    }
    const end = found + END_OF_HEAD.length
    this.#partialLength = 0
    return this.#begun(readHead(partial.toString('latin1', 0, end)), bytes, from + end - before)
  }

  /** The body begins at `at`. */
  #begun(head: ResponseHead, bytes: Buffer, at: number): number {
    const { status } = head
    if (status === 101) {
      if (!this.#upgrades) throw malformed('it switches to a protocol that nobody asked for')
      this.#state = 'ended'
      this.#sink.upgraded(head, Buffer.from(bytes.subarray(at)))
      return bytes.length
    }
    if (status < 200) {
      if (status < 100 || ++this.#informed > MOST_INFORMATION) throw malformed('there are too many interim responses')
      this.#sink.information(head)
      return at
    }
    if (status > 599) throw malformed('the status is none')
    const isBodyless = this.#isHead || status === 204 || status === 304
    this.#left = head.length
    if (isBodyless || this.#left === 0) this.#state = 'ended'
    else if (head.isChunked) {
      this.#chunks = new ChunkedReader()
      this.#state = 'chunked'
    } else this.#state = this.#left === -1 ? 'until_close' : 'counted'
    this.#sink.head(head)
    if (isBodyless || this.#left === 0) this.#sink.end(NO_TRAILERS)
    return at
  }

  #end(trailers: readonly string[]): void {
    this.#state = 'ended'
    this.#sink.end(trailers)
  }
}

const tooLarge = (): ExchangeError =>
  new ExchangeError('RESPONSE_HEAD_TOO_LARGE', `the head of the response has more than ${LONGEST_HEAD} bytes`)
