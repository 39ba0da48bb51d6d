import type { Interruptible } from '../../src/documents/pace.ts'

/** The result of work that nothing has to be done beside. */
export function atOnce<T>(work: Interruptible<T>): T {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}
