/** What the primary and its workers tell each other. */
import type { Revocation } from '../pipeline/contract/revocations.ts'

/** From a worker to the primary. */
export type WorkerMessage =
  | { readonly mintkeeper: 'listening'; readonly banner: string }
  /** The metrics of all workers are wanted. */
  | { readonly mintkeeper: 'metrics'; readonly id: number }
  /** To be told to all the others. */
  | Revoked

export interface Revoked {
  readonly mintkeeper: 'revoked'
  readonly revocation: Revocation
}

/** From the primary to a worker. */
export type PrimaryMessage =
  | { readonly mintkeeper: 'reload' }
  /** A successor listens: finish what is under way and end. */
  | { readonly mintkeeper: 'retire' }
  /** All of them end; load balancers are told first when `drain` says so. */
  | { readonly mintkeeper: 'stop'; readonly drain: boolean }
  /** `text` is absent when the metrics could not be collected. */
  | { readonly mintkeeper: 'metrics'; readonly id: number; readonly text?: string }
  | Revoked

/** Other messages of the same channel are node's own and the metrics library's. */
export const isWorkerMessage = (message: unknown): message is WorkerMessage => isOurs(message)
export const isPrimaryMessage = (message: unknown): message is PrimaryMessage => isOurs(message)

function isOurs(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'mintkeeper' in message
}
