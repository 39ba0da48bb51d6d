/** One of several processes that serve together: what it hears from the primary, and what it asks it for. */
import type { Revocations } from '../pipeline/contract/revocations.ts'
import { isPrimaryMessage, type WorkerMessage } from './messages.ts'

export interface WorkerOrders {
  reload(): void
  /** Another process has taken over. */
  retire(): void
  /** The primary ends, or has ended. */
  stop(drain: boolean): void
}

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

/**
 * Tells the primary that this process can be given connections, what the operator is to be told of that, and within how many
 * milliseconds it ends when it is told to.
 */
export function tellListening(banner: string, endsWithin: number): void {
  tell({ mintkeeper: 'listening', banner, endsWithin })
}

/** Tells the primary within how many milliseconds this process will have ended, from now on. */
export function tellEnding(endsWithin: number): void {
  tell({ mintkeeper: 'ending', endsWithin })
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
