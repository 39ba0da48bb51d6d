/** A listener for an app of the API plane: bounded, and closed without cutting answers off. */
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { Server as NetServer, type AddressInfo, type Socket } from 'node:net'
import type { TlsOptions } from 'node:tls'
import type { getRequestListener } from '@hono/node-server'
import { createAcceptors } from '../proxy/acceptors.ts'
import { problemAnswer } from './answers.ts'

/** Milliseconds for a request head. */
const HEADERS_TIMEOUT = 10_000

export interface ApiServerOptions {
  /** The app's `fetch`. */
  readonly fetch: (request: Request, env: object) => Response | Promise<Response>
  /** PEM of key and certificate; absent for plain HTTP. */
  readonly tls?: Pick<TlsOptions, 'key' | 'cert'> | undefined
  /** Milliseconds: how long a request may take to arrive, and a connection stay open between two. */
  readonly timeouts: { readonly read: number; readonly idle: number }
  /** How many connections are taken in one turn of the event loop; 32 unless given. */
  readonly perTurn?: number
}

export interface ApiServer {
  /** Resolves with the address as it is, also for port 0; rejects with node's error (`EADDRINUSE`…). */
  listen(port: number, host: string): Promise<AddressInfo>
  /** Certificates for new connections. */
  setTls(tls: Pick<TlsOptions, 'key' | 'cert'>): void
  /** Stops accepting, and ends each connection with its next answer. */
  retire(): void
  /** Stops accepting, lets running requests finish for `graceMs`, then closes what is left. */
  close(graceMs: number): Promise<void>
}

export function createApiServer({ fetch, tls, timeouts, perTurn }: ApiServerOptions): ApiServer {
  let answer: ReturnType<typeof getRequestListener> | undefined
  let retired = false
  const listener: RequestListener = (incoming, outgoing) => {
    if (retired) outgoing.shouldKeepAlive = false
    if (answer !== undefined) void answer(incoming, outgoing)
    else void load(fetch).then((loaded) => (answer = loaded)(incoming, outgoing))
  }
  const limits = {
    headersTimeout: HEADERS_TIMEOUT,
    requestTimeout: Math.max(timeouts.read, HEADERS_TIMEOUT),
    keepAliveTimeout: timeouts.idle,
  }
  const server: Server =
    tls === undefined
      ? createHttpServer(limits, listener)
      : createHttpsServer({ ...limits, handshakeTimeout: HEADERS_TIMEOUT, ...tls }, listener)
  const acceptors = createAcceptors(server, {
    ...(perTurn !== undefined && { perTurn }),
    sockets: { allowHalfOpen: tls === undefined, noDelay: true },
  })
  // Who has not finished a TLS handshake is no connection of the HTTP server, but keeps it from closing.
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  return {
    listen: (port, host) => acceptors.listen(port, host),
    setTls(context) {
      if ('setSecureContext' in server && typeof server.setSecureContext === 'function')
        server.setSecureContext(context)
    },
    retire() {
      retired = true
      // The one of http would end idle connections, too, on which a request may be under way.
      NetServer.prototype.close.call(server)
      void acceptors.close()
    },
    async close(graceMs) {
      const deadline = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, graceMs)
      const ownClosed = new Promise((resolve) => server.close(resolve))
      server.closeIdleConnections()
      await Promise.all([ownClosed, acceptors.close()])
      clearTimeout(deadline)
    },
  }
}

/** Fetch's requests and answers, which node makes when they are first named, are not for the proxy's first answer to wait for. */
async function load(fetch: ApiServerOptions['fetch']): Promise<ReturnType<typeof getRequestListener>> {
  const node = await import('@hono/node-server')
  return node.getRequestListener(fetch, {
    // The globals are the user's when the gateway runs as a library.
    overrideGlobalObjects: false,
    // Only what cannot be made a Fetch request comes here; the app answers its own errors.
    errorHandler: () => problemAnswer(400, 'The request was malformed or contained invalid parameters'),
  })
}
