/** Where a variable is at run time: that many scopes up, in that slot. */
export interface Address {
  readonly hops: number
  readonly index: number
}

/** The variables of one scope, and whether it is that of an object's members. */
export class Names {
  readonly parent: Names | undefined
  readonly isObject: boolean
  readonly #indexes = new Map<string, number>()

  constructor(parent: Names | undefined, names: readonly string[], isObject = false) {
    this.parent = parent
    this.isObject = isObject
    for (const [index, name] of names.entries()) this.#indexes.set(name, index)
  }

  /** Finds a variable; undefined when nothing is called that. */
  resolve(name: string): Address | undefined {
    let hops = 0
    for (const names of this.#outwards()) {
      const index = names.#indexes.get(name)
      if (index !== undefined) return { hops, index }
      hops++
    }
    return undefined
  }

  /** Whether this scope itself has a variable of that name. */
  declares(name: string): boolean {
    return this.#indexes.has(name)
  }

  /** How many scopes up the object is that `self` means; undefined outside of objects. */
  get selfHops(): number | undefined {
    return this.#objectHops()[0]
  }

  /** How many scopes up the outermost object is, which `$` means; undefined outside of objects. */
  get rootHops(): number | undefined {
    return this.#objectHops().at(-1)
  }

  #objectHops(): readonly number[] {
    return Array.from(this.#outwards()).flatMap(({ isObject }, hops) => (isObject ? [hops] : []))
  }

  *#outwards(): Generator<Names> {
    yield this
    for (let names = this.parent; names !== undefined; names = names.parent) yield names
  }
}
