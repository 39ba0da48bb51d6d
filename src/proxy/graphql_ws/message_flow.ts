/** The direction from a client in which every message is put together, looked at, and sent on as one frame. */
import { codes, mostFragments } from '../websocket/flow.ts'
import type { Flow, FlowEnds } from '../websocket/flow.ts'
import { applyMask, encodeFrame, longestControl, opcodes, readHeader } from '../websocket/frames.ts'
import type { FrameHeader } from '../websocket/frames.ts'
import { GrowingBuffer } from '../websocket/growing_buffer.ts'
import type { GraphqlGate } from './gate.ts'
import { closeCodes } from './protocols.ts'

/** Bytes of a message before connection_init has come, and of connection_init itself. */
const firstMessage = 65_536

const nothing = Buffer.alloc(0)
// A byte order mark is no part of a message, and no reason to drop it.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export class MessageFlow implements Flow {
  readonly #ends: FlowEnds
  readonly #gate: GraphqlGate
  readonly #maxMessage: number
  /** The beginning of a frame header. */
  #rest: Buffer = nothing
  #frame: FrameHeader | undefined
  /** Bytes of the current frame's payload that have come. */
  #got = 0
  /** The payload of the current control frame. */
  readonly #control = new GrowingBuffer()
  /** The current message as far as it has come. */
  readonly #message = new GrowingBuffer()
  #inMessage = false
  /** Bytes of the current message that its frames have announced. */
  #messageSize = 0
  #fragments = 0
  #over = false
  /** What comes can no longer be told apart. */
  #isLost = false

  /** `maxMessage`: bytes of one message, once the connection has been initialised. */
  constructor(ends: FlowEnds, gate: GraphqlGate, maxMessage: number) {
    this.#ends = ends
    this.#gate = gate
    this.#maxMessage = maxMessage
  }

  take(chunk: Buffer): void {
    if (this.#isLost) return
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = nothing
    for (let at = 0; at < bytes.length;) {
      if (this.#frame === undefined) {
        const header = readHeader(bytes, at)
        if (header === undefined) {
          this.#rest = Buffer.from(bytes.subarray(at))
          return
        }
        if (!this.#begin(header)) {
          this.#isLost = true
          return
        }
        at += header.size
      }
      at += this.#collect(bytes, at)
    }
  }

  insert(frame: Buffer): boolean {
    if (this.#over) return false
    // Whole frames are all that is ever written, so that this is always between two of them.
    this.#ends.write(frame)
    return true
  }

  finish(close: Buffer): void {
    this.insert(close)
    this.#over = true
  }

  /** False when the frame is not allowed. */
  #begin(header: FrameHeader): boolean {
    const { fin, reserved, opcode, mask, length } = header
    const isControl = opcode >= opcodes.close
    if (mask === undefined || reserved !== 0 || opcode > opcodes.pong || (opcode > opcodes.binary && !isControl)) {
      return this.#fault(codes.protocolError, 'a frame that RFC 6455 does not allow')
    }
    this.#frame = header
    this.#got = 0
    if (isControl) {
      if (!fin || length > longestControl) return this.#fault(codes.protocolError, 'a control frame is too long')
      return true
    }
    if ((opcode === opcodes.continuation) !== this.#inMessage) {
      return this.#fault(codes.protocolError, 'a message begins within another, or goes on without a beginning')
    }
    if (opcode === opcodes.binary) return this.#fault(closeCodes.badMessage, 'Invalid message')
    if (opcode === opcodes.text) this.#messageSize = this.#fragments = 0
    this.#inMessage = !fin
    this.#messageSize += length
    this.#fragments++
    const limit = this.#gate.isInitialised ? this.#maxMessage : Math.min(firstMessage, this.#maxMessage)
    if (this.#messageSize > limit || this.#fragments > mostFragments) {
      return this.#fault(codes.tooBig, 'the message is too big')
    }
    return true
  }

  /** Takes what there is of the current frame's payload; returns how many bytes that were. */
  #collect(bytes: Buffer, at: number): number {
    const { length, mask, opcode } = this.#frame!
    const taken = Math.min(length - this.#got, bytes.length - at)
    if (taken > 0) {
      const whole = opcode >= opcodes.close ? this.#control : this.#message
      applyMask(whole.append(bytes.subarray(at, at + taken)), mask!, this.#got)
      this.#got += taken
    }
    if (this.#got === length) this.#end(this.#frame!)
    return taken
  }

  #end({ opcode, fin }: FrameHeader): void {
    this.#frame = undefined
    if (opcode >= opcodes.close) {
      this.insert(encodeFrame(opcode, this.#control.take(), true))
      if (opcode === opcodes.close) this.#ends.closing()
      return
    }
    if (fin) this.#send(this.#message.take())
  }

  #send(message: Buffer): void {
    // Whoever is being closed may still say something; the gate need not be asked.
    if (this.#over) return
    let text: string
    try {
      text = utf8.decode(message)
    } catch {
      this.#fault(codes.notText, 'the message is not UTF-8')
      return
    }
    const passed = this.#gate.pass(text)
    if (typeof passed === 'string') this.#ends.write(encodeFrame(opcodes.text, Buffer.from(passed), true))
    else this.#fault(passed.code, passed.reason)
  }

  #fault(code: number, reason: string): false {
    this.#ends.fault(code, reason)
    this.#over = true
    return false
  }
}
