/** What a worker tells the primary of its metrics, and asks it for: any of them may be asked for the page of all. */
import type { Registry } from '@prometheus-io/client'
import { isPrimaryMessage, type WorkerMessage } from './messages.ts'

export interface SharedMetrics {
  /** Lets the primary have this process' metrics; returns what gets the metrics of all processes as text. */
  readonly share: (registry: Registry) => () => Promise<string>
  /** Tells what has been counted to the end, which the primary goes on reporting. Resolves when it has been sent. */
  tellLast(): Promise<void>
}

/** Milliseconds for the primary to ask all workers. */
const METRICS_TIMEOUT = 6000

/** The metrics of a worker, which are told as one sum with those of the others. */
export function createSharedMetrics(): SharedMetrics {
  let shared: Registry | undefined
  const waiting = new Map<number, (text: string | undefined) => void>()
  let lastId = 0

  const tellReport = async (registry: Registry, id?: number): Promise<void> => {
    const report = await registry.getMetricsAsJSON()
    await tell({ mintkeeper: 'report', report, ...(id !== undefined && { id }) })
  }

  return {
    share(registry) {
      shared = registry
      process.on('message', (message: unknown) => {
        if (!isPrimaryMessage(message)) return
        if (message.mintkeeper === 'report') {
          // The primary does without an answer that cannot be given.
          tellReport(registry, message.id).catch(() => undefined)
        }
        if (message.mintkeeper === 'metrics') waiting.get(message.id)?.(message.text)
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
          void tell({ mintkeeper: 'metrics', id })
        })
    },
    async tellLast() {
      if (shared !== undefined) await tellReport(shared)
    },
  }
}

/** Resolves when the message is on its way; a primary that has gone needs none. */
function tell(message: WorkerMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(message, undefined, undefined, () => resolve())
  })
}
