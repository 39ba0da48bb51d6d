/** Follows a stream of WebSocket frames (RFC 6455 section 5.2) just far enough to know where one ends. */
export class FrameBoundary {
  /** Bytes of the current frame's header, as far as they have come; at most 14. */
  readonly #header: number[] = []
  #payloadLeft = 0

  /** Whether everything that has passed is whole frames. */
  get isBetween(): boolean {
    return this.#payloadLeft === 0 && this.#header.length === 0
  }

  /** Takes the next bytes. Returns where in them the frame ends that was under way before, or -1 when there is no such place. */
  pass(chunk: Uint8Array): number {
    let firstEnd = this.isBetween ? 0 : -1
    let at = 0
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const taken = Math.min(this.#payloadLeft, chunk.length - at)
        this.#payloadLeft -= taken
        at += taken
      } else {
        this.#header.push(chunk[at]!)
        at++
        if (this.#header.length < headerLength(this.#header)) continue
        this.#payloadLeft = payloadLength(this.#header)
        this.#header.length = 0
      }
      if (firstEnd === -1 && this.isBetween) firstEnd = at
    }
    return firstEnd
  }
}

function headerLength(header: readonly number[]): number {
  const [, second] = header
  if (second === undefined) return 2
  const short = second & 0x7f
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0
  return 2 + extended + ((second & 0x80) === 0 ? 0 : 4)
}

function payloadLength(header: readonly number[]): number {
  const short = header[1]! & 0x7f
  const size = short === 126 ? 2 : short === 127 ? 8 : 0
  if (size === 0) return short
  let length = 0
  for (let i = 0; i < size; i++) length = length * 256 + header[2 + i]!
  return length
}
