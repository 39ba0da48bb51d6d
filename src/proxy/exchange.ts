/**
 * One request from its head to the end of its answer: gate, decision, forwarding, and the record of what became of it.
 * Longer than most files because it is one state machine: whatever happens first ends the request, once.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { GatewayError } from '../errors.ts'
import type { AllowedDecision, Decision } from '../pipeline/contract/decision.ts'
import type { HeaderLine } from '../pipeline/contract/headers.ts'
import type { Inbound, ReadBody } from '../pipeline/contract/inbound.ts'
import type { ErrorAnswer } from '../pipeline/contract/outcomes.ts'
import type { UpstreamTarget } from '../pipeline/contract/upstream.ts'
import { errorAnswer } from '../pipeline/error_body.ts'
import type { RequestSpan, RequestTracer } from '../telemetry/request_span.ts'
import { answerHeaders, emptyAnswer } from './answer.ts'
import type { Connection, PendingExchange, ProxyContext } from './context.ts'
import { forward } from './forward.ts'
import type { ForwardOwner, ForwardResult } from './forward.ts'
import { clientHeaders, upstreamHeaders } from './headers.ts'
import { readInbound } from './inbound.ts'
import { requestRecord, unreadRequest } from './record.ts'
import { bodyKind, HeldBody } from './request_body.ts'
import { ResponseRewriter } from './rewrite/rewriter.ts'
import type { ProxySettings } from './settings.ts'
import { upstreamPath } from './target.ts'
import { clientClosed } from './upstream_errors.ts'
import { handshakeProblem, namesWebSocket, permissionProblem, switchingProtocols } from './upgrade.ts'
import { Handshake } from './websocket/handshake.ts'
import type { HeldSocket } from './websocket/held_socket.ts'

export interface ExchangeOptions {
  readonly expectsContinue?: boolean
  /** What is wrong with the request already before its head is looked at. */
  readonly problem?: GatewayError | undefined
  /** Present when the request came with an Upgrade header: node has let go of the socket. */
  readonly detached?: HeldSocket
}

/** Milliseconds that a client gets to send the rest of a body that nobody reads any more. */
const lingering = 2000

const noLines: readonly HeaderLine[] = []
const noNames: readonly string[] = []
const noOptions: ExchangeOptions = {}

const exchangeOf = Symbol('exchange')

interface Answered extends ServerResponse {
  [exchangeOf]?: Exchange
}

/** An allowed request on its way. */
interface Allowed {
  readonly decision: AllowedDecision
  readonly target: UpstreamTarget
  readonly settings: ProxySettings
  readonly rewriter: ResponseRewriter | undefined
}

export class Exchange implements PendingExchange, ForwardOwner {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly #context: ProxyContext
  readonly #connection: Connection
  readonly #options: ExchangeOptions
  readonly #started: number
  #added: readonly HeaderLine[] = noLines
  #inbound: Inbound | undefined
  /** Absent when nobody wants traces. */
  #span: RequestSpan | undefined
  #decision: Decision | undefined
  #error: GatewayError | undefined
  #forwarding: { abandon(): void } | undefined
  /** What the head of the upstream's answer is made with. */
  #allowed: Allowed | undefined
  /** Present when the request is to become a WebSocket. */
  #handshake: Handshake | undefined
  /** Made when a handler asks for the body. */
  #body: HeldBody | undefined
  #status = 0
  #over = false

  constructor(
    context: ProxyContext,
    connection: Connection,
    request: IncomingMessage,
    response: ServerResponse,
    options = noOptions,
  ) {
    this.#context = context
    this.#connection = connection
    this.#options = options
    this.request = request
    this.response = response
    this.#started = context.clock.monotonic()
    connection.exchanges.add(this)
    const answered: Answered = response
    answered[exchangeOf] = this
    answered.on('finish', answerHasLeft)
  }

  /** The response has been handed to the kernel whole. */
  answered(): void {
    this.#finish()
  }

  /** Never throws: a fault in the code is one 500. */
  start(): void {
    try {
      this.#start()
    } catch (error) {
      this.#fault(error)
    }
  }

  abandon(error = clientClosed()): void {
    if (this.#over) return
    this.#error ??= error
    this.#finish(this.#error.status)
    this.#forwarding?.abandon()
    this.#body?.abandon()
  }

  #start(): void {
    const { settings, decide, tracer } = this.#context.current()
    const inbound =
      this.#options.problem ?? readInbound(this.request, this.#connection.peer, settings, this.#bodyReader(settings))
    const canonical = inbound instanceof GatewayError ? undefined : inbound
    if (tracer !== undefined) this.#span = this.#startSpan(tracer, canonical)
    if (inbound instanceof GatewayError) {
      this.#refuse(inbound)
      return
    }
    this.#inbound = inbound
    if (settings.cors !== undefined) {
      const cors = settings.cors(inbound.method, inbound.headers)
      this.#added = cors.headers
      if (cors.preflight) {
        this.#answer({ status: 204, headers: [], body: '' })
        return
      }
    }
    if (this.#wantsTunnel()) {
      const problem = handshakeProblem(inbound, this.request.httpVersion)
      if (problem !== undefined) {
        this.#refuse(problem)
        return
      }
    } else if (this.#options.detached !== undefined && bodyKind(this.request) !== 'none') {
      // Before version 24.9 node hands over every Upgrade, and no longer reads what follows.
      this.#refuse(new GatewayError('request_invalid', { reason: 'a request with a body asks for an upgrade' }))
      return
    }
    const endpoint = settings.endpoints.get(inbound.path)
    if (endpoint !== undefined && (inbound.method === 'GET' || inbound.method === 'HEAD')) {
      const answer = endpoint(inbound)
      if (answer instanceof Promise)
        answer.then((late) => this.#answer(late)).catch((error: unknown) => this.#fault(error))
      else this.#answer(answer)
      return
    }
    const span = this.#span
    const decision = span === undefined ? decide(inbound) : span.run(() => decide(inbound))
    if (!(decision instanceof Promise)) {
      this.#proceed(decision, settings)
      return
    }
    decision.then((made) => this.#proceed(made, settings)).catch((error: unknown) => this.#fault(error))
  }

  #startSpan(tracer: RequestTracer, inbound: Inbound | undefined): RequestSpan {
    const { method = '', rawHeaders } = this.request
    return tracer({
      method,
      rawHeaders,
      peer: this.#connection.peer.address,
      scheme: inbound?.scheme,
      host: inbound?.host,
      path: inbound?.path,
      userAgent: inbound?.headers.get('user-agent'),
    })
  }

  #bodyReader(settings: ProxySettings): ReadBody | undefined {
    if (this.#options.detached !== undefined || bodyKind(this.request) === 'none') return undefined
    return (limit) => {
      this.#body ??= new HeldBody(this.request, settings.timeouts.read, () => {
        if (this.#options.expectsContinue === true) this.response.writeContinue()
      })
      return this.#body.read(limit)
    }
  }

  #wantsTunnel(): boolean {
    return this.#options.detached !== undefined && this.#inbound!.headers.all('upgrade').some(namesWebSocket)
  }

  #proceed(decision: Decision, settings: ProxySettings): void {
    this.#decision = decision
    if (this.#over) return
    if (!decision.allowed) {
      this.#error = decision.error
      this.#answer(decision.answer)
      return
    }
    if (decision.upstream === undefined) {
      this.#refuse(new GatewayError('rule_misconfigured', { reason: 'the rule has no upstream that can be used' }))
      return
    }
    const inbound = this.#inbound!
    const target = decision.upstream
    const upstream = this.#context.upstreams.open(target.origin, target.connection)
    if (upstream.isFull) {
      const reason = 'too many requests wait for the upstream'
      this.#refuse(new GatewayError('overloaded', { reason, headers: [['Retry-After', '1']] }))
      return
    }
    if (this.#wantsTunnel()) {
      const handshake = permissionProblem(inbound, decision) ?? Handshake.begin(this.#context, inbound, decision)
      if (handshake instanceof GatewayError) {
        this.#refuse(handshake)
        return
      }
      this.#handshake = handshake
    }
    const handshake = this.#handshake
    const built = upstreamHeaders(inbound, handshake?.edits ?? decision.edits, target, settings)
    const { rewrite } = target
    const rewriter = rewrite === undefined ? undefined : new ResponseRewriter(rewrite, inbound, target)
    const asked = handshake?.ask(built) ?? built
    const headers = rewriter?.request(asked) ?? asked
    if (target.preserveHost) headers.push('host', inbound.host)
    const { method } = inbound
    const path = upstreamPath(inbound, target, settings.safeguards.path)
    this.#span?.startUpstream({ method, origin: target.origin, path }, headers)
    this.#allowed = { decision, target, settings, rewriter }
    this.#forwarding = forward({
      request: this.request,
      response: this.response,
      carrier: this.#connection.carrier,
      method,
      path,
      headers,
      ownedHeaders: settings.ownedHeaders,
      upstream,
      timeouts: settings.timeouts,
      responseTimeout: target.responseTimeout ?? settings.timeouts.responseHeaders,
      idleTimeout: target.idleTimeout ?? settings.timeouts.write,
      maxBody: target.maxBody ?? Number.POSITIVE_INFINITY,
      body: this.#body?.bytes,
      expectsContinue: this.#options.expectsContinue === true,
      upgrades: handshake !== undefined,
      owner: this,
      rewriter,
    })
  }

  head(status: number, fields: readonly string[]): string[] {
    const { decision, target, settings, rewriter } = this.#allowed!
    decision.answered?.(status)
    if (this.#context.stage !== 'open') this.response.shouldKeepAlive = false
    const responses = target.headers?.session_cookie_responses ?? settings.safeguards.session_cookie_responses
    const guarded = responses === 'drop' && !target.passCredentials
    return clientHeaders(fields, {
      guardedCookies: guarded ? settings.sessionCookies : noNames,
      added: decision.responseHeaders.length === 0 ? this.#added : [...decision.responseHeaders, ...this.#added],
      ownCors: settings.cors !== undefined,
      status,
      trailers: this.request.httpVersion === '1.1',
      rewrite: rewriter?.header,
    })
  }

  /** Never throws: it is called from a socket's events, where nobody would catch it. */
  ended(result: ForwardResult): void {
    try {
      this.#ended(result)
    } catch (error) {
      this.#fault(error)
    }
  }

  #ended(result: ForwardResult): void {
    if (this.#over) return
    this.#span?.endUpstream(result.status, result.error?.code)
    this.#status = result.status
    if (result.error === undefined) return
    this.#error = result.error
    if (result.headSent) {
      // A clean end would pass for the whole answer.
      this.#finish(result.status, true)
    } else {
      this.#answer(result.error.status < 500 ? this.#plain(result.error) : emptyAnswer(result.error))
    }
  }

  /** Never throws, either. */
  upgraded(fields: readonly string[], upstream: Duplex): void {
    try {
      this.#upgraded(fields, upstream)
    } catch (error) {
      upstream.destroy()
      this.#fault(error)
    }
  }

  #upgraded(fields: readonly string[], upstream: Duplex): void {
    const held = this.#options.detached!
    const { socket } = held
    if (this.#over || socket.destroyed) {
      upstream.destroy()
      return
    }
    const handshake = this.#handshake!
    const headers = this.head(101, fields)
    const problem = handshake.agree(headers)
    if (problem !== undefined) {
      upstream.destroy()
      this.ended({ headSent: false, status: 101, error: problem })
      return
    }
    this.response.detachSocket(this.request.socket)
    socket.write(switchingProtocols(headers), 'latin1')
    this.#span?.endUpstream(101)
    this.#finish(101)
    const sockets = { client: socket, carrier: this.#connection.carrier, upstream }
    const tunnel = handshake.open(sockets, held.release())
    if (this.#context.stage === 'closing') tunnel.goAway()
  }

  #refuse(error: GatewayError): void {
    this.#error = error
    this.#answer(this.#plain(error))
  }

  #plain(error: GatewayError): ErrorAnswer {
    return errorAnswer(error, this.#inbound, { verbose: false })
  }

  #fault(error: unknown): void {
    const known = error instanceof GatewayError
    if (!known) {
      const { name, message, stack } =
        error instanceof Error ? error : new Error('something else than an error was thrown')
      this.#context.log.error({ error: { name, message, stack } }, 'request failed by a fault in the gateway')
    }
    if (this.#over) return
    if (this.response.headersSent) {
      this.#error = known ? error : new GatewayError('internal_error')
      this.#finish(this.response.statusCode, true)
      return
    }
    try {
      this.#refuse(known ? error : new GatewayError('internal_error', { cause: error }))
    } catch {
      // Nothing can be said to this client.
      this.#finish(500)
      this.request.socket.destroy()
    }
  }

  #answer(answer: ErrorAnswer): void {
    const { response } = this
    const { status } = answer
    this.#status = status
    // A client that waits for 100 (Continue), or has stopped sending, cannot tell where its next request would begin.
    const stuck = this.#options.expectsContinue === true || status === 408
    if (stuck || this.#context.stage !== 'open') response.shouldKeepAlive = false
    response.writeHead(status, answerHeaders(answer, this.#added))
    response.end(answer.body)
    if (response.writableLength > 0) response.socket?.setTimeout(this.#context.current().settings.timeouts.write)
  }

  /** The answer has left, or never will; `isBroken`: a part of it has. */
  #finish(status = this.#status, isBroken = false): void {
    if (this.#over) return
    this.#over = true
    this.#allowed?.decision.answered?.(0)
    this.#observe(status)
    const { request, response } = this
    // Before others hear that the connection is free: what they said would be read as the rest of this answer.
    if (isBroken) breakOff(response, request, this.#connection)
    const { exchanges } = this.#connection
    exchanges.delete(this)
    if (exchanges.size === 0) this.#connection.idle()
    else this.#watchNext()
    if (status === 101) return
    this.#handshake?.abandon()
    if (this.#options.detached !== undefined) {
      response.detachSocket(request.socket)
      request.socket.destroySoon()
    } else if (!request.complete && !request.socket.destroyed) {
      setTimeout(() => {
        if (!request.complete) request.socket.destroy()
      }, lingering).unref()
    }
  }

  /** The next of several pipelined answers has the socket now; it may have been waiting whole for a client that reads nothing. */
  #watchNext(): void {
    const [next] = this.#connection.exchanges
    const { socket } = this.request
    // Streams of HTTP/2 do not wait for each other.
    if (next === undefined || next.response.socket !== socket) return
    const { writableEnded, writableNeedDrain } = next.response
    socket.setTimeout(writableEnded || writableNeedDrain ? this.#context.current().settings.timeouts.write : 0)
  }

  #observe(status: number): void {
    const { clock, observe, log } = this.#context
    const known = {
      method: this.request.method ?? '',
      status,
      durationMs: clock.monotonic() - this.#started,
      remoteAddress: this.#connection.peer.address,
      unread: this.#inbound === undefined ? unreadRequest(this.request) : undefined,
      span: this.#span?.ids,
    }
    try {
      const record = requestRecord(known, this.#inbound, this.#decision, this.#error)
      this.#span?.end(record)
      observe(record)
    } catch (fault) {
      log.error({ error: String(fault) }, 'the record of a request could not be taken')
    }
  }
}

/** One function for all responses, which finds its exchange by the response. */
function answerHasLeft(this: Answered): void {
  this[exchangeOf]?.answered()
}

/** Ends the connection so that the client knows that its answer is not whole. */
function breakOff(response: ServerResponse, request: IncomingMessage, connection: Connection): void {
  if (response.socket === null) {
    // Others are answered before it. When it is its turn node gives it the connection, and the connection ends.
    response.assignSocket = (socket) => socket.destroySoon()
    return
  }
  // Where only the end of the connection delimits the body, an orderly end would look whole.
  if (request.httpVersion === '1.0') connection.reset()
  else response.destroy()
}
