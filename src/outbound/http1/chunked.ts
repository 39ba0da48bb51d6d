/** The chunked transfer coding (RFC 9112 section 7.1), read as strictly as the head. */
import { CR, LF, valueByte } from './characters.ts'
import { malformed } from './errors.ts'
import { readFields } from './response_head.ts'

const SEMICOLON = 0x3b
/** Bytes of extensions that one message may have: they say nothing to us. */
const MOST_EXTENSION = 16_384
/** Bytes of trailers. */
const MOST_TRAILER = 16_384
/** Digits of a chunk's size that still make an exact number. */
const MOST_DIGITS = 13

const at = { size: 0, extension: 1, sizeLf: 2, data: 3, dataCr: 4, dataLf: 5, trailer: 6, end: 7 } as const

export class ChunkedReader {
  #state: number = at.size
  #size = 0
  #digits = 0
  #extension = 0
  /** The bytes after the last chunk, as text; the empty line ends them. */
  #trailer = ''
  readonly #trailers: string[] = []

  get isEnded(): boolean {
    return this.#state === at.end
  }

  /** Flat list: name, value…; complete when the body is. */
  get trailers(): readonly string[] {
    return this.#trailers
  }

  /**
   * Reads `bytes` from `from` on and hands on what is data, not copied; returns where it stopped, which is before the end only
   * when the body is complete. Throws ExchangeError (`RESPONSE_MALFORMED`).
   */
  read(bytes: Buffer, from: number, take: (data: Buffer) => void): number {
    let i = from
    while (i < bytes.length && this.#state !== at.end) {
      if (this.#state === at.data) {
        const end = Math.min(bytes.length, i + this.#size)
        const data = bytes.subarray(i, end)
        this.#size -= data.length
        if (this.#size === 0) this.#state = at.dataCr
        i = end
        take(data)
      } else this.#step(bytes[i++]!)
    }
    return i
  }

  #step(byte: number): void {
    switch (this.#state) {
      case at.size:
        this.#sizeByte(byte)
        return
      case at.extension:
        if (byte === CR) this.#state = at.sizeLf
        else if (valueByte[byte] !== 1) throw malformed('a chunk extension has a character that it may not')
        else if (++this.#extension > MOST_EXTENSION) throw malformed('there are too many chunk extensions')
        return
      case at.sizeLf:
        expect(byte, LF)
        this.#state = this.#size === 0 ? at.trailer : at.data
        this.#digits = 0
        return
      case at.dataCr:
        expect(byte, CR)
        this.#state = at.dataLf
        return
      case at.dataLf:
        expect(byte, LF)
        this.#state = at.size
        return
      default:
        this.#trailerByte(byte)
    }
  }

  #sizeByte(byte: number): void {
    const digit = hexDigit(byte)
    if (digit !== -1) {
      if (++this.#digits > MOST_DIGITS) throw malformed('a chunk is too large')
      this.#size = this.#size * 16 + digit
    } else if (this.#digits === 0) throw malformed('a chunk has no size')
    else if (byte === CR) this.#state = at.sizeLf
    else if (byte === SEMICOLON) this.#state = at.extension
    else throw malformed('the size of a chunk is no number')
  }

  #trailerByte(byte: number): void {
    this.#trailer += String.fromCharCode(byte)
    if (this.#trailer.length > MOST_TRAILER) throw malformed('the trailers are too large')
    if (byte !== LF) return
    // Without its carriage return, the empty line might never be seen.
    if (!this.#trailer.endsWith('\r\n')) throw malformed('a line ends without its carriage return')
    if (this.#trailer !== '\r\n' && !this.#trailer.endsWith('\r\n\r\n')) return
    readFields(this.#trailer, 0, this.#trailers)
    this.#state = at.end
  }
}

function expect(byte: number, wanted: number): void {
  if (byte !== wanted) throw malformed('a chunk does not end where it should')
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
