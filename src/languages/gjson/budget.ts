import { GjsonLimitError } from './errors.ts'

const MAX_DEPTH = 500

/** Counts the values one evaluation looks at. */
export class Budget {
  #left: number

  constructor(visits: number) {
    this.#left = visits
  }

  /** @throws GjsonLimitError when the budget is used up */
  visit(count = 1): void {
    this.#left -= count
    if (this.#left < 0) throw new GjsonLimitError('the path takes too much work for this document')
  }

  /** @throws GjsonLimitError when a document is nested deeper than is followed */
  checkDepth(depth: number): void {
    if (depth > MAX_DEPTH) throw new GjsonLimitError('the document is nested too deeply')
  }
}
