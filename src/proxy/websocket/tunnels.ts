/** All open WebSockets of one server: how many there may be, and who tells them that something has ended. */
import type { Revocation } from '../../pipeline/contract/revocations.ts'

/** `serve.proxy.websockets`. */
export interface WebSocketLimits {
  readonly max: number
  /** 0 for no limit. */
  readonly maxPerSession: number
  /** Milliseconds of silence after which a side is asked for a sign of life; 0 for never. */
  readonly ping: number
}

export interface OpenTunnel {
  /** The gateway stops. */
  goAway(): void
  revoked(revocation: Revocation): void
}

/** Hears of sockets as they come and go; `code` is what the gateway closed one with, 0 when one of its sides did. */
export interface WebSocketObserver {
  opened(): void
  closed(code: number): void
}

export class Tunnels {
  readonly #observer: WebSocketObserver | undefined
  readonly #open = new Set<OpenTunnel>()
  /** Handshakes and open sockets, by session. */
  readonly #bySession = new Map<string, number>()
  #count = 0

  constructor(observer?: WebSocketObserver) {
    this.#observer = observer
  }

  /**
   * Takes a place for a handshake; says which limit there is instead when there is none left. A session without an
   * identifier is the empty text: it may be shared by many, such as all who are anonymous.
   */
  take(session: string, { max, maxPerSession }: WebSocketLimits): 'taken' | 'full' | 'session_full' {
    if (this.#count >= max) return 'full'
    const held = this.#bySession.get(session) ?? 0
    if (session !== '' && maxPerSession > 0 && held >= maxPerSession) return 'session_full'
    this.#count++
    this.#bySession.set(session, held + 1)
    return 'taken'
  }

  /** Gives the place back. */
  leave(session: string): void {
    this.#count--
    const held = (this.#bySession.get(session) ?? 1) - 1
    if (held === 0) this.#bySession.delete(session)
    else this.#bySession.set(session, held)
  }

  add(tunnel: OpenTunnel): void {
    this.#open.add(tunnel)
    this.#observer?.opened()
  }

  delete(tunnel: OpenTunnel, code: number): void {
    this.#open.delete(tunnel)
    this.#observer?.closed(code)
  }

  goAway(): void {
    for (const tunnel of this.#open) tunnel.goAway()
  }

  revoked(revocation: Revocation): void {
    for (const tunnel of this.#open) tunnel.revoked(revocation)
  }
}
