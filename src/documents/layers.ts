import type { Locate, Path } from './problem.ts'

/** A value and where its parts come from: a file, an environment variable, a rule. */
export interface Layer {
  readonly value: unknown
  readonly locate: Locate
}

/**
 * Lays values over each other, the last on top: maps merge key by key, everything else (lists, too) is replaced.
 * `locate` of the result leads into the layer that a value was taken from.
 */
export function mergeLayers(layers: readonly Layer[]): Layer {
  const [only] = layers
  if (only !== undefined && layers.length === 1) return only
  // An undefined layer (an absent config) leaves what is below it.
  const value = layers.reduce<unknown>(
    (below, layer) => (layer.value === undefined ? below : mergeValues(below, layer.value)),
    undefined,
  )
  return {
    value,
    locate(path, on) {
      for (let length = path.length; length >= 0; length -= 1) {
        const prefix = path.slice(0, length)
        if (!hasPath(value, prefix)) continue
        const owner = layers.findLast((layer) => layer.value !== undefined && hasPath(layer.value, prefix))
        if (owner !== undefined) return owner.locate(prefix, length === path.length ? on : 'value')
      }
      return undefined
    },
  }
}

function mergeValues(below: unknown, above: unknown): unknown {
  if (!isMap(below) || !isMap(above)) return above
  const merged = Object.entries(above).map(([key, value]) => [
    key,
    Object.hasOwn(below, key) ? mergeValues(below[key], value) : value,
  ])
  // Not by assignment, by which a key named `__proto__` would become the prototype instead of data.
  return Object.fromEntries([...Object.entries(below), ...merged]) as Record<string, unknown>
}

/** Whether every step of the path leads to something. */
function hasPath(value: unknown, path: Path): boolean {
  let current = value
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return false
    current = (current as Record<string | number, unknown>)[step]
  }
  return true
}

/** Whether a value is a map of plain data. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
