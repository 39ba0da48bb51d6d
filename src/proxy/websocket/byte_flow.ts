/** A direction in which bytes pass untouched: frames are followed just far enough to know where they end. */
import { codes, mostFragments } from './flow.ts'
import type { Flow, FlowEnds } from './flow.ts'
import { opcodes, readHeader } from './frames.ts'
import type { FrameHeader } from './frames.ts'

const nothing = Buffer.alloc(0)

interface LastWords {
  readonly close: Buffer
  readonly message: Buffer | undefined
}

export class ByteFlow implements Flow {
  readonly #ends: FlowEnds
  readonly #maxMessage: number
  /** The beginning of a frame header, kept back until the whole of it is there. */
  #rest: Buffer = nothing
  /** Bytes of the current frame's payload that are still to come. */
  #left = 0
  /** Whether the current message has frames to come. */
  #inMessage = false
  #messageSize = 0
  #fragments = 0
  #lastWords: LastWords | undefined
  #mute = false

  /** `maxMessage`: bytes of one message as it is on the wire; without it there is no limit. */
  constructor(ends: FlowEnds, maxMessage = Number.POSITIVE_INFINITY) {
    this.#ends = ends
    this.#maxMessage = maxMessage
  }

  take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = nothing
    let written = 0
    let at = 0
    while (at < bytes.length) {
      if (this.#left === 0) {
        const header = readHeader(bytes, at)
        if (header === undefined) {
          this.#rest = Buffer.from(bytes.subarray(at))
          break
        }
        if (!this.#admits(header)) {
          this.#write(bytes, written, at)
          this.#ends.fault(codes.tooBig, 'the message is too big')
          return
        }
        if (header.opcode === opcodes.close) this.#ends.closing()
        at += header.size
        this.#left = header.length
      }
      const taken = Math.min(this.#left, bytes.length - at)
      this.#left -= taken
      at += taken
      if (this.#left === 0 && this.#lastWords !== undefined) {
        this.#write(bytes, written, at)
        written = at
        this.#sayLastWords(this.#lastWords)
      }
    }
    this.#write(bytes, written, at)
  }

  insert(frame: Buffer): boolean {
    if (this.#left > 0 || this.#lastWords !== undefined) return false
    this.#ends.write(frame)
    return true
  }

  finish(close: Buffer, message?: Buffer): void {
    this.#lastWords ??= { close, message }
    if (this.#left === 0) this.#sayLastWords(this.#lastWords)
  }

  #write(bytes: Buffer, from: number, to: number): void {
    if (to > from && !this.#mute) this.#ends.write(bytes.subarray(from, to))
  }

  #sayLastWords({ close, message }: LastWords): void {
    if (this.#mute) return
    if (message !== undefined && !this.#inMessage) this.#ends.write(message)
    this.#ends.write(close)
    this.#mute = true
  }

  #admits({ opcode, fin, length }: FrameHeader): boolean {
    if (opcode >= opcodes.close) return true
    if (opcode !== opcodes.continuation) this.#messageSize = this.#fragments = 0
    this.#inMessage = !fin
    this.#messageSize += length
    this.#fragments++
    if (this.#maxMessage === Number.POSITIVE_INFINITY) return true
    return this.#messageSize <= this.#maxMessage && this.#fragments <= mostFragments
  }
}
