import { apply } from '../runtime/function.ts'
import { DATA_LEVEL } from '../runtime/json.ts'
import { JsonnetObject, objectOf } from '../runtime/object.ts'
import type { Run } from '../runtime/run.ts'
import { LAZY, lazy } from '../runtime/thunk.ts'
import { isObject } from '../runtime/types.ts'
import { force, isArray, type Slot, type Value } from '../runtime/values.ts'
import { boolean, callable, object, string, value } from './args.ts'
import { type Members, native } from './spec.ts'

function fieldNames(from: JsonnetObject, hidden: boolean, run: Run): readonly string[] {
  const names = hidden ? from.names(run).map(({ name }) => name) : from.visibleNames(run)
  run.allocate(names.length * LAZY)
  return names
}

const has = (from: JsonnetObject, name: string, hidden: boolean, run: Run): boolean =>
  hidden ? from.has(name, run) : from.hasVisible(name, run)

const field = (from: JsonnetObject, name: string): Slot => lazy((run) => from.get(name, run))

/** Something made of each field in the order of their names. */
const each = (hidden: boolean, make: (from: JsonnetObject, name: string) => Slot): Value =>
  native(['o'], (args, run) => {
    const from = object(args, 0, run)
    return fieldNames(from, hidden, run).map((name) => make(from, name))
  })

const pair = (from: JsonnetObject, name: string): Value =>
  objectOf([
    ['key', name],
    ['value', field(from, name)],
  ])

/** JSON Merge Patch (RFC 7396). */
function mergePatch(target: Value, patch: Value, run: Run): Value {
  if (!isObject(patch)) return patch
  const base = isObject(target) ? target : undefined
  const names = new Set([...(base === undefined ? [] : fieldNames(base, false, run)), ...fieldNames(patch, false, run)])
  const entries: [string, Slot][] = []
  run.spend(names.size * 6)
  run.enter(DATA_LEVEL)
  for (const name of names) {
    const old = base?.hasVisible(name, run) === true ? field(base, name) : null
    if (!patch.hasVisible(name, run)) entries.push([name, old])
    else if (patch.get(name, run) !== null) {
      const change = patch.get(name, run)
      entries.push([name, lazy((inner) => mergePatch(force(old, inner), change, inner))])
    }
  }
  run.leave(DATA_LEVEL)
  return objectOf(entries)
}

/** Leaves out nulls, and lists and objects that have nothing left. */
function prune(given: Value, run: Run): Value {
  if (!isArray(given) && !isObject(given)) return given
  run.enter(DATA_LEVEL)
  const result = isArray(given)
    ? given.map((item) => prune(force(item, run), run)).filter((item) => isContent(item, run))
    : objectOf(
        fieldNames(given, false, run)
          .map((name) => [name, prune(given.get(name, run), run)] as const)
          .filter(([, kept]) => isContent(kept, run)),
      )
  run.spend(isArray(result) ? result.length + 8 : 8)
  run.leave(DATA_LEVEL)
  return result
}

function isContent(given: Value, run: Run): boolean {
  if (given === null) return false
  if (isArray(given)) return given.length > 0
  return !isObject(given) || given.visibleNames(run).length > 0
}

const names = (hidden: boolean): Value => native(['o'], (args, run) => fieldNames(object(args, 0, run), hidden, run))

const hasField = (hidden: boolean): Value =>
  native(['o', 'f'], (args, run) => has(object(args, 0, run), string(args, 1, run), hidden, run))

export const objects: Members = {
  objectFields: names(false),
  objectFieldsAll: names(true),
  objectFieldsEx: native(['obj', 'hidden'], (args, run) => {
    return fieldNames(object(args, 0, run), boolean(args, 1, run), run)
  }),
  objectHas: hasField(false),
  objectHasAll: hasField(true),
  objectHasEx: native(['obj', 'fname', 'hidden'], (args, run) => {
    return has(object(args, 0, run), string(args, 1, run), boolean(args, 2, run), run)
  }),
  objectValues: each(false, field),
  objectValuesAll: each(true, field),
  objectKeysValues: each(false, pair),
  objectKeysValuesAll: each(true, pair),
  objectRemoveKey: native(['obj', 'key'], (args, run) => {
    const from = object(args, 0, run)
    run.allocate(from.layers.length + 1)
    const removed = { name: string(args, 1, run), layers: from.layers.length }
    return new JsonnetObject([...from.layers, { fields: new Map(), removed }])
  }),
  get: native(['o', 'f', ['default', null], ['inc_hidden', true]], (args, run) => {
    const from = object(args, 0, run)
    const name = string(args, 1, run)
    return has(from, name, boolean(args, 3, run), run) ? from.get(name, run) : value(args, 2, run)
  }),
  mapWithKey: native(['func', 'obj'], (args, run) => {
    const f = callable(args, 0, run)
    const from = object(args, 1, run)
    return objectOf(
      fieldNames(from, false, run).map((name) => [name, lazy((inner) => apply(f, [name, field(from, name)], inner))]),
    )
  }),
  mergePatch: native(['target', 'patch'], (args, run) => mergePatch(value(args, 0, run), value(args, 1, run), run)),
  prune: native(['a'], (args, run) => prune(value(args, 0, run), run)),
}
