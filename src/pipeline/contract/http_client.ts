/** Calls to services. */
import type { HeaderLine } from './headers.ts'

/** One call to a service beside the session store and the upstreams. */
export interface HttpRequest {
  readonly method: string
  /** Absolute, http or https; its origin comes from configuration, never from a client. */
  readonly url: string
  /** Names in lower case; values one character per byte, as node gives those of requests. */
  readonly headers: readonly HeaderLine[]
  readonly body?: string | Uint8Array
}

export interface HttpLimits {
  /** Milliseconds for everything: waiting for a connection, all attempts and the pauses between them. */
  readonly giveUpAfter: number
  /** Longest pause between two attempts, milliseconds; absent means that there is only one. */
  readonly maxDelay?: number
  /** Bytes of the answer's body; 1 MiB unless given. With 0 the body is not read: `body` is empty, whatever was sent. */
  readonly maxBody?: number
}

export interface HttpResponse {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export interface HttpClient {
  /**
   * Rejects with HttpCallError when there is no whole answer. Attempts that failed, or were answered with 429 or 5xx (other
   * than 501), are repeated as `limits` allow: the service must be able to take the same request twice. An answer whose
   * Retry-After asks for a longer pause than `limits` allow is final.
   */
  send(request: HttpRequest, limits: HttpLimits): Promise<HttpResponse>
}
