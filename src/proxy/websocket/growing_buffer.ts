/** Bytes that come piece by piece: however small the pieces are, they cost no more than twice their size. */

const nothing = Buffer.alloc(0)

export class GrowingBuffer {
  #bytes: Buffer = nothing
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Adds a copy, and returns it: what is changed in it before the next addition is changed here. */
  append(piece: Buffer): Buffer {
    const start = this.#length
    const end = start + piece.length
    if (end > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, 2 * this.#bytes.length))
      this.#bytes.copy(larger, 0, 0, start)
      this.#bytes = larger
    }
    piece.copy(this.#bytes, start)
    this.#length = end
    return this.#bytes.subarray(start, end)
  }

  /** All bytes so far; the buffer is empty afterwards. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length)
    this.#bytes = nothing
    this.#length = 0
    return taken
  }
}
