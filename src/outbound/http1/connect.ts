/** Makes connections whose sockets all read into one buffer. */
import type { Socket } from 'node:net'
import { HttpConnection, type ConnectionOwner } from './connection.ts'
import { dialTo, type DialOptions } from './dial.ts'

export interface ConnectOptions extends DialOptions {
  /** Milliseconds for which a connection is kept without a request. */
  readonly idleTimeout: number
}

/**
 * Calls back once, with a connection or with the error of Dial. `forUpgrade` asks for one whose socket can be handed on.
 */
export type Connect = (
  owner: ConnectionOwner,
  forUpgrade: boolean,
  callback: (error: Error | null, connection?: HttpConnection) => void,
) => void

/** What all sockets read into: each read is used up before the next one, on whichever socket, begins. */
const shared = Buffer.allocUnsafeSlow(65_536)
const reading = new WeakMap<Socket, HttpConnection>()

const onread = {
  buffer: shared,
  callback(this: Socket, length: number): boolean {
    return reading.get(this)?.received(shared.subarray(0, length)) ?? false
  },
}

/** How to connect to an origin (scheme, host, port). */
export function connectorTo(origin: string, options: ConnectOptions): Connect {
  const { host } = new URL(origin)
  const { idleTimeout } = options
  const dial = dialTo(origin, options)
  return (owner, forUpgrade, callback) => {
    dial(forUpgrade ? undefined : onread, (error, socket) => {
      if (socket === undefined) {
        callback(error)
        return
      }
      const connection = new HttpConnection({ socket, host, idleTimeout, owner })
      if (forUpgrade) socket.on('data', (bytes: Buffer) => connection.received(bytes))
      else reading.set(socket, connection)
      callback(null, connection)
    })
  }
}
