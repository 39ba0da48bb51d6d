/** Opens sockets to one origin: TCP, or TLS with the sessions of earlier ones taken up again (RFC 8446 section 2.2). */
import { connect as connectTcp, isIP, type LookupFunction, type OnReadOpts, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext } from 'node:tls'
import { ExchangeError } from './errors.ts'

export interface DialOptions {
  /** Milliseconds for name look-up, TCP and TLS together; 0 for no limit. */
  readonly timeout: number
  readonly tls?: SecureContext | undefined
  /** How names become addresses; the system's way unless given. */
  readonly lookup?: LookupFunction | undefined
}

/** Calls back once: with a socket that can be written to, or with node's error or ExchangeError (`CONNECT_TIMEOUT`). */
export type Dial = (onread: OnReadOpts | undefined, callback: (error: Error | null, socket?: Socket) => void) => void

/** Each read is at most as large as node's own; what waits in front of the kernel stays small beside it. */
const highWaterMark = 16_384
/** Milliseconds after which TCP asks a silent peer for a sign of life. */
const probeAfter = 60_000

/** How to reach an origin (scheme, host, port). */
export function dialTo(origin: string, { timeout, tls, lookup }: DialOptions): Dial {
  const { hostname: bracketed, protocol, port: written } = new URL(origin)
  const host = bracketed.replace(/^\[|\]$/g, '')
  const isTls = protocol === 'https:'
  const place = { host, port: Number(written || (isTls ? 443 : 80)), highWaterMark, ...(lookup && { lookup }) }
  // TLS has no server names that are addresses (RFC 6066 section 3).
  const named = { ...(isIP(host) === 0 && { servername: host }), ...(tls && { secureContext: tls }) }
  let session: Buffer | undefined

  const open = (onread: OnReadOpts | undefined): Socket => {
    const how = { ...place, ...(onread && { onread }) }
    if (!isTls) return connectTcp(how)
    const resumed = { ...named, ...(session && { session }), ALPNProtocols: ['http/1.1'] }
    return connectTls({ ...how, ...resumed }).on('session', (ticket) => (session = ticket))
  }

  return (onread, callback) => {
    const socket = open(onread).setNoDelay(true).setKeepAlive(true, probeAfter)
    const late = (): ExchangeError => new ExchangeError('CONNECT_TIMEOUT', 'no connection was made in time')
    const timer = timeout === 0 ? undefined : setTimeout(() => socket.destroy(late()), timeout)
    const failed = (error?: Error): void => {
      settled()
      callback(error ?? new ExchangeError('RESPONSE_CUT', 'the connection ended before it was made'))
    }
    const made = (): void => {
      settled()
      callback(null, socket)
    }
    const closed = (): void => failed()
    const event = isTls ? 'secureConnect' : 'connect'
    const settled = (): void => {
      clearTimeout(timer)
      socket.off(event, made).off('error', failed).off('close', closed)
    }
    socket.on(event, made).on('error', failed).on('close', closed)
  }
}
