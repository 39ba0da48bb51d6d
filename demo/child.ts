/** The demo's child processes: started with a log file, watched, and always stopped. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DemoFailure } from './failure.ts'

export interface ChildOptions {
  /** As people know it. */
  readonly name: string
  readonly command: string
  readonly args?: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly user?: { readonly uid: number; readonly gid: number } | undefined
  /** Folder of the log file. */
  readonly logs: string
  readonly stopSignal?: NodeJS.Signals
  /** Called when it ends although nobody stopped it. */
  readonly onEnd: (message: string) => void
}

export interface Child {
  readonly pid: number
  /** True until it has ended. */
  readonly running: () => boolean
  /** Its last words. */
  readonly output: () => string
  readonly stop: () => Promise<void>
}

const lastWords = 4000
const patience = 10_000

export const startChild = (options: ChildOptions): Child => {
  const { name, command, args = [], env, cwd, user, logs, stopSignal = 'SIGTERM', onEnd } = options
  const log = createWriteStream(path.join(logs, `${name.toLowerCase()}.log`))
  // A process group of its own: Ctrl-C is for the demo, which then stops its parts in order.
  const child = spawn(command, args, { env, cwd, ...user, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let output = ''
  let running = true
  let stopping = false
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      log.write(chunk)
      output = (output + chunk.toString('utf8')).slice(-lastWords)
    })
  }
  const ended = new Promise<void>((resolve) => {
    const finish = (how: string): void => {
      if (!running) return
      running = false
      log.end()
      resolve()
      if (!stopping) onEnd(`${name} stopped (${how}).`)
    }
    child.once('error', (error) => {
      output += error.message
      finish(error.message)
    })
    child.once('close', (code, signal) => finish(signal ?? `exit code ${code}`))
  })
  return {
    pid: child.pid ?? 0,
    running: () => running,
    output: () => output.trim(),
    async stop() {
      stopping = true
      if (!running) return
      child.kill(stopSignal)
      const gone = await Promise.race([ended.then(() => true), sleep(patience, false, { ref: false })])
      if (!gone) child.kill('SIGKILL')
      await ended
    },
  }
}

/** Runs to the end; throws DemoFailure with what it wrote when it fails. */
export const runChild = async (
  options: Pick<ChildOptions, 'name' | 'command' | 'args' | 'env' | 'user'>,
): Promise<void> => {
  const { name, command, args = [], env, user } = options
  const child = spawn(command, args, { env, ...user, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new DemoFailure(`${name} failed:\n${output.trim()}`)
}

/** The line that says what went wrong, of whatever a program has written; the rest is in its log. */
const complaint = (output: string): string => {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  const telling =
    lines.find((line) => /^\s*(?:\w*Error\b|error\b|FATAL\b)|: error\b|\bFATAL: /.test(line)) ?? lines.at(-1)
  return telling?.trim() ?? 'it said nothing.'
}

/** Asks until the answer is yes. Throws DemoFailure with the child's complaint when it ends or takes too long. */
export const waitUntil = async (name: string, child: Child, isReady: () => Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 60_000
  for (;;) {
    if (!child.running()) throw new DemoFailure(`${name} did not start: ${complaint(child.output())}`)
    if (await isReady().catch(() => false)) return
    if (Date.now() > deadline) throw new DemoFailure(`${name} did not get ready: ${complaint(child.output())}`)
    await sleep(40)
  }
}

export const respondsOk = async (url: string): Promise<boolean> => {
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) })
  await response.arrayBuffer()
  return response.ok
}
