/** Two sockets joined after an accepted WebSocket upgrade: bytes pass untouched until one side ends (RFC 6455). */
import type { Duplex } from 'node:stream'
import { FrameBoundary } from './websocket_frames.ts'

/** Milliseconds that the second side gets to end after the first has. */
const lingering = 1000

/** An unmasked close frame with code 1001 (going away), RFC 6455 sections 5.5.1 and 7.4.1. */
const goingAway = Buffer.from([0x88, 0x02, 0x03, 0xe9])

export interface Tunnel {
  /** Tells the client with 1001 that the gateway goes away, at the end of the frame that is under way. */
  goAway(): void
}

/** Joins the two; `ended` is called once when both are closed. */
export function openTunnel(client: Duplex, upstream: Duplex, ended: () => void): Tunnel {
  const frames = new FrameBoundary()
  let leaving = false
  let said = false
  let open = 2
  let timer: NodeJS.Timeout | undefined

  const destroy = (): void => {
    client.destroy()
    upstream.destroy()
  }
  // Neither side of a WebSocket goes on alone, so one end is followed by both, after what is under way has passed.
  const finish = (): void => {
    client.end()
    upstream.end()
    timer ??= setTimeout(destroy, lingering).unref()
  }
  const sayGoodbye = (): void => {
    if (said) return
    said = true
    if (client.writable) client.write(goingAway)
  }
  const closed = (): void => {
    finish()
    if (--open > 0) return
    clearTimeout(timer)
    ended()
  }

  client.on('data', (chunk: Buffer) => pass(client, upstream, chunk))
  upstream.on('data', (chunk: Buffer) => {
    if (said) return
    const rest = frames.pass(chunk)
    if (!leaving || rest === -1) {
      pass(upstream, client, chunk)
      return
    }
    client.write(chunk.subarray(0, rest))
    sayGoodbye()
  })
  for (const side of [client, upstream]) {
    side.on('end', finish)
    side.on('close', closed)
    // 'close' follows, and a reset connection needs no more than that.
    side.on('error', destroy)
  }

  return {
    goAway() {
      leaving = true
      if (frames.isBetween) sayGoodbye()
    },
  }
}

function pass(from: Duplex, to: Duplex, chunk: Buffer): void {
  if (!to.writable || to.write(chunk)) return
  from.pause()
  to.once('drain', () => from.resume())
}
