/** A number of places for calls at the same time. Who finds none free waits in line. */
export interface Places {
  /** Takes a place if one is free. */
  tryTake(): boolean
  /** Waits for a place; resolves with false when none became free in so many milliseconds. */
  wait(timeout: number): Promise<boolean>
  /** Gives a place back. */
  leave(): void
}

export function createPlaces(count: number): Places {
  let taken = 0
  const waiting = new Set<() => void>()

  return {
    tryTake() {
      if (taken >= count) return false
      taken++
      return true
    },
    wait: (timeout) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => {
          waiting.delete(proceed)
          resolve(false)
        }, timeout)
        const proceed = (): void => {
          clearTimeout(timer)
          resolve(true)
        }
        waiting.add(proceed)
      }),
    leave() {
      // The place is handed over rather than freed, so that a newcomer cannot slip in before those who wait.
      const [next] = waiting
      if (next === undefined) {
        taken--
        return
      }
      waiting.delete(next)
      next()
    },
  }
}
