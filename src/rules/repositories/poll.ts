/** Asks web servers and object storage from time to time whether their rules have changed. */
import type { Problem } from '../../documents/problem.ts'
import type { LoadedRepositories } from './load.ts'
import type { RemoteState } from './read.ts'
import { RepositoryError } from './repository_error.ts'

export interface PollOptions {
  /** Milliseconds between two rounds; each is shortened at random by up to a tenth, so that gateways do not ask in step. */
  readonly interval: number
  /** What is in force now. */
  readonly current: () => LoadedRepositories
  /** Some repository has changed, and should be loaded. The next round waits for it. Must not reject. */
  readonly onChange: () => void | Promise<void>
  /** A repository could not be asked; told once until it answers again. */
  readonly onProblem: (problem: Problem) => void
  /** From 0 up to 1. */
  readonly random?: () => number
}

export interface Poll {
  /** Ends the polling and whatever it waits for. */
  close(): void
}

/** Starts polling the remote repositories of what is in force; the timers do not keep the process alive. */
export function pollRepositories({ interval, random = Math.random, ...options }: PollOptions): Poll {
  const closing = new AbortController()
  const failing = new Set<string>()
  let timer: NodeJS.Timeout | undefined

  function schedule(): void {
    timer = setTimeout(() => void round(), interval * (1 - random() / 10))
    timer.unref()
  }

  async function round(): Promise<void> {
    const { states } = options.current()
    const changes = await Promise.all([...states].map(([url, { remote }]) => changed(url, remote)))
    if (closing.signal.aborted) return
    try {
      if (changes.includes(true)) await options.onChange()
    } finally {
      if (!closing.signal.aborted) schedule()
    }
  }

  async function changed(url: string, remote: RemoteState | undefined): Promise<boolean> {
    if (remote === undefined) return false
    const { source, text, etag } = remote
    try {
      const fetched = await source({ etag, retries: 0, signal: closing.signal })
      failing.delete(url)
      return fetched.changed && fetched.text !== text
    } catch (error) {
      if (!(error instanceof RepositoryError)) throw error
      if (!failing.has(url) && !closing.signal.aborted) {
        options.onProblem({ severity: 'warning', message: error.message, hint: 'Its previous rules stay in force.' })
      }
      failing.add(url)
      return false
    }
  }

  schedule()
  return {
    close() {
      closing.abort()
      clearTimeout(timer)
    },
  }
}
