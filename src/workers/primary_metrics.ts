/**
 * The metrics of all workers as one page. What a worker has counted stays in it after the worker has ended: a sum that
 * falls is what Prometheus takes for a restart, and every rate over it would be wrong.
 */
import type { Worker } from 'node:cluster'
import { Registry } from '@prometheus-io/client'
import { send } from './child.ts'
import { isWorkerMessage, type Report } from './messages.ts'

/** Milliseconds for the workers to answer; well below the 10 seconds that Prometheus waits. */
const PATIENCE = 3000

export class WorkerMetrics {
  /** Of each worker that is connected, the last report; undefined before the first. */
  readonly #reports = new Map<Worker, Report | undefined>()
  /** What the workers counted that have gone. */
  #gone: Report = []
  readonly #patience: number
  #lastId = 0

  constructor(patience = PATIENCE) {
    this.#patience = patience
  }

  /** Counts a worker in that listens from now on. */
  add(worker: Worker): void {
    if (!worker.isConnected()) return
    this.#reports.set(worker, undefined)
    worker.on('message', (message: unknown) => {
      if (isWorkerMessage(message) && message.mintkeeper === 'report') this.#reports.set(worker, message.report)
    })
    // Unlike its exit, the end of the channel comes after all that the worker has said.
    worker.once('disconnect', () => {
      const report = this.#reports.get(worker)
      this.#reports.delete(worker)
      // One that has crashed has sent no last report: what it told for the last page is kept, so that no sum falls.
      if (report !== undefined) this.#gone = add(this.#gone, countsOf(report))
    })
  }

  /** The page; of a worker that does not answer in time, it has what that one counted before. */
  async text(): Promise<string> {
    this.#lastId += 1
    const id = this.#lastId
    const silent = new Set(this.#reports.keys())
    const answers = [...silent].map((worker) => this.#ask(worker, id, () => silent.delete(worker)))
    await Promise.all(answers)
    const reports = [...this.#reports].map(([worker, report = []]) => (silent.has(worker) ? countsOf(report) : report))
    return Registry.aggregate([...reports, this.#gone]).metrics()
  }

  /** Resolves when the worker has answered, is gone, or has had its time. */
  #ask(worker: Worker, id: number, onAnswer: () => void): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        clearTimeout(timer)
        worker.off('message', onMessage).off('disconnect', settle)
        resolve()
      }
      const onMessage = (message: unknown): void => {
        if (!isWorkerMessage(message) || message.mintkeeper !== 'report' || message.id !== id) return
        onAnswer()
        settle()
      }
      const timer = setTimeout(settle, this.#patience)
      worker.on('message', onMessage).once('disconnect', settle)
      send(worker, { mintkeeper: 'report', id })
    })
  }
}

/** What only ever grows. The rest says how things are in a process, which is nothing once it has ended or hangs. */
function countsOf(report: Report): Report {
  return report.filter(({ type }) => type === 'counter' || type === 'histogram')
}

function add(one: Report, other: Report): Report {
  // The library's types do not say that the metrics it has added up come with their values.
  return Registry.aggregate([one, other].map((report) => [...report])).getMetricsAsArray() as unknown as Report
}
