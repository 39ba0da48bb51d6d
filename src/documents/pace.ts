import { setImmediate } from 'node:timers/promises'

/** Milliseconds of work in one go: short beside what a request takes over a network, long beside a turn of the event loop. */
const stretch = 8

/** Long work done in short stretches, so that requests are answered between them. */
export interface Pace {
  /** Whether the present stretch has lasted long enough. */
  readonly due: () => boolean
  /** Lets everything that is waiting go first, then begins the next stretch. */
  readonly rest: () => Promise<void>
}

export function createPace(): Pace {
  let began = performance.now()
  return {
    due: () => performance.now() - began >= stretch,
    async rest() {
      await setImmediate()
      began = performance.now()
    },
  }
}
