/** One of several processes that serve together: what it hears from the primary, and what it asks it for. */
import { AggregatorRegistry, type Registry } from '@prometheus-io/client'
import type { Revocations } from '../pipeline/contract/revocations.ts'
import { isPrimaryMessage, type WorkerMessage } from './messages.ts'

export interface WorkerOrders {
  reload(): void
  /** Another process has taken over. */
  retire(): void
  /** The primary ends, or has ended. */
  stop(drain: boolean): void
}

/** Milliseconds for the primary to ask all workers. */
const METRICS_TIMEOUT = 6000

/** Follows the primary's orders from now on. */
export function obey(orders: WorkerOrders): void {
  process.on('message', (message: unknown) => {
    if (!isPrimaryMessage(message)) return
    if (message.mintkeeper === 'reload') orders.reload()
    else if (message.mintkeeper === 'retire') orders.retire()
    else if (message.mintkeeper === 'stop') orders.stop(message.drain)
  })
  // Without a primary nobody would ever end this process.
  process.on('disconnect', () => orders.stop(false))
}

/** Tells the primary that this process can be given connections, and what the operator is to be told of that. */
export function tellListening(banner: string): void {
  tell({ mintkeeper: 'listening', banner })
}

/** Lets the primary collect this process' metrics; the answer is the metrics of all processes as text. */
export function shareMetrics(registry: Registry): () => Promise<string> {
  AggregatorRegistry.setRegistries([registry])
  // Made for its listeners: it answers the primary's questions.
  const aggregator = new AggregatorRegistry()
  void aggregator
  const waiting = new Map<number, (text: string | undefined) => void>()
  let lastId = 0
  process.on('message', (message: unknown) => {
    if (isPrimaryMessage(message) && message.mintkeeper === 'metrics') waiting.get(message.id)?.(message.text)
  })
  return () =>
    new Promise((resolve, reject) => {
      lastId += 1
      const id = lastId
      const settle = (text: string | undefined): void => {
        clearTimeout(timer)
        waiting.delete(id)
        if (text === undefined) reject(new Error('The metrics of the other workers could not be had'))
        else resolve(text)
      }
      const timer = setTimeout(() => settle(undefined), METRICS_TIMEOUT)
      waiting.set(id, settle)
      tell({ mintkeeper: 'metrics', id })
    })
}

/** What one process hears of ended sessions, all of them hear. */
export function shareRevocations(revocations: Revocations): void {
  revocations.subscribe((revocation, layer) => {
    // Each process has connections of its own to the database and to Redis.
    if (layer !== 'worker' && layer !== 'database' && layer !== 'redis') tell({ mintkeeper: 'revoked', revocation })
  })
  process.on('message', (message: unknown) => {
    if (!isPrimaryMessage(message) || message.mintkeeper !== 'revoked') return
    revocations.publish(message.revocation, 'worker')
  })
}

function tell(message: WorkerMessage): void {
  process.send?.(message)
}
