/** What the proxy plane needs to know of the configuration; part of a snapshot, immutable. */
import type { Decision } from '../pipeline/contract/decision.ts'
import type { Inbound } from '../pipeline/contract/inbound.ts'
import type { ErrorAnswer } from '../pipeline/contract/outcomes.ts'
import type { Safeguards } from '../pipeline/contract/safeguards.ts'
import type { Awaitable } from '../pipeline/contract/values.ts'
import type { RequestTracer } from '../telemetry/request_span.ts'
import type { Cors } from './cors.ts'
import type { WebSocketLimits } from './websocket/tunnels.ts'

export interface ProxySettings {
  readonly safeguards: Pick<Safeguards, 'path' | 'client_headers' | 'forwarded_headers' | 'session_cookie_responses'>
  /** `serve.proxy.trust_forwarded_headers`: whether X-Forwarded-* of the peer are believed and kept. */
  readonly trustForwardedHeaders: boolean
  /** Request headers that any mutator of the snapshot sets; lower case. */
  readonly ownedHeaders: ReadonlySet<string>
  /** Names of the cookies that carry a session; case matters. */
  readonly sessionCookies: readonly string[]
  /** Those, and others that carry a token of the client; absent: no others. */
  readonly credentialCookies?: readonly string[]
  /** `serve.proxy.endpoints` by path: what is answered to GET and HEAD before any rule. */
  readonly endpoints: ReadonlyMap<string, ProxyEndpoint>
  /** Absent when `serve.proxy.cors` is not enabled. */
  readonly cors?: Cors
  readonly timeouts: ProxyTimeouts
  /** Absent: as the config has them when it says nothing. */
  readonly webSockets?: WebSocketLimits
}

/** Answers a request itself. */
export type ProxyEndpoint = (inbound: Inbound) => Awaitable<ErrorAnswer>

/** Milliseconds of silence; nothing here limits how long a request may take as a whole. */
export interface ProxyTimeouts {
  /** The client sends no byte of a body that it has announced. */
  readonly read: number
  /** The client takes no byte of the answer, or the upstream sends no byte of a body that it has begun. */
  readonly write: number
  /** A kept-alive connection of a client without a request. */
  readonly idle: number
  /** The upstream has the whole request and sends no response head. */
  readonly responseHeaders: number
}

/** What one request runs against; a reload swaps the whole. */
export interface ProxySnapshot {
  readonly decide: (inbound: Inbound) => Awaitable<Decision>
  readonly settings: ProxySettings
  /** Absent when nobody wants traces. */
  readonly tracer?: RequestTracer | undefined
}
