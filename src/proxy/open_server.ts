/** Node's HTTP server as the proxy plane needs it: what its parser may take, how long, and with which certificate. */
import { createServer } from 'node:http'
import type { Server, ServerOptions } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Server as TlsServer } from 'node:https'
import type { ServerOpts } from 'node:net'
import type { Log } from '../pipeline/contract/runtime.ts'
import { PausableRequest } from './pausable_request.ts'
import { loadTls, watchTls } from './tls.ts'
import type { TlsSource } from './tls.ts'
import { namesWebSocket } from './upgrade.ts'

/** Milliseconds for a request head, and how often node looks. */
export const headTimeout = 10_000
const lookInterval = 1000
/** Bytes of a request head. */
export const headSize = 16_384
/**
 * Bytes that wait for a client in front of the kernel when its upstream has to stop; below TLS, whose sockets node gives a mark
 * of their own, 64 KiB do. The read behind that can bring as much.
 */
const mostUnsent = 32_768

export interface ListenerOptions {
  readonly tls?: TlsSource
  readonly log: Log
}

interface Opened {
  readonly server: Server
  /** How it makes the sockets of its clients. */
  readonly sockets: ServerOpts
  /** The same, when it speaks TLS. */
  readonly tlsServer?: TlsServer
  readonly stopWatching: () => void
}

/** Opens no port yet. Throws an Error when the TLS files cannot be used. */
export function openServer({ tls, log }: ListenerOptions, offersHttp2: boolean): Opened {
  const sockets: ServerOpts = {
    allowHalfOpen: tls === undefined,
    highWaterMark: mostUnsent,
    noDelay: true,
    keepAlive: true,
  }
  const http: ServerOptions<typeof PausableRequest> = {
    ...sockets,
    IncomingMessage: PausableRequest,
    maxHeaderSize: headSize,
    headersTimeout: headTimeout,
    requestTimeout: 0,
    connectionsCheckingInterval: lookInterval,
    // The front gate says what is wrong with Host.
    requireHostHeader: false,
    insecureHTTPParser: false,
    // Other upgrades, such as the h2c that some clients always offer, are ignored and the request answered.
    shouldUpgradeCallback: (request) => namesWebSocket(request.headers.upgrade ?? ''),
    optimizeEmptyRequests: true,
  }
  if (tls === undefined) return { server: createServer(http), sockets, stopWatching: () => undefined }
  const common = {
    minVersion: 'TLSv1.2',
    handshakeTimeout: headTimeout,
    ALPNProtocols: offersHttp2 ? ['h2', 'http/1.1'] : ['http/1.1'],
  } as const
  const server = createTlsServer({ ...http, ...common, ...loadTls(tls) })
  const stopWatching = watchTls(tls, log, (material) => server.setSecureContext({ ...common, ...material }))
  return { server, sockets, tlsServer: server, stopWatching }
}
