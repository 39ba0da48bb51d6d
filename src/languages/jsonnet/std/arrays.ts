import { Fault } from '../errors.ts'
import { apply } from '../runtime/function.ts'
import { DATA_LEVEL } from '../runtime/json.ts'
import { compare, equals } from '../runtime/operators.ts'
import type { Run } from '../runtime/run.ts'
import { slice } from '../runtime/slices.ts'
import { LAZY, lazy } from '../runtime/thunk.ts'
import { asArray, asBoolean, typeName } from '../runtime/types.ts'
import { force, isArray, type JsonnetArray, type Slot, type Value } from '../runtime/values.ts'
import { array, callable, characters, count, integer, value } from './args.ts'
import { type Members, native } from './spec.ts'

/** The elements of an array, or the characters of a string. */
function elements(given: Value, name: string, run: Run): JsonnetArray {
  if (isArray(given)) return given
  if (typeof given !== 'string')
    throw new Fault(`std.${name} second param must be array / string, got ${typeName(given)}`)
  return characters(given, run)
}

/** Whether an element is the value; what is compared with is forced before. */
const matcher =
  (wanted: Value, run: Run) =>
  (slot: Slot): boolean => {
    run.spend(1)
    return equals(force(slot, run), wanted, run)
  }

function flatMap(args: readonly Slot[], run: Run): Value {
  const f = callable(args, 0, run)
  const given = value(args, 1, run)
  const items = elements(given, 'flatMap', run)
  const parts = items.map((item) => apply(f, [item], run))
  return typeof given === 'string' ? join('', parts, run) : flatten(parts, run)
}

/** All elements of a list of lists. */
export function flatten(lists: JsonnetArray, run: Run): JsonnetArray {
  const result: Slot[] = []
  for (const list of lists) {
    const items = asArray(force(list, run))
    run.allocate(items.length + 1)
    for (const item of items) result.push(item)
  }
  return result
}

function flattenDeep(given: Value, run: Run, result: Slot[]): Slot[] {
  if (!isArray(given)) {
    run.allocate(1)
    result.push(given)
    return result
  }
  run.enter(DATA_LEVEL)
  for (const item of given) flattenDeep(force(item, run), run, result)
  run.leave(DATA_LEVEL)
  return result
}

/** Joins strings by a string, or lists by a list; nulls are left out. */
export function join(separator: Value, items: JsonnetArray, run: Run): Value {
  if (typeof separator !== 'string' && !isArray(separator)) {
    throw new Fault(`join first parameter should be string or array, got ${typeName(separator)}`)
  }
  const parts: Value[] = []
  let length = 0
  for (const [index, item] of items.entries()) {
    run.spend(1)
    const part = force(item, run)
    if (part === null) continue
    if (typeName(part) !== typeName(separator)) {
      throw new Fault(`expected ${typeName(separator)} but arr[${index}] was ${typeName(part)} `)
    }
    const { length: partLength } = part as string | JsonnetArray
    length += partLength + separator.length
    if (typeof separator !== 'string') run.allocate(partLength + separator.length)
    parts.push(part)
  }
  if (typeof separator === 'string') {
    run.chars(length)
    return (parts as string[]).join(separator)
  }
  return parts.flatMap((part, index) => (index === 0 ? (part as Slot[]) : [...separator, ...(part as Slot[])]))
}

function fold(items: JsonnetArray, args: readonly Slot[], run: Run, fromRight: boolean): Value {
  const f = callable(args, 0, run)
  let result = args[2] as Slot
  for (const item of fromRight ? items.toReversed() : items) {
    run.spend(1)
    result = apply(f, fromRight ? [item, result] : [result, item], run)
  }
  return force(result, run)
}

function every(args: readonly Slot[], run: Run, until: boolean): boolean {
  for (const item of array(args, 0, run)) {
    run.spend(1)
    if (asBoolean(force(item, run)) === until) return until
  }
  return !until
}

const removeAt = (items: JsonnetArray, index: number): JsonnetArray => items.filter((_, at) => at !== index)

/** A list of that length; faster than what `Array.from` makes of a length. */
function times<T>(length: number, make: (index: number) => T): T[] {
  const list: T[] = []
  for (let index = 0; index < length; index++) list.push(make(index))
  return list
}

function repeat(args: readonly Slot[], run: Run): Value {
  const what = value(args, 0, run)
  const repetitions = count(args, 1, run)
  if (typeof what === 'string') {
    run.chars(what.length * repetitions)
    return what.repeat(repetitions)
  }
  if (!isArray(what)) throw new Fault('std.repeat first argument must be an array or a string')
  run.allocate(what.length * repetitions)
  return times(repetitions, () => what).flat()
}

export const arrays: Members = {
  makeArray: native(['sz', 'func'], (args, run) => {
    const size = count(args, 0, run)
    const f = callable(args, 1, run)
    run.allocate(size * LAZY)
    return times(size, (index) => lazy((inner) => apply(f, [index], inner)))
  }),
  range: native(['from', 'to'], (args, run) => {
    const from = integer(args, 0, run)
    const size = Math.max(0, integer(args, 1, run) - from + 1)
    run.allocate(size)
    return times(size, (index) => from + index)
  }),
  repeat: native(['what', 'count'], repeat),
  slice: native(['indexable', 'index', 'end', 'step'], (args, run) => {
    return slice(value(args, 0, run), value(args, 1, run), value(args, 2, run), value(args, 3, run), run)
  }),
  member: native(['arr', 'x'], (args, run) => {
    const list = value(args, 0, run)
    const wanted = value(args, 1, run)
    if (typeof list === 'string') {
      run.spend(list.length >>> 6)
      return typeof wanted === 'string' && wanted !== '' && list.includes(wanted)
    }
    if (!isArray(list)) throw new Fault('std.member first argument must be an array or a string')
    return list.some(matcher(wanted, run))
  }),
  contains: native(['arr', 'elem'], (args, run) => array(args, 0, run).some(matcher(value(args, 1, run), run))),
  count: native(['arr', 'x'], (args, run) => array(args, 0, run).filter(matcher(value(args, 1, run), run)).length),
  find: native(['value', 'arr'], (args, run) => {
    const matches = matcher(value(args, 0, run), run)
    return array(args, 1, run).flatMap((item, index) => (matches(item) ? [index] : []))
  }),
  map: native(['func', 'arr'], (args, run) => {
    const f = callable(args, 0, run)
    const items = elements(value(args, 1, run), 'map', run)
    run.allocate(items.length * LAZY)
    return items.map((item) => lazy((inner) => apply(f, [item], inner)))
  }),
  mapWithIndex: native(['func', 'arr'], (args, run) => {
    const f = callable(args, 0, run)
    const items = elements(value(args, 1, run), 'mapWithIndex', run)
    run.allocate(items.length * LAZY)
    return items.map((item, index) => lazy((inner) => apply(f, [index, item], inner)))
  }),
  flatMap: native(['func', 'arr'], flatMap),
  filter: native(['func', 'arr'], (args, run) => {
    const f = callable(args, 0, run)
    return array(args, 1, run).filter((item) => asBoolean(apply(f, [item], run)))
  }),
  filterMap: native(['filter_func', 'map_func', 'arr'], (args, run) => {
    const [test, f] = [callable(args, 0, run), callable(args, 1, run)]
    const kept = array(args, 2, run).filter((item) => asBoolean(apply(test, [item], run)))
    run.allocate(kept.length * LAZY)
    return kept.map((item) => lazy((inner) => apply(f, [item], inner)))
  }),
  foldl: native(['func', 'arr', 'init'], (args, run) =>
    fold(elements(value(args, 1, run), 'foldl', run), args, run, false),
  ),
  foldr: native(['func', 'arr', 'init'], (args, run) =>
    fold(elements(value(args, 1, run), 'foldr', run), args, run, true),
  ),
  join: native(['sep', 'arr'], (args, run) => {
    const items = value(args, 1, run)
    if (!isArray(items)) throw new Fault(`join second parameter should be array, got ${typeName(items)}`)
    return join(value(args, 0, run), items, run)
  }),
  lines: native(['arr'], (args, run) => join('\n', [...array(args, 0, run), ''], run)),
  flattenArrays: native(['arrs'], (args, run) => flatten(array(args, 0, run), run)),
  flattenDeepArray: native(['value'], (args, run) => flattenDeep(value(args, 0, run), run, [])),
  reverse: native(['arr'], (args, run) => {
    const items = array(args, 0, run)
    run.allocate(items.length)
    return items.toReversed()
  }),
  removeAt: native(['arr', 'i'], (args, run) => removeAt(array(args, 0, run), integer(args, 1, run))),
  remove: native(['arr', 'elem'], (args, run) => {
    const items = array(args, 0, run)
    const index = items.findIndex(matcher(value(args, 1, run), run))
    return index === -1 ? items : removeAt(items, index)
  }),
  all: native(['arr'], (args, run) => every(args, run, false)),
  any: native(['arr'], (args, run) => every(args, run, true)),
  __compare: native(['v1', 'v2'], (args, run) => Math.sign(compare(value(args, 0, run), value(args, 1, run), run))),
  __compare_array: native(['arr1', 'arr2'], (args, run) =>
    Math.sign(compare(array(args, 0, run), array(args, 1, run), run)),
  ),
}
