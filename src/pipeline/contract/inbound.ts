/** The request, as the pipeline sees it. */
import type { RequestHeaders } from './headers.ts'

/**
 * Reads the request's body whole. What it takes is not lost: the upstream still gets every byte.
 * @param limit bytes
 * Rejects with GatewayError: `body_too_large`, `request_timeout`, `client_closed_request`.
 */
export type ReadBody = (limit: number) => Promise<Uint8Array>

/**
 * One request as the pipeline sees it: the canonical request and its headers. The body stays where it is until a handler
 * asks for it.
 * What is matched, logged and given to templates is what is forwarded.
 */
export interface Inbound {
  readonly method: string
  /** `http` or `https`; on /decisions whatever X-Forwarded-Proto says. */
  readonly scheme: string
  /** Host and port as the client named them, case kept. */
  readonly host: string
  /** Decoded once and resolved, without a trailing slash except for `/`: what rules match and templates see. */
  readonly path: string
  /** The same path percent-encoded, with the client's trailing slash: what the upstream gets. Starts with `/`. */
  readonly target: string
  /** Without `?`, as the client sent it; empty when there is none. */
  readonly query: string
  readonly headers: RequestHeaders
  /** IP address of the peer (without port). */
  readonly remoteAddress: string
  /** Absent when the request has no body. */
  readonly readBody?: ReadBody | undefined
}
