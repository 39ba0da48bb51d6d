/** One WebSocket from the decision for it to its end: its place among all, what the upstream is asked, and the tunnel. */
import { hash } from 'node:crypto'
import { GatewayError } from '../../errors.ts'
import type { AllowedDecision } from '../../pipeline/contract/decision.ts'
import type { HeaderEdit } from '../../pipeline/contract/headers.ts'
import type { Inbound } from '../../pipeline/contract/inbound.ts'
import type { Clock, Log } from '../../pipeline/contract/runtime.ts'
import { GraphqlGate } from '../graphql_ws/gate.ts'
import { MessageFlow } from '../graphql_ws/message_flow.ts'
import { chosenProtocol, closeCodes, knownProtocols } from '../graphql_ws/protocols.ts'
import type { GraphqlProtocol } from '../graphql_ws/protocols.ts'
import type { ProxySnapshot } from '../settings.ts'
import { ByteFlow } from './byte_flow.ts'
import { codes } from './flow.ts'
import type { Flow, FlowEnds } from './flow.ts'
import { Lifetime } from './lifetime.ts'
import { Tunnel } from './tunnel.ts'
import type { TunnelOptions } from './tunnel.ts'
import type { OpenTunnel, Tunnels, WebSocketLimits } from './tunnels.ts'

export interface HandshakeContext {
  readonly current: () => ProxySnapshot
  readonly clock: Clock
  readonly log: Pick<Log, 'info'>
  readonly tunnels: Tunnels
}

/** `serve.proxy.websockets`, as it is unless the config says otherwise. */
export const defaultWebSocketLimits: WebSocketLimits = { max: 10_000, maxPerSession: 20, ping: 30_000 }

/** Milliseconds that a client of GraphQL gets for its first message. */
const initTimeout = 10_000

export class Handshake {
  /** What the mutators say, as far as it belongs into the headers of the upgrade. */
  readonly edits: readonly HeaderEdit[]
  readonly #context: HandshakeContext
  readonly #inbound: Inbound
  readonly #decision: AllowedDecision
  readonly #limits: WebSocketLimits
  readonly #session: string
  readonly #offers: string | undefined
  #protocol: GraphqlProtocol | undefined
  #holdsPlace = true

  private constructor(
    context: HandshakeContext,
    inbound: Inbound,
    decision: AllowedDecision,
    place: { readonly limits: WebSocketLimits; readonly session: string; readonly offers: string | undefined },
  ) {
    this.#context = context
    this.#inbound = inbound
    this.#decision = decision
    this.#limits = place.limits
    this.#session = place.session
    this.#offers = place.offers
    const { graphql } = this.#settings ?? {}
    // Said in one place only: Hasura refuses two tokens, even equal ones.
    const isSaidLater = graphql === 'payload' || graphql === 'payload_headers'
    this.edits = isSaidLater ? decision.edits.map(([name]) => [name, null]) : decision.edits
  }

  /** Takes a place for the socket, which `abandon` or the socket's end gives back; or the error that refuses it. */
  static begin(context: HandshakeContext, inbound: Inbound, decision: AllowedDecision): Handshake | GatewayError {
    const { webSocket } = decision.upstream ?? {}
    const isGraphql = typeof webSocket === 'object' && webSocket.graphql !== undefined
    const offers = isGraphql ? knownProtocols(inbound.headers.all('sec-websocket-protocol')) : undefined
    if (isGraphql && offers === undefined) {
      const reason = 'none of the offered subprotocols is graphql-transport-ws or graphql-ws'
      return new GatewayError('request_invalid', { reason })
    }
    const limits = context.current().settings.webSockets ?? defaultWebSocketLimits
    const { id: session = '' } = decision.session
    const place = context.tunnels.take(session, limits)
    if (place === 'taken') return new Handshake(context, inbound, decision, { limits, session, offers })
    const headers = [['Retry-After', '1']] as const
    return place === 'full'
      ? new GatewayError('overloaded', { reason: 'too many WebSockets are open', headers })
      : new GatewayError('too_many_websockets', { headers })
  }

  get #settings() {
    const { webSocket } = this.#decision.upstream ?? {}
    return webSocket === false ? undefined : webSocket
  }

  /** The header list for the upstream, where messages have to be readable: no compression, no protocol unknown here. */
  ask(headers: readonly string[]): string[] {
    const asked: string[] = []
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i]!.toLowerCase()
      const isReplaced = name === 'sec-websocket-protocol' || name === 'sec-websocket-extensions'
      if (this.#offers === undefined || !isReplaced) asked.push(headers[i]!, headers[i + 1]!)
    }
    if (this.#offers !== undefined && this.#offers !== '') asked.push('Sec-WebSocket-Protocol', this.#offers)
    return asked
  }

  /**
   * The error of a server that agreed to what it was not asked; `headers` is its flat header list. Whoever does not know
   * the answer to the key is no WebSocket server, but something that a client has brought to say 101 in order to have a
   * connection that nobody looks into.
   */
  agree(headers: readonly string[]): GatewayError | undefined {
    const answered = (wanted: string): string | undefined => {
      const index = headers.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === wanted)
      return index === -1 ? undefined : headers[index + 1]
    }
    const key = this.#inbound.headers.get('sec-websocket-key')!
    if (answered('sec-websocket-accept') !== acceptance(key)) {
      return new GatewayError('upstream_broken', {
        reason: 'the upstream switched protocols without Sec-WebSocket-Accept',
      })
    }
    if (this.#offers === undefined) return undefined
    this.#protocol = chosenProtocol(answered('sec-websocket-protocol'))
    if (this.#protocol !== undefined && answered('sec-websocket-extensions') === undefined) return undefined
    const reason = 'the upstream chose a WebSocket subprotocol or extension that it was not offered'
    return new GatewayError('upstream_broken', { reason })
  }

  /** Joins the two sockets; `head` is what the client has sent already. */
  open(sockets: Pick<TunnelOptions, 'client' | 'carrier' | 'upstream'>, head: Buffer): OpenTunnel {
    const { tunnels, clock, current } = this.#context
    const settings = this.#settings
    const farewell = this.#protocol?.farewell
    const gate = this.#gate()
    let initTimer: NodeJS.Timeout | undefined
    const tunnel = new Tunnel({
      ...sockets,
      clock,
      ping: this.#limits.ping,
      stall: current().settings.timeouts.write,
      toUpstream: (ends) => this.#flow(ends, gate),
      ...(farewell !== undefined && { farewell }),
      ended: (code) => {
        clearTimeout(initTimer)
        lifetime.end()
        tunnels.delete(open, code)
        this.abandon()
      },
    })
    const close = (code: number, reason: string): void => {
      this.#context.log.info({ rule_id: this.#decision.ruleId, code, reason }, 'WebSocket closed')
      tunnel.close(code, reason)
    }
    const open: OpenTunnel = {
      goAway: () => tunnel.close(codes.goingAway, ''),
      revoked: (revocation) => lifetime.revoked(revocation),
    }
    const lifetime = new Lifetime({
      decision: this.#decision,
      decide: () => current().decide(this.#inbound),
      clock,
      recheck: settings?.recheck,
      close,
    })
    tunnels.add(open)
    if (gate !== undefined) {
      initTimer = setTimeout(() => {
        if (!gate.isInitialised) close(closeCodes.initTimeout, 'Connection initialisation timeout')
      }, initTimeout).unref()
    }
    tunnel.begin(head)
    return open
  }

  /** Gives the place back. */
  abandon(): void {
    if (!this.#holdsPlace) return
    this.#holdsPlace = false
    this.#context.tunnels.leave(this.#session)
  }

  #gate(): GraphqlGate | undefined {
    if (this.#protocol === undefined) return undefined
    return new GraphqlGate(this.#protocol, this.#decision.edits, this.#settings?.graphql)
  }

  #flow(ends: FlowEnds, gate: GraphqlGate | undefined): Flow {
    const maxMessage = this.#settings?.maxMessage
    return gate === undefined ? new ByteFlow(ends, maxMessage) : new MessageFlow(ends, gate, maxMessage!)
  }
}

/** What a server answers to the key (RFC 6455 section 4.2.2). */
const acceptance = (key: string): string => hash('sha1', `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`, 'base64')
