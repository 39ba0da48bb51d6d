/** WebSocket frames for tests, written and read independently of the gateway's own code. */
import * as fc from 'fast-check'

export interface Frame {
  readonly fin: boolean
  readonly reserved: number
  readonly opcode: number
  readonly masked: boolean
  /** Without mask. */
  readonly payload: Buffer
}

const key = [0x37, 0xfa, 0x21, 0x3d]

export function frame(opcode: number, payload: string | Buffer = '', rest: Partial<Frame> = {}): Buffer {
  const { fin = true, reserved = 0, masked = true } = rest
  const body = Buffer.from(payload)
  const { length } = body
  const extended =
    length < 126
      ? [length]
      : length < 65_536
        ? [126, length >> 8, length & 255]
        : [127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255]
  const [first = 0, ...more] = extended
  const head = [(fin ? 0x80 : 0) | (reserved << 4) | opcode, first | (masked ? 0x80 : 0), ...more]
  return Buffer.concat([Buffer.from(masked ? [...head, ...key] : head), masked ? xor(body, key) : body])
}

const xor = (bytes: Buffer, mask: readonly number[]): Buffer =>
  Buffer.from(bytes.map((byte, index) => byte ^ mask[index % 4]!))

/** All whole frames of the bytes, and what is left. */
export function readFrames(bytes: Buffer): { readonly frames: Frame[]; readonly rest: Buffer } {
  const frames: Frame[] = []
  for (let at = 0; ;) {
    const short = (bytes[at + 1] ?? 0) & 0x7f
    const masked = ((bytes[at + 1] ?? 0) & 0x80) !== 0
    const start = at + 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + (masked ? 4 : 0)
    if (bytes.length < start || bytes.length < at + 2) return { frames, rest: bytes.subarray(at) }
    const length =
      short === 126 ? bytes.readUInt16BE(at + 2) : short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short
    if (bytes.length < start + length) return { frames, rest: bytes.subarray(at) }
    const payload = bytes.subarray(start, start + length)
    frames.push({
      fin: (bytes[at]! & 0x80) !== 0,
      reserved: (bytes[at]! >> 4) & 7,
      opcode: bytes[at]! & 15,
      masked,
      payload: masked ? xor(payload, [...bytes.subarray(start - 4, start)]) : payload,
    })
    at = start + length
  }
}

/** Code and reason of a close frame. */
export const closeOf = ({ payload }: Frame): [code: number, reason: string] => [
  payload.readUInt16BE(0),
  payload.toString('utf8', 2),
]

/** The bytes in pieces, cut at places of the generator's choice. */
export const cut = (bytes: Buffer, places: readonly number[]): Buffer[] => {
  const ends = [...new Set([...places.map((place) => place % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end))
}

export const cuts = fc.array(fc.nat(200_000), { maxLength: 12 })
