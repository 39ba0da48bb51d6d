/** What the requests of one server, and of one connection, share. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { GatewayError } from '../errors.ts'
import type { OriginPools } from '../outbound/origin_pools.ts'
import type { Clock, Log } from '../pipeline/contract/runtime.ts'
import type { Peer } from './inbound.ts'
import type { RequestRecord } from './record.ts'
import type { ProxySnapshot } from './settings.ts'
import type { Tunnels } from './websocket/tunnels.ts'

/** What all requests of one server share. */
export interface ProxyContext {
  readonly current: () => ProxySnapshot
  readonly log: Log
  readonly observe: (record: RequestRecord) => void
  readonly clock: Clock
  readonly upstreams: OriginPools
  readonly tunnels: Tunnels
  /** `draining`: the server goes on, but every answer ends its connection. `closing`: WebSockets have to go, too. */
  stage: 'open' | 'draining' | 'closing'
}

/** A request that has not been answered yet, as its connection sees it. */
export interface PendingExchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The client is gone, or has sent something that ends its connection; `error` says what. */
  abandon(error?: GatewayError): void
}

/** One client connection and the requests on it that have not been answered yet. */
export interface Connection {
  readonly peer: Peer
  /** The TCP connection, which below TLS is a socket of its own. */
  readonly carrier: Socket
  readonly exchanges: Set<PendingExchange>
  /** Called when the last of them is done. */
  idle: () => void
  /** Ends it with a reset: an orderly end would make the client take what it has for the whole. */
  readonly reset: () => void
}
