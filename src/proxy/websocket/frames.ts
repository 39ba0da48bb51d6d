/** Frames of WebSockets (RFC 6455 section 5.2): their headers read, and frames of our own made. */
import { randomBytes } from 'node:crypto'

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** The most that a control frame carries (section 5.5). */
export const longestControl = 125

export interface FrameHeader {
  readonly fin: boolean
  /** The three reserved bits; 0 unless an extension was agreed on. */
  readonly reserved: number
  readonly opcode: number
  /** Four bytes; absent for a frame that is not masked. */
  readonly mask?: Buffer
  /** Bytes of the header. */
  readonly size: number
  /** Bytes of the payload. */
  readonly length: number
}

/** The header that begins at `at`; undefined while it is not whole. */
export function readHeader(bytes: Buffer, at: number): FrameHeader | undefined {
  if (bytes.length < at + 2) return undefined
  const first = bytes[at]!
  const second = bytes[at + 1]!
  const short = second & 0x7f
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0
  const masked = (second & 0x80) !== 0
  const size = 2 + extended + (masked ? 4 : 0)
  if (bytes.length < at + size) return undefined
  const length = extended === 0 ? short : extended === 2 ? bytes.readUInt16BE(at + 2) : longLength(bytes, at + 2)
  return {
    fin: (first & 0x80) !== 0,
    reserved: (first >> 4) & 7,
    opcode: first & 0x0f,
    size,
    length,
    ...(masked && { mask: Buffer.from(bytes.subarray(at + size - 4, at + size)) }),
  }
}

const longLength = (bytes: Buffer, at: number): number => bytes.readUInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)

/** One whole frame. What goes to a server has to be masked with a key that nobody can foresee (section 5.3). */
export function encodeFrame(opcode: number, payload: Buffer, masked: boolean): Buffer {
  const { length } = payload
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8
  const start = 2 + extended + (masked ? 4 : 0)
  const frame = Buffer.allocUnsafe(start + length)
  frame[0] = 0x80 | opcode
  frame[1] = (masked ? 0x80 : 0) | (extended === 0 ? length : extended === 2 ? 126 : 127)
  if (extended === 2) frame.writeUInt16BE(length, 2)
  else if (extended === 8) frame.writeBigUInt64BE(BigInt(length), 2)
  payload.copy(frame, start)
  if (masked) {
    const key = randomBytes(4)
    key.copy(frame, start - 4)
    applyMask(frame.subarray(start), key, 0)
  }
  return frame
}

/** Masks or unmasks in place; `offset` says how many bytes of the payload came before (section 5.3). */
export function applyMask(payload: Buffer, mask: Buffer, offset: number): void {
  for (let i = 0; i < payload.length; i++) payload[i]! ^= mask[(offset + i) & 3]!
}

/** A close frame (section 5.5.1); the reason is cut to what fits. */
export function closeFrame(code: number, reason: string, masked: boolean): Buffer {
  const payload = Buffer.alloc(2 + Math.min(Buffer.byteLength(reason), longestControl - 2))
  payload.writeUInt16BE(code)
  payload.write(reason, 2)
  return encodeFrame(opcodes.close, payload, masked)
}
