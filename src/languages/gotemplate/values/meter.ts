import { GoError } from '../errors.ts'
import type { Limits } from '../limits.ts'

/** Counts what one render uses, and ends it at the limits. */
export class Meter {
  readonly limits: Limits
  #left: number
  #slowWork: number

  constructor(limits: Limits) {
    this.limits = limits
    this.#left = limits.operations
    this.#slowWork = limits.slowWork
  }

  /** One step of the template. */
  step(): void {
    if (--this.#left < 0) this.#exhausted()
  }

  /** Work on that many elements. */
  spend(elements: number): void {
    this.#left -= elements
    if (this.#left < 0) this.#exhausted()
  }

  /** Takes a string that was made or is to be read: checks its length and charges for it. */
  text(text: string): string {
    if (text.length > 64) this.chars(text.length)
    return text
  }

  /** Charges for a string of that length, before it is made. */
  chars(length: number): void {
    if (length > this.limits.output) throw new GoError(`a string is longer than the limit of ${this.limits.output}`)
    this.spend(length >>> 6)
  }

  /** Work for which all else waits. */
  slow(units: number): void {
    this.#slowWork -= units
    if (this.#slowWork >= 0) return
    throw new GoError('the template makes more keys and hashes of passwords than one request may take')
  }

  /** Checks the depth of data that is walked. */
  enter(depth: number): void {
    if (depth >= this.limits.dataDepth) {
      throw new GoError(`data is nested deeper than the limit of ${this.limits.dataDepth}, or contains itself`)
    }
  }

  /** Checks the length of a list that is to be made. */
  list(length: number): void {
    if (length > this.limits.listLength) {
      throw new GoError(`a list is longer than the limit of ${this.limits.listLength}`)
    }
    this.spend(length)
  }

  #exhausted(): never {
    throw new GoError(`the template takes more than the limit of ${this.limits.operations} steps`)
  }
}
