/** What the primary and its workers tell each other. */
import type { MetricObjectWithValues, MetricValue } from '@prometheus-io/client'
import type { Revocation } from '../pipeline/contract/revocations.ts'

/** From a worker to the primary. */
export type WorkerMessage =
  | { readonly mintkeeper: 'listening'; readonly banner: string; readonly endsWithin: number }
  /** It has been told to end, and will have within so many milliseconds. */
  | { readonly mintkeeper: 'ending'; readonly endsWithin: number }
  /** The metrics of all workers are wanted. */
  | { readonly mintkeeper: 'metrics'; readonly id: number }
  /** Its own metrics; without `id` the last before it ends, for which nobody has asked. */
  | { readonly mintkeeper: 'report'; readonly id?: number; readonly report: Report }
  /** To be told to all the others. */
  | Revoked

/** All metrics of one process. */
export type Report = readonly MetricObjectWithValues<MetricValue<string>>[]

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
  /** Its own metrics are wanted. */
  | { readonly mintkeeper: 'report'; readonly id: number }
  /** The metrics of all workers. */
  | { readonly mintkeeper: 'metrics'; readonly id: number; readonly text: string }
  | Revoked

/** Node has messages of its own on the same channel. */
export const isWorkerMessage = (message: unknown): message is WorkerMessage => isOurs(message)
export const isPrimaryMessage = (message: unknown): message is PrimaryMessage => isOurs(message)

function isOurs(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'mintkeeper' in message
}
