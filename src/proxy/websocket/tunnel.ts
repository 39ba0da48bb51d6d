/** Two sockets joined after an accepted WebSocket upgrade, until one side ends or the gateway closes both (RFC 6455). */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../pipeline/contract/runtime.ts'
import { ClientProbe } from '../client_probe.ts'
import { readNothingWhile } from '../reading.ts'
import { ByteFlow } from './byte_flow.ts'
import { codes } from './flow.ts'
import type { Flow, FlowEnds } from './flow.ts'
import { closeFrame, encodeFrame, opcodes } from './frames.ts'

/** Milliseconds that a side gets to end after the other has, or after it was told to. */
const lingering = 1000
/** The most milliseconds that a side gets to answer a ping. */
const longestPatience = 10_000

const nothing = Buffer.alloc(0)

export interface TunnelOptions {
  readonly client: Duplex
  /** The client's TCP connection, which below TLS is another socket. */
  readonly carrier: Socket
  readonly upstream: Duplex
  readonly clock: Pick<Clock, 'monotonic'>
  /** What becomes of the client's frames; they pass untouched unless given. */
  readonly toUpstream?: (ends: FlowEnds) => Flow
  /** Milliseconds of silence after which a side is asked for a sign of life; 0 for never. */
  readonly ping: number
  /** Milliseconds for which a side may take nothing of what it is sent; 0 for no limit. */
  readonly stall: number
  /** A message to the client that goes before a close with one of our codes. */
  readonly farewell?: (reason: string) => Buffer
  /** Called once when both are closed, with the code that the gateway closed them with, or 0 when it did not. */
  readonly ended: (code: number) => void
}

interface Side {
  readonly socket: Duplex
  /** To be called after the socket was resumed. */
  readonly readOn: () => void
  /** When something came last, on the monotonic clock. */
  heardAt: number
  /** When it was asked for a sign of life, on the same clock; undefined since it has given one. */
  askedAt: number | undefined
}

export class Tunnel {
  readonly #options: TunnelOptions
  readonly #client: Side
  readonly #upstream: Side
  readonly #toClient: Flow
  readonly #toUpstream: Flow
  readonly #probe: ClientProbe
  readonly #pulses: NodeJS.Timeout[] = []
  #lingering: NodeJS.Timeout | undefined
  /** The code of the close that both sides are told; 0 before. */
  #closing = 0
  #open = 2

  constructor(options: TunnelOptions) {
    this.#options = options
    const heardAt = options.clock.monotonic()
    this.#client = sideOf(options.client, heardAt)
    this.#upstream = sideOf(options.upstream, heardAt)
    this.#probe = new ClientProbe(options.carrier, () => options.client.isPaused())
    this.#toClient = new ByteFlow(this.#ends(this.#upstream, this.#client))
    const upwards = this.#ends(this.#client, this.#upstream)
    this.#toUpstream = options.toUpstream?.(upwards) ?? new ByteFlow(upwards)
    this.#join(this.#client, this.#toUpstream)
    this.#join(this.#upstream, this.#toClient)
    if (options.ping === 0) return
    this.#beat(this.#client, this.#toClient, encodeFrame(opcodes.ping, nothing, false), 0)
    this.#beat(this.#upstream, this.#toUpstream, encodeFrame(opcodes.ping, nothing, true), 1)
  }

  /** What the client has sent before the upstream agreed. */
  begin(head: Buffer): void {
    if (head.length > 0) this.#toUpstream.take(head)
  }

  /** Tells both sides, each at the end of the frame that is under way, and cuts them off a second later at the latest. */
  close(code: number, reason: string): void {
    if (this.#closing !== 0) return
    this.#closing = code
    const message = code < 4000 ? undefined : this.#options.farewell?.(reason)
    this.#toClient.finish(closeFrame(code, reason, false), message)
    this.#toUpstream.finish(closeFrame(codes.goingAway, '', true))
    this.#linger()
  }

  #ends(from: Side, to: Side): FlowEnds {
    return {
      write: (bytes) => this.#write(from, to.socket, bytes),
      fault: (code, reason) => this.close(code, reason),
      closing: () => {
        // The client has heard the last word and agrees.
        if (this.#closing !== 0 && from === this.#client) this.#finish()
      },
    }
  }

  #join(side: Side, flow: Flow): void {
    const { socket } = side
    socket.on('data', (chunk: Buffer) => {
      side.heardAt = this.#options.clock.monotonic()
      side.askedAt = undefined
      flow.take(chunk)
    })
    // Neither side of a WebSocket goes on alone, so one end is followed by both, after what is under way has passed.
    socket.on('end', () => this.#finish())
    socket.on('close', () => this.#closed())
    // 'close' follows, and a reset connection needs no more than that.
    socket.on('error', () => this.#destroy())
  }

  #write(from: Side, to: Duplex, bytes: Buffer): void {
    const { socket, readOn } = from
    if (!to.writable || to.write(bytes) || socket.isPaused()) return
    socket.pause()
    if (from === this.#client) this.#probe.start()
    const { stall } = this.#options
    const stalled = stall === 0 ? undefined : setTimeout(() => this.#giveUp(), stall).unref()
    const goOn = (): void => {
      clearTimeout(stalled)
      to.off('drain', goOn).off('close', goOn)
      socket.resume()
      readOn()
    }
    to.on('drain', goOn).on('close', goOn)
  }

  /** Asks a silent side for a sign of life, and gives it up when there is none. */
  #beat(side: Side, towards: Flow, ping: Buffer, index: number): void {
    const { clock, ping: interval } = this.#options
    const patience = Math.min(interval, longestPatience)
    const now = clock.monotonic()
    // Of a side that is made to wait, nothing can be heard.
    if (side.socket.isPaused()) {
      side.heardAt = now
      side.askedAt = undefined
    }
    if (side.askedAt !== undefined && now - side.askedAt >= patience) {
      this.#giveUp()
      return
    }
    const silence = now - side.heardAt
    // In the middle of a long frame nothing can be asked; whoever takes its bytes is there.
    if (side.askedAt === undefined && silence >= interval && towards.insert(ping)) side.askedAt = now
    let next = silence < interval ? interval - silence : patience
    if (side.askedAt !== undefined) next = side.askedAt + patience - now
    this.#pulses[index] = setTimeout(() => this.#beat(side, towards, ping, index), Math.max(next, 1)).unref()
  }

  #finish(): void {
    this.#client.socket.end()
    this.#upstream.socket.end()
    this.#linger()
  }

  #linger(): void {
    this.#lingering ??= setTimeout(() => this.#destroy(), lingering).unref()
  }

  /** One side does not answer: no close frame would reach it. */
  #giveUp(): void {
    this.#closing = codes.noAnswer
    this.#destroy()
  }

  #destroy(): void {
    this.#client.socket.destroy()
    this.#upstream.socket.destroy()
  }

  #closed(): void {
    this.#finish()
    if (--this.#open > 0) return
    clearTimeout(this.#lingering)
    this.#probe.stop()
    for (const pulse of this.#pulses) clearTimeout(pulse)
    this.#options.ended(this.#closing)
  }
}

const sideOf = (socket: Duplex, heardAt: number): Side => ({
  socket,
  readOn: readNothingWhile(() => socket.isPaused(), socket),
  heardAt,
  askedAt: undefined,
})
