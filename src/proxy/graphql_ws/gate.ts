/** What a client may say on a GraphQL socket: each message is looked at before the upstream gets it. */
import type { HeaderEdit } from '../../pipeline/contract/headers.ts'
import type { WebSocketSettings } from '../../pipeline/contract/upstream.ts'
import type { Json } from '../../pipeline/contract/values.ts'
import { rebuildInit } from './connection_init.ts'
import { closeCodes } from './protocols.ts'
import type { GraphqlProtocol } from './protocols.ts'

/** Why a socket has to be closed. */
export interface GateFault {
  readonly code: number
  readonly reason: string
}

export class GraphqlGate {
  readonly #protocol: GraphqlProtocol
  readonly #edits: readonly HeaderEdit[]
  readonly #place: WebSocketSettings['graphql']
  #initialised = false

  constructor(protocol: GraphqlProtocol, edits: readonly HeaderEdit[], place: WebSocketSettings['graphql']) {
    this.#protocol = protocol
    this.#edits = edits
    this.#place = place
  }

  /** Whether connection_init has come. */
  get isInitialised(): boolean {
    return this.#initialised
  }

  /** The text that the upstream gets, or why it gets nothing. */
  pass(text: string): string | GateFault {
    const type = messageType(text)
    if (type === undefined || !this.#protocol.clientTypes.has(type)) {
      return { code: closeCodes.badMessage, reason: 'Invalid message' }
    }
    if (type !== 'connection_init') {
      // An upstream may run operations without connection_init, which is where the gateway says whose they are.
      const mayPass = this.#initialised || this.#protocol.typesBeforeInit.has(type)
      return mayPass ? text : { code: closeCodes.unauthorized, reason: 'Unauthorized' }
    }
    if (this.#initialised) return { code: closeCodes.secondInit, reason: 'Too many initialisation requests' }
    this.#initialised = true
    const { payload } = JSON.parse(text) as { readonly payload?: Json }
    return (
      rebuildInit(payload, this.#edits, this.#place) ?? {
        code: closeCodes.badMessage,
        reason: 'The payload is too deep',
      }
    )
  }
}

/** The one type of a message. Undefined when some reader could find another one in it, or none. */
function messageType(text: string): string | undefined {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return undefined
  // Readers differ in which of two equal names counts, and some take a name in any case.
  const types = topNames(text).filter((name) => name.toLowerCase() === 'type')
  const { type } = message as { readonly type?: unknown }
  return types.length === 1 && types[0] === 'type' && typeof type === 'string' ? type : undefined
}

/** The names of an object's own members, repeated ones too, of a text that is known to be a JSON object. */
function topNames(text: string): string[] {
  const names: string[] = []
  let depth = 0
  let isName = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '"') {
      const start = at
      for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++
      if (isName && depth === 1) names.push(JSON.parse(text.slice(start, at + 1)) as string)
      isName = false
    } else if (char === '{' || char === '[') {
      depth++
      isName = char === '{'
    } else if (char === '}' || char === ']') depth--
    else if (char === ',') isName = true
  }
  return names
}
