import { apply, type JsonnetFunction } from '../runtime/function.ts'
import { compare, equals } from '../runtime/operators.ts'
import type { Run } from '../runtime/run.ts'
import { asArray } from '../runtime/types.ts'
import { force, type JsonnetArray, type Slot, type Value } from '../runtime/values.ts'
import { array, callable, characters, value } from './args.ts'
import { identity } from './math.ts'
import { type Members, native } from './spec.ts'

/** An element with what it is compared by. */
interface Keyed {
  readonly item: Slot
  readonly key: Value
}

function keyed(items: JsonnetArray, keyF: JsonnetFunction, run: Run): Keyed[] {
  run.allocate(items.length * 4)
  if (keyF === identity) return items.map((item) => ({ item, key: force(item, run) }))
  return items.map((item) => ({ item, key: apply(keyF, [item], run) }))
}

/** Sorts by the keys; equal ones keep their order. */
function sortKeyed(items: Keyed[], run: Run): Keyed[] {
  return items.sort((one, other) => {
    run.spend(3)
    return compare(one.key, other.key, run)
  })
}

/** Leaves out each element whose key is that of the one before. */
function uniqKeyed(items: readonly Keyed[], run: Run): readonly Keyed[] {
  const kept: Keyed[] = []
  for (const one of items) {
    run.spend(1)
    const last = kept.at(-1)
    if (last === undefined || !equals(last.key, one.key, run)) kept.push(one)
  }
  return kept
}

/** The elements of a set; those of a string are its characters. */
const elements = (given: Value, run: Run): JsonnetArray =>
  typeof given === 'string' ? characters(given, run) : asArray(given)

const itemsOf = (list: readonly Keyed[]): JsonnetArray => list.map(({ item }) => item)

/** Walks two sorted sets together; says which elements to keep: those only in the first, only in the second, in both. */
function merge(args: readonly Slot[], run: Run, keep: { first: boolean; second: boolean; both: boolean }): Value {
  const keyF = callable(args, 2, run)
  const first = keyed(elements(value(args, 0, run), run), keyF, run)
  const second = keyed(elements(value(args, 1, run), run), keyF, run)
  const result: Slot[] = []
  let left = 0
  let right = 0
  while (left < first.length && right < second.length) {
    run.spend(1)
    const [one, other] = [first[left] as Keyed, second[right] as Keyed]
    const order = compare(one.key, other.key, run)
    if (order === 0 ? keep.both : order < 0 && keep.first) result.push(one.item)
    if (order > 0 && keep.second) result.push(other.item)
    if (order <= 0) left++
    if (order >= 0) right++
  }
  return [
    ...result,
    ...(keep.first ? itemsOf(first.slice(left)) : []),
    ...(keep.second ? itemsOf(second.slice(right)) : []),
  ]
}

const KEY = ['keyF', identity] as const

export const sets: Members = {
  sort: native(['arr', KEY], (args, run) => {
    return itemsOf(sortKeyed(keyed(array(args, 0, run), callable(args, 1, run), run), run))
  }),
  uniq: native(['arr', KEY], (args, run) => {
    return itemsOf(uniqKeyed(keyed(array(args, 0, run), callable(args, 1, run), run), run))
  }),
  set: native(['arr', KEY], (args, run) => {
    return itemsOf(uniqKeyed(sortKeyed(keyed(array(args, 0, run), callable(args, 1, run), run), run), run))
  }),
  setMember: native(['x', 'arr', KEY], (args, run) => {
    const keyF = callable(args, 2, run)
    const wanted = apply(keyF, [args[0] as Slot], run)
    return keyed(array(args, 1, run), keyF, run).some(({ key }) => compare(key, wanted, run) === 0)
  }),
  setUnion: native(['a', 'b', KEY], (args, run) => merge(args, run, { first: true, second: true, both: true })),
  setInter: native(['a', 'b', KEY], (args, run) => merge(args, run, { first: false, second: false, both: true })),
  setDiff: native(['a', 'b', KEY], (args, run) => merge(args, run, { first: true, second: false, both: false })),
}
