/** Chance that can be repeated: everything that is drawn follows from the seed. */
export interface Random {
  /** From 0 to below `limit`. */
  below(limit: number): number
  /** True in so many of 100 cases. */
  chance(percent: number): boolean
  pick<T>(values: readonly T[]): T
  /** So many different ones, in random order; all when there are fewer. */
  sample<T>(count: number, values: readonly T[]): T[]
}

/** Takes any two integers; the second tells streams of one seed apart. */
export function createRandom(seed: number, stream = 0): Random {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b)) >>> 0
  // The finalizer of MurmurHash3 over a Weyl sequence: short, and good enough to choose test cases with.
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return (mixed ^ (mixed >>> 16)) >>> 0
  }
  const below = (limit: number): number => Math.floor((next() / 2 ** 32) * limit)
  const random: Random = {
    below,
    chance: (percent) => below(100) < percent,
    pick: (values) => {
      if (values.length === 0) throw new RangeError('nothing to pick from')
      return values[below(values.length)]!
    },
    sample: (count, values) => {
      const rest = [...values]
      const taken: (typeof rest)[number][] = []
      while (taken.length < count && rest.length > 0) taken.push(...rest.splice(below(rest.length), 1))
      return taken
    },
  }
  return random
}
