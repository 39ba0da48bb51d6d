/** The capture groups of a pattern and their numbers. */
export interface Groups {
  /** Numbers in use, ascending, 0 (the whole match) included. Numbers written out (`(?<7>...)`) may leave gaps. */
  readonly slots: readonly number[]
  readonly names: ReadonlyMap<string, number>
}

/** What a first pass over a pattern finds, before any reference can be resolved. */
export class GroupCollector {
  #unnamed = 0
  readonly #numbers = new Set([0])
  readonly #names = new Set<string>()

  addUnnamed(): void {
    this.#numbers.add(++this.#unnamed)
  }

  addNumber(number: number): void {
    this.#numbers.add(number)
  }

  addName(name: string): void {
    this.#names.add(name)
  }

  /** Unnamed groups are numbered by their opening parenthesis; names take the free numbers after them. */
  finish(): Groups {
    const slots = new Set(this.#numbers)
    const names = new Map<string, number>()
    let slot = this.#unnamed + 1
    for (const name of this.#names) {
      while (slots.has(slot)) slot++
      slots.add(slot)
      names.set(name, slot)
    }
    return { slots: [...slots].sort((a, b) => a - b), names }
  }
}
