/**
 * A timer that is restarted again and again. It is refreshed rather than cleared and set anew, which would cost every request
 * an object: whoever waits no longer lets it run, and sees when it fires that nothing is waited for.
 */
export class RestartableTimer {
  readonly #fire: () => void
  #timer: NodeJS.Timeout | undefined
  #ms = 0

  constructor(fire: () => void) {
    this.#fire = fire
  }

  /** Fires once after so many milliseconds from now, and not before. */
  start(ms: number): void {
    if (this.#timer !== undefined && this.#ms === ms) {
      this.#timer.refresh()
      return
    }
    clearTimeout(this.#timer)
    this.#ms = ms
    this.#timer = setTimeout(this.#fire, ms).unref()
  }

  /** As long again from now. */
  restart(): void {
    this.#timer?.refresh()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
