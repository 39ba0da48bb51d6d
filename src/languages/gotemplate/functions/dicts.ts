import { GoError } from '../errors.ts'
import { deepCopy, emptyRecord, type MutableRecord, setKey } from '../values/copy.ts'
import type { Meter } from '../values/meter.ts'
import { sortedKeys } from '../values/order.ts'
import { isEmpty } from '../values/truth.ts'
import { typeName } from '../values/types.ts'
import { type GoRecord, type GoValue, isRecord, nilMap, typedSlice } from '../values/value.ts'
import { toText } from './cast.ts'
import { fn, type FunctionSpec, guard } from './spec.ts'

const hasOwn = Object.hasOwn

/** A map argument; nil counts as an empty map that cannot be changed. */
const record = (value: GoValue): GoRecord => (isRecord(value) ? value : nilMap)

function mutable(value: GoValue): MutableRecord {
  if (!isRecord(value) || value === nilMap) throw new GoError('assignment to entry in nil map')
  // templates that change maps work on a copy of the data, see the compiler
  return value
}

/** The functions that change their first argument. */
export const mutators = new Set(['set', 'unset', 'merge', 'mustMerge', 'mergeOverwrite', 'mustMergeOverwrite'])

/** Puts the keys of one map into another, map by map; what is there stays, unless it is empty or `overwrite` is set. */
function mergeInto(target: MutableRecord, source: GoRecord, overwrite: boolean, meter: Meter, depth: number): void {
  meter.enter(depth)
  const keys = sortedKeys(source)
  meter.spend(keys.length)
  for (const key of keys) {
    const value = source[key]
    const present = hasOwn(target, key) ? target[key] : undefined
    if (isRecord(value) && isRecord(present) && present !== nilMap) {
      mergeInto(present, value, overwrite, meter, depth + 1)
    } else if (overwrite ? !isEmpty(value) || !hasOwn(target, key) : isEmpty(present)) setKey(target, key, value)
  }
}

function merging(overwrite: boolean): FunctionSpec {
  return fn(['map', '...map'], ({ meter }, [target, ...sources]) => {
    for (const source of sources) mergeInto(mutable(target), record(source), overwrite, meter, 0)
    return target
  })
}

function filtered(map: GoRecord, keep: (key: string) => boolean, meter: Meter): GoRecord {
  const result = emptyRecord()
  const keys = Object.keys(map)
  meter.spend(keys.length)
  for (const key of keys) if (keep(key)) setKey(result, key, map[key])
  return result
}

function dig(args: readonly GoValue[]): GoValue {
  if (args.length < 3) throw new GoError('dig needs at least three arguments')
  const fallback = args.at(-2)
  let value = args.at(-1)
  for (const key of args.slice(0, -2)) {
    if (!isRecord(value) || typeof key !== 'string') {
      const expected = isRecord(value) ? 'string' : 'map[string]interface {}'
      throw new GoError(
        `interface conversion: interface {} is ${typeName(isRecord(value) ? key : value)}, not ${expected}`,
      )
    }
    if (!hasOwn(value, key)) return fallback
    value = value[key]
  }
  return value
}

const merge = merging(false)
const mergeOverwrite = merging(true)
const copy = fn(['any'], ({ meter }, [value]) => deepCopy(value, meter))

/** sprig's functions of maps. Where Go's order is random, keys are sorted. */
export const dicts: Readonly<Record<string, FunctionSpec>> = {
  dict: fn(['...any'], ({ meter }, args) => {
    const map = emptyRecord()
    for (let at = 0; at < args.length; at += 2) {
      setKey(map, toText(args[at], meter), at + 1 < args.length ? args[at + 1] : '')
    }
    return map
  }),
  get: guard(['map', 'string'], (_, [map, key]) =>
    hasOwn(record(map), key as string) ? record(map)[key as string] : '',
  ),
  set: fn(['map', 'string', 'any'], (_, [map, key, value]) => {
    setKey(mutable(map), key as string, value)
    return map
  }),
  unset: fn(['map', 'string'], (_, [map, key]) => {
    if (isRecord(map) && map !== nilMap) delete mutable(map)[key as string]
    return map
  }),
  hasKey: guard(['map', 'string'], (_, [map, key]) => hasOwn(record(map), key as string)),
  pluck: fn(['string', '...map'], (_, [key, ...maps]) =>
    maps.filter((map) => hasOwn(record(map), key as string)).map((map) => record(map)[key as string]),
  ),
  keys: fn(['...map'], ({ meter }, maps) => {
    const keys = maps.flatMap((map) => sortedKeys(record(map)))
    meter.spend(keys.length)
    return typedSlice('string', keys)
  }),
  values: fn(['map'], ({ meter }, [map]) => {
    const keys = sortedKeys(record(map))
    meter.spend(keys.length)
    return keys.map((key) => record(map)[key])
  }),
  pick: fn(['map', '...string'], ({ meter }, [map, ...keys]) =>
    filtered(record(map), (key) => keys.includes(key), meter),
  ),
  omit: fn(['map', '...string'], ({ meter }, [map, ...keys]) =>
    filtered(record(map), (key) => !keys.includes(key), meter),
  ),
  dig: guard(['...any'], (_, args) => dig(args)),
  merge,
  mustMerge: merge,
  mergeOverwrite,
  mustMergeOverwrite: mergeOverwrite,
  deepCopy: copy,
  mustDeepCopy: copy,
}
