/**
 * The process that listens and hands connections to its workers in turn (node:cluster). It serves nothing itself, so that
 * nothing a request does can end it; a worker that ends is replaced.
 */
import cluster, { type Worker } from 'node:cluster'
import { setTimeout as wait } from 'node:timers/promises'
import { AggregatorRegistry } from '@prometheus-io/client'
import { isWorkerMessage, type PrimaryMessage } from './messages.ts'
import { SLOT_VARIABLE } from './slot.ts'

export type WorkerEvent =
  /** All of them have been started; what the first one has to say of it holds for all. */
  | { readonly kind: 'listening'; readonly banner: string }
  /** It ended without being told to; another one takes its place in `delay` milliseconds. */
  | { readonly kind: 'lost'; readonly pid: number; readonly why: string; readonly delay: number }
  | { readonly kind: 'replaced'; readonly pid: number; readonly by: number }
  /** What the files say now cannot be started with: the old workers go on. */
  | { readonly kind: 'restart_refused' }

export interface PrimaryOptions {
  /** How many workers serve. */
  readonly count: number
  readonly report: (event: WorkerEvent) => void
}

export interface Primary {
  /** Resolves once every worker listens; with false when the first of them could not be started. */
  start(): Promise<boolean>
  /** Every worker reads its files again. */
  reload(): void
  /** A new process for each worker, one after the other; the old one goes when the new one listens. */
  restart(): Promise<void>
  /** Ends all workers; `drain` lets load balancers know first. Resolves when all of them have ended, with whether they did so in order. */
  stop(drain: boolean): Promise<boolean>
  /** Ends all workers at once. */
  kill(): void
}

/** Milliseconds before a lost worker is replaced: doubled with each that is lost before it has served for a while. */
const FIRST_DELAY = 100
const LONGEST_DELAY = 10_000
const SERVED_FOR_A_WHILE = 10_000

export function createPrimary({ count, report }: PrimaryOptions): Primary {
  /** By slot. */
  const workers: (Worker | undefined)[] = []
  const leaving = new Set<Worker>()
  const metrics = new AggregatorRegistry()
  let stopping = false
  let delay = FIRST_DELAY

  const fork = (slot: number): Worker => {
    const worker = cluster.fork({ [SLOT_VARIABLE]: String(slot) })
    worker.on('message', (message: unknown) => {
      if (!isWorkerMessage(message)) return
      if (message.mintkeeper === 'revoked') {
        for (const other of all()) if (other !== worker) send(other, message)
      }
      if (message.mintkeeper !== 'metrics') return
      const { id } = message
      metrics.clusterMetrics().then(
        (text) => send(worker, { mintkeeper: 'metrics', id, text }),
        () => send(worker, { mintkeeper: 'metrics', id }),
      )
    })
    return worker
  }

  /** Puts a worker that listens into its place, and sees to it that the place does not stay empty. */
  const install = (slot: number, worker: Worker): void => {
    workers[slot] = worker
    const since = performance.now()
    const onEnd = (code: number | null, signal: string | null): void => {
      if (workers[slot] === worker) workers[slot] = undefined
      if (stopping || leaving.has(worker)) return
      if (performance.now() - since > SERVED_FOR_A_WHILE) delay = FIRST_DELAY
      void refill(slot, worker.process.pid ?? 0, signal ?? `exit code ${code}`)
    }
    const { exitCode, signalCode } = worker.process
    if (worker.isDead()) onEnd(exitCode, signalCode)
    else worker.once('exit', onEnd)
  }

  const refill = async (slot: number, pid: number, why: string): Promise<void> => {
    for (;;) {
      report({ kind: 'lost', pid, why, delay })
      await wait(delay)
      delay = Math.min(delay * 2, LONGEST_DELAY)
      if (stopping) return
      const worker = fork(slot)
      const start = await untilListening(worker)
      if (start.listening) return install(slot, worker)
      pid = worker.process.pid ?? 0
      why = `exit code ${start.exitCode}`
    }
  }

  const restartOne = async (slot: number): Promise<boolean> => {
    const old = workers[slot]
    // It is about to be replaced anyway.
    if (old === undefined) return true
    const worker = fork(slot)
    if (!(await untilListening(worker)).listening) return false
    leaving.add(old)
    install(slot, worker)
    report({ kind: 'replaced', pid: old.process.pid ?? 0, by: worker.process.pid ?? 0 })
    send(old, { mintkeeper: 'retire' })
    await ended(old)
    leaving.delete(old)
    return true
  }

  const restartAll = async (): Promise<void> => {
    for (let slot = 0; slot < count; slot += 1) {
      if (stopping) return
      if (await restartOne(slot)) continue
      if (!stopping) report({ kind: 'restart_refused' })
      return
    }
  }
  // One at a time: two would replace each other's successors.
  let restarting = Promise.resolve()

  const all = (): readonly Worker[] => Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined)

  return {
    async start() {
      const first = fork(0)
      const started = await untilListening(first)
      // What keeps the first from starting has been told by it, and would keep the others, too.
      if (!started.listening) return stopping
      install(0, first)
      const others = Array.from({ length: count - 1 }, async (_, index) => {
        const slot = index + 1
        const worker = fork(slot)
        const other = await untilListening(worker)
        if (other.listening) install(slot, worker)
        else if (!stopping) void refill(slot, worker.process.pid ?? 0, `exit code ${other.exitCode}`)
      })
      await Promise.all(others)
      if (!stopping) report({ kind: 'listening', banner: started.banner })
      return true
    },
    reload() {
      for (const worker of all()) send(worker, { mintkeeper: 'reload' })
    },
    restart() {
      restarting = restarting.then(restartAll)
      return restarting
    },
    async stop(drain) {
      stopping = true
      const ends = all().map(async (worker) => {
        // One that does not listen yet does not hear either; it has nothing to finish.
        if (workers.includes(worker) || leaving.has(worker)) send(worker, { mintkeeper: 'stop', drain })
        else worker.process.kill('SIGKILL')
        return ended(worker)
      })
      const codes = await Promise.all(ends)
      return codes.every((code) => code === 0)
    },
    kill() {
      stopping = true
      for (const worker of all()) worker.process.kill('SIGKILL')
    },
  }
}

type Start =
  { readonly listening: true; readonly banner: string } | { readonly listening: false; readonly exitCode: number }

/** Resolves when the worker listens, or has ended before. */
function untilListening(worker: Worker): Promise<Start> {
  return new Promise((resolve) => {
    worker.on('message', (message: unknown) => {
      if (!isWorkerMessage(message) || message.mintkeeper !== 'listening') return
      resolve({ listening: true, banner: message.banner })
    })
    worker.once('exit', (code: number | null) => resolve({ listening: false, exitCode: code ?? 1 }))
  })
}

function ended(worker: Worker): Promise<number> {
  return new Promise((resolve) => {
    const { exitCode } = worker.process
    if (worker.isDead()) resolve(exitCode ?? 1)
    else worker.once('exit', (code: number | null) => resolve(code ?? 1))
  })
}

/** To a worker that may end at any moment. */
function send(worker: Worker, message: PrimaryMessage): void {
  if (worker.isConnected()) worker.send(message, () => undefined)
}
