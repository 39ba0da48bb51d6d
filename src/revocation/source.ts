/** What the sources of revocations that can be cut off have in common. */
import type { Revocation } from '../pipeline/contract/revocations.ts'

/** A connection over which revocations arrive. */
export interface RevocationSource {
  close(): Promise<void>
}

/** What a source tells whoever started it. */
export interface SourceEvents {
  readonly onRevocation: (revocation: Revocation) => void
  /** From now on nothing is missed; whatever was remembered before may be out of date. */
  readonly onConnected: () => void
  /** From now on revocations may be missed. Not called for a connection that never came about. */
  readonly onLost: (reason: string) => void
  /** An attempt to connect failed; the next one follows by itself. */
  readonly onFailure: (reason: string) => void
}

/** Where a source is, and to whom it tells what. */
export interface SourceOptions {
  /** postgres://…, redis://… or rediss://… */
  readonly url: string
  readonly channel: string
  readonly events: SourceEvents
  /** HEARTBEAT unless given. */
  readonly heartbeat?: { readonly interval: number; readonly timeout: number }
}

/** Milliseconds between two looks at whether a silent connection still lives, and for its answer. */
export const HEARTBEAT = { interval: 10_000, timeout: 5000 } as const

/** Milliseconds before the next attempt: doubling, bounded, and cut at random so that gateways do not come all at once. */
export function backoff(attempt: number): number {
  return Math.min(100 * 2 ** Math.min(attempt, 10), 5000) * (0.5 + Math.random() / 2)
}

/** What a message says. One that nobody understands may have said anything: everything is then in doubt. */
export function readMessage(text: string): Revocation {
  try {
    const message = JSON.parse(text) as unknown
    if (typeof message === 'object' && message !== null) {
      const { session, identity, inDoubt } = message as Readonly<Partial<Record<string, unknown>>>
      if (typeof session === 'string') return inDoubt === true ? { session, inDoubt } : { session }
      if (typeof identity === 'string') return { identity }
    }
  } catch {
    // As below.
  }
  return { everything: true }
}

/** What may be told of a failure: a code, for messages can quote addresses with passwords in them. */
export function reasonOf(error: unknown): string {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown }
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'Error'
}

/** Thrown at load: an optional package that the config needs. */
export class MissingPackageError extends Error {
  override readonly name = 'MissingPackageError'

  constructor(what: string, name: string, cause: unknown) {
    super(`${what} needs the package ${name}, which is not installed`, { cause })
  }
}

/** Rejects with MissingPackageError when it is not installed. */
export async function loadPackage<Module>(what: string, name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new MissingPackageError(what, name, error)
  }
}
