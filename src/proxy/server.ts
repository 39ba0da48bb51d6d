/** The proxy plane's listener: HTTP/1.1 over TCP or TLS, with a bounded life for everything that connects. */
import { ServerResponse } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Server as NetServer, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { GatewayError } from '../errors.ts'
import type { PoolLimits } from '../outbound/origin_pool.ts'
import { OriginPools } from '../outbound/origin_pools.ts'
import type { Revocations } from '../pipeline/contract/revocations.ts'
import type { Clock, Log } from '../pipeline/contract/runtime.ts'
import { createAcceptors } from './acceptors.ts'
import type { Connection, ProxyContext } from './context.ts'
import { Exchange } from './exchange.ts'
import type { ExchangeOptions } from './exchange.ts'
import { offerHttp2 } from './http2/front.ts'
import type { Http2Limits } from './http2/front.ts'
import { headSize, headTimeout, openServer } from './open_server.ts'
import type { RequestRecord } from './record.ts'
import type { ProxySnapshot } from './settings.ts'
import type { TlsSource } from './tls.ts'
import { answerUnreadable } from './unreadable.ts'
import { HeldSocket } from './websocket/held_socket.ts'
import { Tunnels } from './websocket/tunnels.ts'
import type { WebSocketObserver } from './websocket/tunnels.ts'

export interface ProxyServerOptions {
  /** Read once for each request. */
  readonly current: () => ProxySnapshot
  readonly log: Log
  /** Called once for each finished request. */
  readonly observe: (record: RequestRecord) => void
  readonly clock: Clock
  readonly tls?: TlsSource
  /** Absent: HTTP/1.1 alone. Without TLS there is no HTTP/2. */
  readonly http2?: Http2Limits
  readonly upstreams?: Partial<PoolLimits>
  /** Open client connections; more are dropped. 10,000 unless given. */
  readonly maxConnections?: number
  /** Tells open WebSockets of sessions that have ended. */
  readonly revocations?: Pick<Revocations, 'subscribe'>
  readonly observeWebSockets?: WebSocketObserver
}

export interface ProxyServer {
  /** Resolves with the bound address; rejects with node's error, such as EADDRINUSE. An empty host means all interfaces. */
  listen(port: number, host: string): Promise<AddressInfo>
  /** Goes on accepting, but lets no connection last longer than the request that it has: clients shall look elsewhere. */
  drain(): void
  /** As `drain`, without accepting: another process has taken over what listens. */
  retire(): void
  /**
   * Stops accepting, lets what is under way finish, tells WebSockets to go (1001), and cuts off whatever is left after
   * `graceMs` milliseconds. Resolves when every connection is closed.
   */
  close(graceMs: number): Promise<void>
}

/** Milliseconds, with room for the second that node adds: the longest that its timers wait. */
const longestTimer = 2_147_480_000

/** Throws an Error when the TLS files cannot be used. */
export function createProxyServer(options: ProxyServerOptions): ProxyServer {
  const { log } = options
  const upstreams = new OriginPools(options.upstreams)
  const context: ProxyContext = {
    current: options.current,
    log,
    observe: options.observe,
    clock: options.clock,
    upstreams,
    tunnels: new Tunnels(options.observeWebSockets),
    stage: 'open',
  }
  const stopListening = options.revocations?.subscribe((revocation) => context.tunnels.revoked(revocation))
  const connections = new Map<Socket, Connection>()
  const { server, sockets, tlsServer, stopWatching } = openServer(options, options.http2 !== undefined)
  const acceptors = createAcceptors(server, { maxConnections: options.maxConnections ?? 10_000, sockets })
  // Only idleness is limited, and each kind where it arises.
  server.timeout = 0

  const begin = (request: IncomingMessage, response: ServerResponse, how?: ExchangeOptions): void => {
    new Exchange(context, connections.get(request.socket)!, request, response, how).start()
  }
  // CONNECT and Upgrade come with the socket alone; a response of their own lets every branch be answered alike.
  const beginDetached = (request: IncomingMessage, _socket: Duplex, head: Buffer): void => {
    const { socket } = request
    const connection = connections.get(socket)!
    const held = new HeldSocket(socket, head, () => {
      for (const { response } of connection.exchanges) if (response.socket === socket) response.emit('drain')
    })
    afterEarlier(connection, socket, () => {
      const response = new ServerResponse(request)
      response.shouldKeepAlive = false
      response.assignSocket(socket)
      begin(request, response, { detached: held })
    })
  }

  server.on(options.tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    // Set again for each connection, so that it follows a reload. Without one node leaves what was set for the answer.
    const { idle } = options.current().settings.timeouts
    server.keepAliveTimeout = idle === 0 ? longestTimer : idle
    connections.set(socket, track(socket, context, carriers.get(endsOf(socket)) ?? socket))
    socket.on('close', () => connections.delete(socket))
  })
  // The TCP connections below TLS: who has not finished the handshake is no connection yet, but keeps the server from closing.
  const carriers = new Map<string, Socket>()
  tlsServer?.on('connection', (socket: Socket) => {
    const ends = endsOf(socket)
    carriers.set(ends, socket)
    socket.on('close', () => {
      // The next connection from there may have come before this one's end was noticed.
      if (carriers.get(ends) === socket) carriers.delete(ends)
    })
  })
  const http2 =
    tlsServer === undefined || options.http2 === undefined
      ? undefined
      : offerHttp2(tlsServer, {
          limits: options.http2,
          clock: options.clock,
          headSize,
          headTimeout,
          idleTimeout: () => options.current().settings.timeouts.idle,
          readTimeout: () => options.current().settings.timeouts.read,
          begin(request, response, socket, how) {
            // They are what the exchange uses of their older kin.
            const kin = [request, response] as unknown as [IncomingMessage, ServerResponse]
            const exchange = new Exchange(context, connections.get(socket)!, ...kin, how)
            exchange.start()
            return () => exchange.abandon()
          },
        })
  server.on('request', begin)
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
    begin(request, response, { expectsContinue: true }),
  )
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) =>
    begin(request, response, { problem: new GatewayError('expectation_unknown') }),
  )
  server.on('upgrade', beginDetached)
  server.on('connect', beginDetached)
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) =>
    answerUnreadable(context, error, socket, connections.get(socket as Socket)),
  )

  return {
    async listen(port, host) {
      const address = await acceptors.listen(port, host)
      server.on('error', (error) => log.error({ error: error.message }, 'the proxy listener failed'))
      return address
    },
    drain() {
      context.stage = 'draining'
      http2?.goAway()
    },
    retire() {
      context.stage = 'draining'
      http2?.goAway()
      // The one of http would end idle connections, too, on which a request may be under way.
      NetServer.prototype.close.call(server)
      void acceptors.close()
    },
    close: async (graceMs) => {
      context.stage = 'closing'
      stopWatching()
      const ownClosed = new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
      const closed = Promise.all([ownClosed, acceptors.close()])
      context.tunnels.goAway()
      http2?.goAway()
      // Node ends those that have been used; one that has not said anything yet has nothing to lose.
      for (const socket of connections.keys()) if (socket.bytesRead === 0) socket.destroySoon()
      const deadline = setTimeout(() => {
        for (const [socket, { exchanges }] of connections) {
          for (const exchange of exchanges) exchange.abandon()
          socket.destroy()
        }
        for (const socket of carriers.values()) socket.destroy()
      }, graceMs)
      await closed
      clearTimeout(deadline)
      stopListening?.()
      await upstreams.close(true)
    },
  }
}

function track(socket: Socket, context: ProxyContext, carrier: Socket): Connection {
  const connection: Connection = {
    peer: { address: plainAddress(socket.remoteAddress ?? ''), tls: socket instanceof TLSSocket },
    carrier,
    exchanges: new Set(),
    idle: () => {
      // A session of HTTP/2 ends by itself when its last stream has.
      if (isHttp2(socket)) return
      if (context.stage === 'closing') setImmediate(() => connection.exchanges.size === 0 && socket.destroySoon())
    },
    reset: () => {
      if (!(carrier instanceof TLSSocket)) carrier.resetAndDestroy()
      socket.destroy()
    },
  }
  socket.on('close', () => {
    for (const exchange of connection.exchanges) exchange.abandon()
  })
  return connection
}

/**
 * Begins when all requests that the client sent before on this connection are answered: a socket has one answer at a
 * time, and node, which keeps the order among requests, hands over what asks for an upgrade at once.
 */
function afterEarlier(connection: Connection, socket: Socket, begin: () => void): void {
  if (connection.exchanges.size === 0) {
    begin()
    return
  }
  const { idle } = connection
  connection.idle = () => {
    connection.idle = idle
    // The earlier answer may have been the connection's last.
    if (!socket.writable) return
    // What node sets for the time between two requests.
    socket.setTimeout(0)
    begin()
  }
}

/** Both ends of a connection, which no two connections share; with one of its own a client may come to two of our addresses. */
const endsOf = ({ remoteAddress, remotePort, localAddress, localPort }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`

const isHttp2 = (socket: Socket): boolean => socket instanceof TLSSocket && socket.alpnProtocol === 'h2'

/** Dual-stack listeners see IPv4 clients as IPv6 addresses (RFC 4291 section 2.5.5.2). */
const plainAddress = (address: string): string => (address.startsWith('::ffff:') ? address.slice(7) : address)
