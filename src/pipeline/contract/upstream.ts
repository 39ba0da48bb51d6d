/** Where allowed requests go, and what is done on the way. */
import type { SecureContext } from 'node:tls'
import type { Safeguards } from './safeguards.ts'

/** How connections to an upstream are made, where a rule or the config says something of it. */
export interface UpstreamConnection {
  /** Equal when connections may be shared: same origin, connect timeout, limits, and contents of the TLS files. */
  readonly key: string
  /** Milliseconds; 0 for no limit. */
  readonly connectTimeout?: number
  readonly tls?: SecureContext
  /** What is said of how many requests it gets at a time. */
  readonly limits?: {
    readonly connections?: number
    /** Requests that wait for a connection. */
    readonly waiting?: number
    /** Milliseconds for which they wait. */
    readonly waitTimeout?: number
  }
}

/** Safeguards that a rule sets singly. */
export interface UpstreamHeaders extends Partial<
  Pick<Safeguards, 'client_headers' | 'forwarded_headers' | 'session_cookie_responses'>
> {
  /** Session credentials and Authorization stay behind although other headers of the client pass. */
  readonly credentials?: 'drop'
}

/** What a rule says of WebSockets. */
export interface WebSocketSettings {
  /** Origins of pages that may open one, beside pages of the host that they ask. */
  readonly allowedOrigins: readonly string[]
  /** Present when connection_init is to be rebuilt: where in it, or in the upgrade, the mutators' headers belong. */
  readonly graphql?: 'upgrade' | 'payload' | 'payload_headers'
  /** Milliseconds between two decisions about an open socket; 0 for no second one. */
  readonly recheck: number
  /** Bytes of one message of the client. */
  readonly maxMessage: number
}

/** Beginning of URLs. */
export interface UrlPlace {
  /** `scheme://host`; absent means the address under which the client asked. */
  readonly origin?: string
  /** Whole segments without a slash at the end; empty for all of the origin. */
  readonly path: string
}

export interface UrlRewrite {
  readonly from: UrlPlace
  readonly to: UrlPlace
}

export interface CookieRewrite {
  /** Empty: the cookie is for the host alone that sets it. */
  readonly domain: string
  readonly secure: 'match' | 'always'
}

/** What of an upstream's answers is rewritten, so that browsers stay on the gateway's address. */
export interface ResponseRewrite {
  /** The first that fits counts. */
  readonly urls: readonly UrlRewrite[]
  /** Whether the URLs are rewritten in bodies, too. */
  readonly bodies: boolean
  readonly cookies?: CookieRewrite
}

export interface UpstreamTarget {
  /** `http://host:port` or `https://host:port`; never made from client bytes. */
  readonly origin: string
  /** Path of the upstream URL; empty or starting with `/`, without a trailing slash. */
  readonly basePath: string
  readonly preserveHost: boolean
  /** Normalised to `/a/b`, or empty. */
  readonly stripPath: string
  /** Whether `stripPath` counts only at the beginning of the request's path, whatever `safeguards.path` says. */
  readonly stripsPrefixOnly?: boolean
  /** Whether the client's session credentials reach this upstream (Kratos itself, or a rule that says so). */
  readonly passCredentials: boolean
  /** What the rule says of headers, over the safeguards of the config. */
  readonly headers?: UpstreamHeaders
  readonly connection?: UpstreamConnection
  /** Milliseconds until the response begins, 0 for no limit; absent: as the proxy has it. */
  readonly responseTimeout?: number
  /** Milliseconds for which a response may stand still, 0 for no limit; absent: as the proxy has it. */
  readonly idleTimeout?: number
  /** Bytes that a request's body may have; absent: any number. */
  readonly maxBody?: number
  /** False: no request may become a WebSocket. Absent: any may, and its bytes pass untouched. */
  readonly webSocket?: WebSocketSettings | false
  readonly rewrite?: ResponseRewrite
}
