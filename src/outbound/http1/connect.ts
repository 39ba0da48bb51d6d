/** Makes connections: TCP or TLS, within a time, with sockets that read into one buffer. */
import { isIP } from 'node:net'
import type { LookupFunction, Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import { buildConnector } from 'undici'
import { HttpConnection, type ConnectionOwner } from './connection.ts'

export interface ConnectOptions {
  /** Milliseconds for name look-up, TCP and TLS together; 0 for no limit. */
  readonly timeout: number
  readonly tls?: SecureContext | undefined
  /** How names become addresses; the system's way unless given. */
  readonly lookup?: LookupFunction | undefined
  /** Milliseconds for which a connection is kept without a request. */
  readonly idleTimeout: number
}

/**
 * Calls back once, with a connection or with the error: node's, or undici's ConnectTimeoutError. `forUpgrade` asks for one
 * whose socket can be handed on.
 */
export type Connect = (
  owner: ConnectionOwner,
  forUpgrade: boolean,
  callback: (error: Error | null, connection?: HttpConnection) => void,
) => void

/** What all sockets read into: each read is used up before the next one, on whichever socket, begins. */
const shared = Buffer.allocUnsafeSlow(65_536)

const reading = new WeakMap<Socket, HttpConnection>()

/** How to connect to an origin (scheme, host, port). */
export function connectorTo(origin: string, options: ConnectOptions): Connect {
  const { hostname: bracketed, host, protocol, port } = new URL(origin)
  const hostname = bracketed.replace(/^\[|\]$/g, '')
  const common = {
    timeout: options.timeout,
    // Each read is at most the shared buffer; what waits in front of the kernel stays small beside it.
    highWaterMark: 16_384,
    allowH2: false,
    ...(options.tls !== undefined && { secureContext: options.tls }),
    ...(options.lookup !== undefined && { lookup: options.lookup }),
  }
  const onread = {
    buffer: shared,
    callback(this: Socket, length: number): boolean {
      return reading.get(this)?.received(shared.subarray(0, length)) ?? false
    },
  }
  const connectPlainly = buildConnector(common)
  const connectSharing = buildConnector({ ...common, onread })
  // TLS has no server names that are addresses (RFC 6066 section 3).
  const target = { hostname, host, protocol, port, servername: isIP(hostname) === 0 ? hostname : '' }
  return (owner, forUpgrade, callback) => {
    const connect = forUpgrade ? connectPlainly : connectSharing
    connect(target, (error, socket) => {
      if (error !== null) {
        callback(error)
        return
      }
      const connection = new HttpConnection({ socket, host, idleTimeout: options.idleTimeout, owner })
      if (forUpgrade) socket.on('data', (bytes: Buffer) => connection.received(bytes))
      else reading.set(socket, connection)
      callback(null, connection)
    })
  }
}
