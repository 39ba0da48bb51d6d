/** The two protocols in which GraphQL goes over WebSockets, as far as a gateway has to know them. */
import { encodeFrame, opcodes } from '../websocket/frames.ts'

export interface GraphqlProtocol {
  readonly name: 'graphql-transport-ws' | 'graphql-ws'
  /** Types of messages that clients send. */
  readonly clientTypes: ReadonlySet<string>
  /** Those of them that may come before connection_init, as they ask for nothing. */
  readonly typesBeforeInit: ReadonlySet<string>
  /** What clients get to read before a close. */
  readonly farewell?: (reason: string) => Buffer
}

/** Of the library graphql-ws: its PROTOCOL.md. */
const transport: GraphqlProtocol = {
  name: 'graphql-transport-ws',
  clientTypes: new Set(['connection_init', 'subscribe', 'complete', 'ping', 'pong']),
  typesBeforeInit: new Set(['ping', 'pong']),
}

/** Of the library subscriptions-transport-ws, whose clients do not look at close codes: its PROTOCOL.md. */
const legacy: GraphqlProtocol = {
  name: 'graphql-ws',
  clientTypes: new Set(['connection_init', 'start', 'stop', 'connection_terminate']),
  typesBeforeInit: new Set(['connection_terminate']),
  farewell: (reason) =>
    encodeFrame(
      opcodes.text,
      Buffer.from(JSON.stringify({ type: 'connection_error', payload: { message: reason } })),
      false,
    ),
}

const protocols = [transport, legacy]

/**
 * Those of the protocols a client offers that are spoken here, as a header value; undefined when none is. A client that
 * offers nothing means the older one, as Hasura takes it.
 */
export function knownProtocols(offers: readonly string[]): string | undefined {
  const names = offers.flatMap((offer) => offer.split(',')).map((name) => name.trim())
  if (names.length === 0) return ''
  const known = names.filter((name) => protocols.some((protocol) => protocol.name === name))
  return known.length === 0 ? undefined : known.join(', ')
}

/** The protocol that the server chose; undefined for one that was not offered. */
export function chosenProtocol(answer: string | undefined): GraphqlProtocol | undefined {
  return answer === undefined ? legacy : protocols.find(({ name }) => name === answer)
}

/** Close codes of both protocols. */
export const closeCodes = { badMessage: 4400, unauthorized: 4401, initTimeout: 4408, secondInit: 4429 } as const
