/** One direction of a WebSocket through the gateway. */

export interface Flow {
  /** Takes what has come from one side, and writes what the other side is to get. */
  take(chunk: Buffer): void
  /** Writes a control frame of the gateway's own; false when it cannot, as a frame is under way or the last words are said. */
  insert(frame: Buffer): boolean
  /**
   * Writes these last words between two frames, the message only if no other message is under way, and from then on
   * nothing more.
   */
  finish(close: Buffer, message?: Buffer): void
}

export interface FlowEnds {
  readonly write: (bytes: Buffer) => void
  /** The side that sends has broken the protocol or a limit: the socket has to be closed with this code. */
  readonly fault: (code: number, reason: string) => void
  /** A close frame has come. */
  readonly closing: () => void
}

/** Close codes of RFC 6455 section 7.4.1; the third is never sent. */
export const codes = { goingAway: 1001, protocolError: 1002, noAnswer: 1006, notText: 1007, tooBig: 1009 } as const

/** Frames that one message may be cut into: nobody needs so many, and each costs the upstream something. */
export const mostFragments = 10_000
