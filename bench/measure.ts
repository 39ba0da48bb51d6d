/** One sample at a time: a load on a target, with the CPU time that it cost, between two of the reference. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { Load, LoadResult } from './load_client.ts'
import { machineCpu, treeCpu, treeMemory } from './proc.ts'
import { onCore } from './parts.ts'
import type { Target } from './targets.ts'
import type { Workload } from './workloads.ts'

export interface Sample extends LoadResult {
  /** CPU microseconds of the target's processes per request. */
  readonly cpu: number
  /** Their resident memory afterwards, MiB. */
  readonly memory: number
}

export interface Paired {
  readonly target: Target
  readonly workload: Workload
  readonly sample: Sample
  /** CPU per request in relation to the reference right before and after; undefined without a reference. */
  readonly ratio: number | undefined
  /** How many cores' worth of time others took from the machine meanwhile. */
  readonly foreign: number
}

export interface LoadClient {
  readonly run: (load: Load) => Promise<LoadResult>
  readonly stop: () => Promise<void>
}

/** The load client on its core; it answers over node's own channel. */
export const startLoadClient = (): LoadClient => {
  const [command, args] = onCore(1, process.execPath, [path.join(import.meta.dirname, 'load_client.ts')])
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const ended = once(child, 'close')
  return {
    async run(load) {
      const answer = once(child, 'message')
      child.send(load)
      const result = await Promise.race([answer, ended.then(() => undefined)])
      if (result === undefined) throw new Error('The load client has ended.')
      return (result as [LoadResult])[0]
    },
    async stop() {
      child.kill()
      await ended
    },
  }
}

export interface LoadOptions {
  readonly client: LoadClient
  readonly workload: Workload
  readonly milliseconds: number
}

export interface MeasureOptions extends LoadOptions {
  readonly reference: Target | undefined
}

const load = async (target: Target, milliseconds: number, { client, workload }: LoadOptions): Promise<Sample> => {
  const { port, at, pid, newCookies = false } = target
  const { connections, bodySize } = workload
  const head = workload.head(port, workload.path(at))
  const before = treeCpu(pid)
  const result = await client.run({ port, head, bodySize, connections, milliseconds, newCookies })
  if (result.requests === 0) throw new Error(`${target.name}: no answer to "${workload.title}" in time`)
  return { ...result, cpu: ((treeCpu(pid) - before) * 1e6) / result.requests, memory: treeMemory(pid) }
}

export const warmUp = async (target: Target, options: LoadOptions): Promise<void> => {
  await load(target, options.milliseconds, options)
}

/** Reference, warm-up, target, reference. */
export const measure = async (target: Target, options: MeasureOptions): Promise<Paired> => {
  const { reference, milliseconds, workload } = options
  const half = milliseconds / 2
  // Everything that takes part descends from this process.
  const ownBefore = treeCpu(process.pid)
  const machineBefore = machineCpu()
  const start = performance.now()
  const before = reference && (await load(reference, half, options))
  await load(target, half, options)
  const sample = await load(target, milliseconds, options)
  const after = reference && (await load(reference, half, options))
  const seconds = (performance.now() - start) / 1000
  const foreign = Math.max(0, (machineCpu() - machineBefore - (treeCpu(process.pid) - ownBefore)) / seconds)
  const ratio = before && after && sample.cpu / ((before.cpu + after.cpu) / 2)
  return { target, workload, sample, ratio, foreign }
}
