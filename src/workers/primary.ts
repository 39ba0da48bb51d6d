/**
 * The process that listens and hands connections to its workers in turn (node:cluster). It serves nothing itself, so that
 * nothing a request does can end it; a worker that ends is replaced.
 */
import cluster, { type Worker } from 'node:cluster'
import { setTimeout as wait } from 'node:timers/promises'
import { reason, send, untilEnded, untilListening, type Start } from './child.ts'
import { isWorkerMessage } from './messages.ts'
import { WorkerMetrics } from './primary_metrics.ts'
import { SLOT_VARIABLE } from './slot.ts'

export type WorkerEvent =
  /** All of them have been started; what the first one has to say of it holds for all. */
  | { readonly kind: 'listening'; readonly banner: string }
  /** It ended without being told to; another one takes its place in `delay` milliseconds. */
  | { readonly kind: 'lost'; readonly pid: number; readonly why: string; readonly delay: number }
  /** It hangs, and is killed. */
  | { readonly kind: 'late'; readonly pid: number; readonly to: 'start' | 'end' }
  | { readonly kind: 'replaced'; readonly pid: number; readonly by: number }
  /** What the files say now cannot be started with: the old workers go on. */
  | { readonly kind: 'restart_refused' }

export interface PrimaryOptions {
  /** How many workers serve. */
  readonly count: number
  readonly report: (event: WorkerEvent) => void
  /** Milliseconds for a worker to load its files and listen. */
  readonly startsWithin?: number
}

export interface Primary {
  /** Resolves once every worker listens; with false when the first of them could not be started. */
  start(): Promise<boolean>
  /** Every worker reads its files again. */
  reload(): void
  /** A new process for each worker, one after the other; the old one goes when the new one listens. */
  restart(): Promise<void>
  /**
   * Ends all workers; `drain` lets load balancers know first. Resolves when all of them have ended, with whether they did so
   * in order: by themselves, and within the time that the config gives them.
   */
  stop(drain: boolean): Promise<boolean>
  /** Ends all workers at once. */
  kill(): void
}

/** Milliseconds before a lost worker is replaced: doubled with each that is lost before it has served for a while. */
const FIRST_DELAY = 100
const LONGEST_DELAY = 10_000
const SERVED_FOR_A_WHILE = 10_000
/** Milliseconds: thousands of rules, of servers that are slow to answer, on a machine that is busy. */
const STARTS_WITHIN = 120_000
/** Milliseconds beyond the time for requests to finish, for connections to databases and the like. */
const END_MARGIN = 5000

export function createPrimary({ count, report, startsWithin = STARTS_WITHIN }: PrimaryOptions): Primary {
  /** By slot. */
  const workers: (Worker | undefined)[] = []
  const leaving = new Set<Worker>()
  /** Milliseconds within which each that has listened ends. */
  const endTimes = new WeakMap<Worker, number>()
  const metrics = new WorkerMetrics()
  const stopping = new AbortController()
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
      void metrics.text().then((text) => send(worker, { mintkeeper: 'metrics', id, text }))
    })
    return worker
  }

  /** A worker that listens, or why it does not. */
  const begin = async (slot: number): Promise<{ readonly worker: Worker; readonly start: Start }> => {
    const worker = fork(slot)
    const late = (): void => report({ kind: 'late', pid: pidOf(worker), to: 'start' })
    const start = await untilListening(worker, startsWithin, late)
    if (start.listening) {
      endTimes.set(worker, start.endsWithin)
      metrics.add(worker)
    }
    return { worker, start }
  }

  /** Resolves with the exit code of a worker that has been told to end. */
  const end = (worker: Worker): Promise<number | null> =>
    untilEnded(worker, {
      endsWithin: endTimes.get(worker) ?? 0,
      margin: END_MARGIN,
      onLate: () => report({ kind: 'late', pid: pidOf(worker), to: 'end' }),
    })

  /** Puts a worker that listens into its place, and sees to it that the place does not stay empty. */
  const install = (slot: number, worker: Worker): void => {
    workers[slot] = worker
    const since = performance.now()
    const onEnd = (code: number | null, signal: string | null): void => {
      if (workers[slot] === worker) workers[slot] = undefined
      if (stopping.signal.aborted || leaving.has(worker)) return
      if (performance.now() - since > SERVED_FOR_A_WHILE) delay = FIRST_DELAY
      void refill(slot, pidOf(worker), reason(code, signal))
    }
    const { exitCode, signalCode } = worker.process
    if (worker.isDead()) onEnd(exitCode, signalCode)
    else worker.once('exit', onEnd)
  }

  const refill = async (slot: number, pid: number, why: string): Promise<void> => {
    while (!stopping.signal.aborted) {
      report({ kind: 'lost', pid, why, delay })
      // Cut short by the end of all.
      await wait(delay, undefined, { signal: stopping.signal }).catch(() => undefined)
      if (stopping.signal.aborted) return
      delay = Math.min(delay * 2, LONGEST_DELAY)
      const { worker, start } = await begin(slot)
      if (start.listening) return install(slot, worker)
      pid = pidOf(worker)
      ;({ why } = start)
    }
  }

  const restartOne = async (slot: number): Promise<boolean> => {
    const old = workers[slot]
    // It is about to be replaced anyway.
    if (old === undefined) return true
    const { worker, start } = await begin(slot)
    if (!start.listening) return false
    leaving.add(old)
    install(slot, worker)
    report({ kind: 'replaced', pid: pidOf(old), by: pidOf(worker) })
    send(old, { mintkeeper: 'retire' })
    await end(old)
    leaving.delete(old)
    return true
  }

  const restartAll = async (): Promise<void> => {
    for (let slot = 0; slot < count; slot += 1) {
      if (stopping.signal.aborted) return
      if (await restartOne(slot)) continue
      if (!stopping.signal.aborted) report({ kind: 'restart_refused' })
      return
    }
  }
  // One at a time: two would replace each other's successors.
  let restarting = Promise.resolve()

  const all = (): readonly Worker[] => Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined)

  return {
    async start() {
      const { worker: first, start } = await begin(0)
      if (stopping.signal.aborted) return true
      // What keeps the first from starting has been told by it, and would keep the others, too.
      if (!start.listening) return false
      install(0, first)
      const others = Array.from({ length: count - 1 }, async (_, index) => {
        const slot = index + 1
        const other = await begin(slot)
        if (other.start.listening) install(slot, other.worker)
        else void refill(slot, pidOf(other.worker), other.start.why)
      })
      await Promise.all(others)
      if (!stopping.signal.aborted) report({ kind: 'listening', banner: start.banner })
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
      stopping.abort()
      const ends = all().map(async (worker) => {
        if (endTimes.has(worker)) {
          send(worker, { mintkeeper: 'stop', drain })
          return (await end(worker)) === 0
        }
        // One that does not listen yet does not hear either; it has nothing to finish.
        worker.process.kill('SIGKILL')
        await end(worker)
        return true
      })
      return (await Promise.all(ends)).every(Boolean)
    },
    kill() {
      stopping.abort()
      for (const worker of all()) worker.process.kill('SIGKILL')
    },
  }
}

const pidOf = (worker: Worker): number => worker.process.pid ?? 0
