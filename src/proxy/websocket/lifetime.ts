/** How long an open socket may stay: until its session or its token ends, or a second decision turns out otherwise. */
import type { AllowedDecision, Decision } from '../../pipeline/contract/decision.ts'
import type { Revocation } from '../../pipeline/contract/revocations.ts'
import type { Clock } from '../../pipeline/contract/runtime.ts'
import type { Awaitable } from '../../pipeline/contract/values.ts'
import { saysTheSame, tokensEnd } from './identity.ts'

/**
 * Close codes that clients of graphql-ws know: after the first they come back with credentials of then, after the second
 * they stay away.
 */
export const comeBack = 4403
export const stayAway = 4401

/** Milliseconds before a token's end at which its socket is closed: the upstream may close it then without a word. */
const lead = 5000
/** The longest that node's timers wait. */
const longest = 2_147_483_647
/** Milliseconds over which sockets are asked about again when all sessions may have ended. */
const spread = 5000
/** Milliseconds until a question that an outage has left open is asked again, where there is no `recheck`. */
const afterOutage = 30_000

export interface LifetimeOptions {
  readonly decision: AllowedDecision
  /** Decides about the handshake's request again, with the rules of now. */
  readonly decide: () => Awaitable<Decision>
  readonly clock: Pick<Clock, 'now'>
  /** Milliseconds between two decisions; 0 for none but the first. Absent: nothing but a revocation ends the socket. */
  readonly recheck?: number | undefined
  readonly close: (code: typeof comeBack | typeof stayAway, reason: string) => void
}

export class Lifetime {
  readonly #options: LifetimeOptions
  readonly #tokensEnd: number | undefined
  #sessionEnd: number | undefined
  #checking: NodeJS.Timeout | undefined
  #ending: NodeJS.Timeout | undefined
  #over = false

  constructor(options: LifetimeOptions) {
    this.#options = options
    this.#tokensEnd = tokensEnd(options.decision.edits)
    this.#sessionEnd = options.decision.session.expiresAt
    this.#plan()
    // Sockets that were opened together need not be asked about together.
    const { recheck = 0 } = options
    if (recheck > 0) this.#checkIn(recheck * (0.9 + 0.2 * Math.random()))
  }

  /** Hears of the end of a session. */
  revoked(revocation: Revocation): void {
    const { session } = this.#options.decision
    if ('everything' in revocation) this.#checkIn(spread * Math.random())
    else if ('session' in revocation) {
      if (revocation.session !== session.id) return
      if (revocation.inDoubt === true) this.#checkIn(0)
      else this.#close(stayAway, 'session ended')
    } else if (revocation.identity === session.identity) this.#close(comeBack, 'session changed')
  }

  /** The socket is closed. */
  end(): void {
    this.#over = true
    clearTimeout(this.#checking)
    clearTimeout(this.#ending)
  }

  #close(code: typeof comeBack | typeof stayAway, reason: string): void {
    if (this.#over) return
    this.end()
    this.#options.close(code, reason)
  }

  /** Sets the timer for whatever ends first. */
  #plan(): void {
    clearTimeout(this.#ending)
    if (this.#options.recheck === undefined) return
    const now = this.#options.clock.now()
    const token = this.#tokensEnd === undefined ? Number.POSITIVE_INFINITY : this.#tokensEnd - now
    const session = this.#sessionEnd === undefined ? Number.POSITIVE_INFINITY : this.#sessionEnd - now
    // A short-lived token is used for at least half of what is left of it.
    const left = Math.min(token - Math.min(lead, Math.max(token, 0) / 2), session)
    if (left === Number.POSITIVE_INFINITY) return
    this.#ending = setTimeout(() => (left > longest ? this.#plan() : void this.#atEnd()), clamp(left)).unref()
  }

  /** The session may have been extended, or have ended with its token: whoever comes back would be told. */
  async #atEnd(): Promise<void> {
    const decision = await this.#options.decide()
    const end = decision.session?.expiresAt
    const ended = end !== undefined && end - this.#options.clock.now() <= lead
    if (decision.allowed && !ended) this.#close(comeBack, 'token ended')
    else if (decision.allowed || isRefusal(decision)) this.#close(stayAway, 'session ended')
    else this.#close(comeBack, 'token ended')
  }

  #checkIn(delay: number): void {
    clearTimeout(this.#checking)
    this.#checking = setTimeout(() => void this.#check(), clamp(delay)).unref()
  }

  async #check(): Promise<void> {
    const { decide, decision: first, recheck = 0 } = this.#options
    const decision = await decide()
    if (this.#over) return
    if (decision.allowed) {
      if (!saysTheSame(first, decision)) {
        this.#close(comeBack, 'session changed')
        return
      }
      this.#sessionEnd = decision.session.expiresAt
      this.#plan()
      if (recheck > 0) this.#checkIn(recheck)
    } else if (isRefusal(decision)) this.#close(stayAway, 'session ended')
    // An outage says nothing about the session: the question stands. The token's end still holds.
    else this.#checkIn(recheck > 0 ? recheck : afterOutage)
  }
}

/** Whether the decision is about the client, not about a service that does not answer. */
const isRefusal = (decision: Decision): boolean =>
  !decision.allowed && decision.error.status < 500 && decision.error.status !== 429

const clamp = (delay: number): number => Math.min(Math.max(delay, 1), longest)
