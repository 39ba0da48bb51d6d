/** Stops calls to a session store that does not answer, so that nobody waits for what is known to fail. */
import type { Clock } from '../pipeline/contract/runtime.ts'

export interface Breaker {
  /** Whether a call may be made. Of a store that is out of order only one call per second may: it finds out when it is back. */
  admits(origin: string): boolean
  /** Whether the store is known to be out of order. */
  isOpen(origin: string): boolean
  /** There was an answer, whatever it was. */
  answered(origin: string): void
  /** There was none. Answers of 5xx do not count: a client that finds a way to provoke them must not stop everybody. */
  failed(origin: string): void
}

export interface BreakerOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  /** Told when a store goes out of order, and when it is back. */
  readonly onChange: (origin: string, open: boolean) => void
}

/** Calls in a row without an answer. */
const FAILURES = 3
/** Milliseconds between two attempts while it is open. */
const PROBE_INTERVAL = 1000

interface Line {
  failures: number
  /** Monotonic milliseconds. */
  nextProbe: number
}

export function createBreaker({ clock, onChange }: BreakerOptions): Breaker {
  // Origins come from the config, so there are few.
  const lines = new Map<string, Line>()
  const isOpen = (line: Line | undefined): line is Line => line !== undefined && line.failures >= FAILURES

  return {
    admits(origin) {
      const line = lines.get(origin)
      if (!isOpen(line)) return true
      const now = clock.monotonic()
      if (now < line.nextProbe) return false
      line.nextProbe = now + PROBE_INTERVAL
      return true
    },
    isOpen: (origin) => isOpen(lines.get(origin)),
    answered(origin) {
      const line = lines.get(origin)
      if (line === undefined) return
      lines.delete(origin)
      if (isOpen(line)) onChange(origin, false)
    },
    failed(origin) {
      const line = lines.get(origin) ?? { failures: 0, nextProbe: 0 }
      lines.set(origin, line)
      line.failures++
      if (line.failures !== FAILURES) return
      line.nextProbe = clock.monotonic() + PROBE_INTERVAL
      onChange(origin, true)
    },
  }
}
