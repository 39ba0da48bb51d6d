import { createPrimary, type Primary, type WorkerEvent } from '../workers/primary.ts'
import type { ExitCode, Terminal } from './terminal.ts'

/** Runs `serve` in several processes; resolves when the last of them has ended. */
export async function supervise(terminal: Terminal, count: number): Promise<ExitCode> {
  const primary = createPrimary({ count, report: (event) => terminal.err(describe(event, count)) })
  const stopped = untilStopped(terminal, primary)
  return (await primary.start()) ? stopped : 1
}

function describe(event: WorkerEvent, count: number): string {
  switch (event.kind) {
    case 'listening':
      return `${event.banner}  workers  ${count}\n`
    case 'lost':
      return `Worker ${event.pid} ended (${event.why}); another one starts in ${event.delay} ms.\n`
    case 'late':
      return `Worker ${event.pid} did not ${event.to} in time and is killed.\n`
    case 'replaced':
      return `Worker ${event.pid} is replaced by ${event.by}.\n`
    case 'restart_refused':
      return 'Not restarted: a new worker could not start. The old ones go on.\n'
  }
}

function untilStopped(terminal: Terminal, primary: Primary): Promise<ExitCode> {
  return new Promise((resolve, reject) => {
    let stopping = false
    const stop = (signal: NodeJS.Signals): void => {
      if (stopping) {
        terminal.err(`${signal} again: stopping at once.\n`)
        primary.kill()
        process.exit(1)
      }
      stopping = true
      terminal.err(`${signal}: finishing what is under way; once more to stop at once.\n`)
      primary.stop(signal === 'SIGTERM').then((inOrder) => resolve(inOrder ? 0 : 1), reject)
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
    process.on('SIGHUP', () => primary.reload())
    process.on('SIGUSR2', () => {
      primary.restart().catch(reject)
    })
  })
}
