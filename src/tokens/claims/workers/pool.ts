/**
 * Mappers that tenants supply run on threads of their own, with a limit in time: a thread that does not come to an end is
 * killed and replaced, and the requests of all others never wait for it.
 */
import { extname } from 'node:path'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { GatewayError } from '../../../errors.ts'
import type { JsonObject } from '../../../pipeline/contract/values.ts'
import { type ClaimsMapper, mapperFailure } from '../jsonnet.ts'
import type { Result, Task } from './thread.ts'

export interface MapperWorkers {
  /**
   * `ClaimsMapper.map` on another thread. One mapper has one thread at most, so that none can keep all of them busy.
   * @param timeout milliseconds, from the moment at which a thread begins with it
   * Rejects with GatewayError: `template_failed`; `overloaded` when too many wait.
   */
  evaluate(
    mapper: ClaimsMapper,
    input: { readonly session: JsonObject; readonly defaults: JsonObject; readonly others: JsonObject },
    timeout: number,
  ): Promise<JsonObject>
  /** Kills all threads; what is under way fails. */
  close(): Promise<void>
}

export interface MapperWorkersOptions {
  /** Threads at most; they are started when they are needed. */
  readonly threads?: number
  /** Evaluations that may wait for a thread, over all mappers and of one mapper. */
  readonly mostWaiting?: number
  readonly mostWaitingOfOne?: number
}

interface Job {
  readonly mapper: ClaimsMapper
  readonly task: Task
  readonly timeout: number
  readonly resolve: (claims: JsonObject) => void
  readonly reject: (error: Error) => void
}

interface Thread {
  readonly worker: Worker
  /** Whether it has started; it takes longer to start than most mappers to run. */
  ready: boolean
  job: Job | undefined
  timer: NodeJS.Timeout | undefined
}

/** From source or from the build: the ending is that of this file. */
const entry = new URL(`./thread${extname(import.meta.filename)}`, import.meta.url)

/** What a thread may take, megabytes. A mapper is stopped by its counts long before. */
const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 }

export function createMapperWorkers(options: MapperWorkersOptions = {}): MapperWorkers {
  const { threads: most = Math.max(2, availableParallelism()), mostWaiting = 1000, mostWaitingOfOne = 100 } = options
  const threads = new Set<Thread>()
  const waiting: Job[] = []
  let closed = false

  function start(): Thread {
    const worker = new Worker(entry, { resourceLimits, env: {}, execArgv: [], stdin: false })
    const thread: Thread = { worker, ready: false, job: undefined, timer: undefined }
    threads.add(thread)
    worker.on('message', (result: Result) => {
      if (!('ready' in result)) return settle(thread, result)
      thread.ready = true
      if (thread.job === undefined) rest(thread)
      else begin(thread, thread.job)
    })
    worker.on('error', (cause: NodeJS.ErrnoException) => {
      const outOfMemory = cause.code === 'ERR_WORKER_OUT_OF_MEMORY'
      const fault = new GatewayError('internal_error', { reason: 'The thread of a claims mapper has failed', cause })
      end(thread, outOfMemory ? mapperFailure('The claims mapper was stopped: it takes too much memory') : fault)
    })
    return thread
  }

  /** Gives a thread the first job whose mapper has none, else lets it wait for one. */
  function rest(thread: Thread): void {
    const job = take()
    if (job === undefined) {
      // The process need not wait for a thread that has nothing to do.
      thread.worker.unref()
      return
    }
    thread.job = job
    thread.worker.ref()
    if (thread.ready) begin(thread, job)
  }

  /** The time counts from here: a thread that is still starting is no fault of the mapper. */
  function begin(thread: Thread, job: Job): void {
    thread.timer = setTimeout(() => {
      end(thread, mapperFailure(`The claims mapper was stopped: it takes longer than ${job.timeout} ms`))
    }, job.timeout)
    thread.worker.postMessage(job.task, [])
  }

  function settle(thread: Thread, result: Exclude<Result, { readonly ready: true }>): void {
    const { job, timer } = thread
    clearTimeout(timer)
    thread.job = undefined
    if ('claims' in result) job?.resolve(JSON.parse(result.claims) as JsonObject)
    else job?.reject(errorOf(result))
    rest(thread)
  }

  /** Kills a thread; its job fails. One that had started is replaced at once, so that the next job need not wait. */
  function end(thread: Thread, error: GatewayError): void {
    if (!threads.delete(thread)) return
    clearTimeout(thread.timer)
    void thread.worker.terminate()
    thread.job?.reject(error)
    if (closed) return
    if (thread.ready) rest(start())
    assign()
  }

  function take(): Job | undefined {
    const busy = new Set([...threads].map(({ job }) => job?.mapper.source))
    const index = waiting.findIndex(({ mapper }) => !busy.has(mapper.source))
    return index === -1 ? undefined : waiting.splice(index, 1)[0]
  }

  function assign(): void {
    for (const thread of threads) if (thread.job === undefined) rest(thread)
    while (threads.size < most) {
      const job = take()
      if (job === undefined) return
      start().job = job
    }
  }

  return {
    evaluate: (mapper, { session, defaults, others }, timeout) =>
      new Promise((resolve, reject) => {
        const ofThis = waiting.filter((job) => job.mapper.source === mapper.source).length
        if (closed || waiting.length >= mostWaiting || ofThis >= mostWaitingOfOne) {
          const reason = 'too many evaluations of claims mappers wait'
          reject(new GatewayError('overloaded', { reason, headers: [['Retry-After', '1']] }))
          return
        }
        const { source, file } = mapper
        const task = {
          source,
          file,
          session: JSON.stringify(session),
          defaults: JSON.stringify(defaults),
          others: JSON.stringify(others),
        }
        waiting.push({ mapper, task, timeout, resolve, reject })
        assign()
      }),
    async close() {
      closed = true
      const error = new GatewayError('overloaded', { reason: 'the gateway is closing' })
      for (const { reject } of waiting.splice(0)) reject(error)
      const ended = [...threads].map(({ worker }) => worker.terminate())
      for (const thread of threads) end(thread, error)
      await Promise.all(ended)
    },
  }
}

const errorOf = ({ failure }: Extract<Result, { readonly failure?: unknown }>): GatewayError =>
  failure === undefined ? new GatewayError('internal_error') : new GatewayError('template_failed', failure)
