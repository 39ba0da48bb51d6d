/** A number of places for calls at the same time. Who finds none free waits in line. */
export interface Places {
  /** Takes a place if one is free. */
  tryTake(): boolean
  /** Waits for a place; resolves with false when none became free in time. */
  wait(deadline: AbortSignal): Promise<boolean>
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
    wait: (deadline) =>
      new Promise((resolve) => {
        const proceed = (): void => {
          deadline.removeEventListener('abort', giveUp)
          resolve(true)
        }
        const giveUp = (): void => {
          waiting.delete(proceed)
          resolve(false)
        }
        waiting.add(proceed)
        deadline.addEventListener('abort', giveUp, { once: true })
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
