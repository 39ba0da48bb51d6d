import { setImmediate } from 'node:timers/promises'

/** Milliseconds of work in one go: short beside what a request takes over a network, long beside a turn of the event loop. */
const stretch = 8

/** Long work that may be interrupted wherever it yields. */
export type Interruptible<T> = Generator<undefined, T, undefined>

/** Long work done in short stretches, so that requests are answered between them. */
export interface Pace {
  /** Lets everything that is waiting go first, if the present stretch has lasted long enough. */
  readonly rest: () => Promise<void> | undefined
  readonly through: <T>(work: Interruptible<T>) => Promise<T>
}

export function createPace(): Pace {
  let began = performance.now()
  const breathe = async (): Promise<void> => {
    await setImmediate()
    began = performance.now()
  }
  const rest = (): Promise<void> | undefined => (performance.now() - began < stretch ? undefined : breathe())
  return {
    rest,
    async through(work) {
      for (;;) {
        const step = work.next()
        if (step.done === true) return step.value
        const resting = rest()
        if (resting !== undefined) await resting
      }
    },
  }
}
