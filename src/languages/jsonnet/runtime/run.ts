import { JsonnetLimitError } from '../errors.ts'
import type { Limits } from '../limits.ts'
import type { Slot } from './values.ts'

/** One evaluation: what it has used of its limits, and what the program can ask of the outside. */
export class Run {
  readonly limits: Limits
  readonly extVars: ReadonlyMap<string, Slot>
  readonly trace: (message: string) => void
  /** The values of the files that were imported, by file. */
  readonly imports = new Map<string, Slot>()
  #steps: number
  #allocations: number
  #depth: number

  constructor(limits: Limits, extVars: ReadonlyMap<string, Slot>, trace: (message: string) => void) {
    this.limits = limits
    this.extVars = extVars
    this.trace = trace
    this.#steps = limits.steps
    this.#allocations = limits.allocations
    this.#depth = limits.depth
  }

  /** Begins a body; whoever does must `leave` it, except by an error, which ends the run. */
  enter(body: { readonly size: number; readonly height: number }): void {
    this.#steps -= body.size
    if (this.#steps < 0) this.#outOfSteps()
    this.#depth -= body.height
    if (this.#depth < 0) {
      throw new JsonnetLimitError(`max stack frames exceeded: evaluation nests deeper than ${this.limits.depth}`)
    }
  }

  leave(body: { readonly height: number }): void {
    this.#depth += body.height
  }

  /** Work on that many elements. */
  spend(elements: number): void {
    this.#steps -= elements
    if (this.#steps < 0) this.#outOfSteps()
  }

  /** Room for that many elements, and the work to fill it. To be asked before it is taken. */
  allocate(elements: number): void {
    this.#allocations -= elements
    if (this.#allocations < 0) {
      throw new JsonnetLimitError(`the program makes more than the limit of ${this.limits.allocations} elements`)
    }
    this.spend(elements >>> 1)
  }

  /** A string of that length, in UTF-16 code units. To be asked before it is made. */
  chars(length: number): void {
    if (length > this.limits.text) {
      throw new JsonnetLimitError(`a string is longer than the limit of ${this.limits.text} characters`)
    }
    if (length > 64) this.allocate(length >>> 3)
  }

  #outOfSteps(): never {
    throw new JsonnetLimitError(`the program takes more than the limit of ${this.limits.steps} steps`)
  }
}
