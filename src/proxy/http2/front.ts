/** HTTP/2 on a TLS listener that also speaks HTTP/1.1: which connections get it, and what none of them may do. */
import { createServer, constants } from 'node:http2'
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Server } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { GatewayError } from '../../errors.ts'
import type { Clock } from '../../pipeline/contract/runtime.ts'
import { Http2Connection } from './connection.ts'
import { StreamRequest, StreamResponse } from './messages.ts'

/** `serve.proxy.http2`. */
export interface Http2Limits {
  readonly maxConcurrentStreams: number
}

export interface Http2FrontOptions {
  readonly limits: Http2Limits
  readonly clock: Pick<Clock, 'monotonic'>
  /** Bytes of a request head. */
  readonly headSize: number
  /** Milliseconds for the first request of a connection. */
  readonly headTimeout: number
  /** Milliseconds for which a connection may have no request; asked for each connection. */
  readonly idleTimeout: () => number
  /** Milliseconds for which a body that has been announced may not come. */
  readonly readTimeout: () => number
  /** A request with its answer; the returned function gives it up because the client is gone. */
  readonly begin: (
    request: StreamRequest,
    response: StreamResponse,
    socket: TLSSocket,
    how: { readonly expectsContinue: boolean; readonly problem: GatewayError | undefined },
  ) => () => void
}

export interface Http2Front {
  /** Tells all clients to send no more requests on their connections; those under way go on. */
  goAway(): void
}

/** Streams that a client may reset at once, and per second ever after (CVE-2023-44487). */
const resets = { streamResetBurst: 200, streamResetRate: 50 } as const
/** PING and SETTINGS frames in `floodWindow` milliseconds: each asks for an answer (CVE-2019-9512, CVE-2019-9515). */
const mostQuestions = 500
const floodWindow = 10_000
/** Bytes of bodies that one connection may have sent ahead; a stream has the protocol's 65,535 of them. */
const connectionWindow = 1_048_576
/** Header lines, pseudo-headers included; the front gate refuses fewer, and says why. */
const mostLines = 220
const invalidFrames = 100

/** Takes over the connections of `server` whose client has chosen h2 (RFC 7301); its ALPN list has to offer it. */
export function offerHttp2(server: Server, options: Http2FrontOptions): Http2Front {
  const { limits, headSize } = options
  const connections = new Map<ServerHttp2Session, Http2Connection>()
  let leaving = false
  const h2 = createServer({
    ...resets,
    maxHeaderListPairs: mostLines,
    maxSessionInvalidFrames: invalidFrames,
    // What an upstream says twice is passed on twice, as over HTTP/1.1.
    strictSingleValueFields: false,
    settings: { maxConcurrentStreams: limits.maxConcurrentStreams, maxHeaderListSize: headSize, enablePush: false },
  })
  let accepting: TLSSocket | undefined

  h2.on('session', (session: ServerHttp2Session) => {
    connections.set(session, new Http2Connection(session, accepting!, options.headTimeout))
    session.on('close', () => connections.delete(session))
    // A client that breaks the protocol is told so by the session itself.
    session.on('error', () => undefined)
    session.setLocalWindowSize(connectionWindow)
    limitQuestions(session, options.clock)
  })
  h2.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: readonly string[]) => {
    const connection = connections.get(stream.session as ServerHttp2Session)
    // Streams are told of a tick after they came; their connection may be gone.
    if (connection === undefined || connection.socket.destroyed) return
    connection.enter(stream, options.idleTimeout())
    // Every connection gets to have its first answer.
    if (leaving) connection.leave()
    const request = new StreamRequest(stream, headers, raw)
    const response = new StreamResponse(stream, request)
    const begin = (): void => {
      const abandon = options.begin(request, response, connection.socket, {
        expectsContinue: headers['expect']?.toLowerCase() === '100-continue',
        // A limit in the settings is only advice (RFC 9113 section 6.5.2).
        problem: sizeOf(raw) > headSize ? tooLarge() : expectationProblem(headers['expect']),
      })
      stream.on('aborted', abandon).on('close', abandon)
    }
    // It says that nothing follows, and its end has not come: what it is, the next frame tells (RFC 9113 section 8.1.1).
    if (Number(headers['content-length']) === 0 && !stream.endAfterHeaders)
      onceEmpty(request, options.readTimeout(), begin)
    else begin()
  })

  // The first listener is node's own.
  const [speakHttp1] = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[]
  server.off('secureConnection', speakHttp1!)
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol === 'h2') {
      accepting = socket
      h2.emit('connection', socket)
    } else speakHttp1!.call(server, socket)
  })
  return {
    goAway() {
      leaving = true
      for (const connection of connections.values()) connection.leave()
    },
  }
}

const tooLarge = (): GatewayError => new GatewayError('headers_too_large', { reason: 'the header list is too large' })

const expectationProblem = (expect: string | undefined): GatewayError | undefined =>
  expect === undefined || expect.toLowerCase() === '100-continue' ? undefined : new GatewayError('expectation_unknown')

const sizeOf = (raw: readonly string[]): number => raw.reduce((size, text) => size + text.length, 0)

function onceEmpty(request: StreamRequest, timeout: number, begin: () => void): void {
  request.socket.setTimeout(timeout)
  request.once('end', () => {
    request.socket.setTimeout(0)
    // A stream that was reset ends, too.
    if (!request.stream.closed) begin()
  })
  request.resume()
}

function limitQuestions(session: ServerHttp2Session, clock: Http2FrontOptions['clock']): void {
  let since = clock.monotonic()
  let questions = 0
  const count = (): void => {
    const now = clock.monotonic()
    if (now - since > floodWindow) {
      since = now
      questions = 0
    }
    if (++questions > mostQuestions) session.destroy(new Error('flooded'), constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }
  session.on('ping', count)
  session.on('remoteSettings', count)
}
