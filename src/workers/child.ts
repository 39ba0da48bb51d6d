/** One worker as the primary sees it: when it listens, when it has ended, and what becomes of one that does neither. */
import type { Worker } from 'node:cluster'
import { isWorkerMessage, type PrimaryMessage } from './messages.ts'

export type Start =
  | { readonly listening: true; readonly banner: string; readonly endsWithin: number }
  | { readonly listening: false; readonly why: string }

/** Resolves when the worker listens, or has ended before. One that does neither within `within` milliseconds is killed. */
export function untilListening(worker: Worker, within: number, onLate: () => void): Promise<Start> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      onLate()
      worker.process.kill('SIGKILL')
    }, within)
    const settle = (start: Start): void => {
      clearTimeout(timer)
      worker.off('message', onMessage).off('exit', onExit)
      resolve(start)
    }
    const onMessage = (message: unknown): void => {
      if (!isWorkerMessage(message) || message.mintkeeper !== 'listening') return
      const { banner, endsWithin } = message
      settle({ listening: true, banner, endsWithin })
    }
    const onExit = (code: number | null, signal: string | null): void =>
      settle({ listening: false, why: reason(code, signal) })
    worker.on('message', onMessage).once('exit', onExit)
  })
}

/**
 * Resolves with the exit code when the worker has ended, with null when a signal has ended it. It is killed when it has not
 * ended `margin` milliseconds after it should have: after `endsWithin` or, once it has said so itself, what it says.
 */
export function untilEnded(
  worker: Worker,
  { endsWithin, margin, onLate }: { readonly endsWithin: number; readonly margin: number; readonly onLate: () => void },
): Promise<number | null> {
  return new Promise((resolve) => {
    const { exitCode } = worker.process
    if (worker.isDead()) return resolve(exitCode)
    const killIn = (ms: number): NodeJS.Timeout =>
      setTimeout(() => {
        onLate()
        worker.process.kill('SIGKILL')
      }, ms + margin)
    let timer = killIn(endsWithin)
    const onMessage = (message: unknown): void => {
      if (!isWorkerMessage(message) || message.mintkeeper !== 'ending') return
      clearTimeout(timer)
      timer = killIn(message.endsWithin)
    }
    worker.on('message', onMessage)
    worker.once('exit', (code: number | null) => {
      clearTimeout(timer)
      worker.off('message', onMessage)
      resolve(code)
    })
  })
}

export function reason(code: number | null, signal: string | null): string {
  return signal ?? `exit code ${code}`
}

/** To a worker that may end at any moment. */
export function send(worker: Worker, message: PrimaryMessage): void {
  if (worker.isConnected()) worker.send(message, () => undefined)
}
