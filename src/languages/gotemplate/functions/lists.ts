import { GoError } from '../errors.ts'
import { deepEqual } from '../values/compare.ts'
import type { Meter } from '../values/meter.ts'
import { isEmpty } from '../values/truth.ts'
import { kindName } from '../values/types.ts'
import { GoSlice, type GoValue, isList, isNothing, nilList, typedSlice } from '../values/value.ts'
import { toInteger } from './cast.ts'
import { fn, type FunctionSpec, guard } from './spec.ts'

type List = readonly GoValue[]

function asList(value: GoValue, verb: string): List {
  if (isList(value)) return value
  throw new GoError(`Cannot ${verb} type ${kindName(value)}`)
}

function includes(list: List, value: GoValue, meter: Meter): boolean {
  return list.some((element) => deepEqual(value, element, meter))
}

function unique(list: List, meter: Meter): List {
  const seen: GoValue[] = []
  for (const element of list) if (!includes(seen, element, meter)) seen.push(element)
  return seen
}

function chunks(size: number, list: List, meter: Meter): List {
  if (size <= 0) throw new GoError('chunk needs a positive size')
  meter.list(Math.ceil(list.length / size))
  const parts: GoValue[] = []
  for (let at = 0; at < list.length; at += size) parts.push(list.slice(at, at + size))
  return typedSlice('[]interface {}', parts)
}

function slice(list: List, indexes: List): GoValue {
  if (list.length === 0) return null
  const start = indexes.length > 0 ? Number(toInteger(indexes[0])) : 0
  const end = indexes.length > 1 ? Number(toInteger(indexes[1])) : list.length
  if (start < 0 || end < start || end > list.length) throw new GoError('slice index out of bounds')
  const part = Array.prototype.slice.call(list, start, end) as GoValue[]
  return list instanceof GoSlice ? typedSlice(list.elementType, part) : part
}

/** A function of one list. */
function ofList(verb: string, call: (list: List, meter: Meter) => GoValue): FunctionSpec {
  return fn(['any'], ({ meter }, [value]) => call(asList(value, verb), meter))
}

function withElement(verb: string, call: (list: List, element: GoValue) => GoValue): FunctionSpec {
  return fn(['any', 'any'], ({ meter }, [value, element]) => {
    const list = asList(value, verb)
    meter.list(list.length + 1)
    return call(list, element)
  })
}

const append = withElement('push on', (list, element) => [...list, element])
const prepend = withElement('prepend on', (list, element) => [element, ...list])
const chunk = fn(['int', 'any'], ({ meter }, [size, value]) => chunks(Number(size), asList(value, 'chunk'), meter))
const last = ofList('find last on', (list) => (list.length === 0 ? null : list.at(-1)))
const first = ofList('find first on', (list) => (list.length === 0 ? null : list[0]))
const rest = ofList('find rest on', (list) => (list.length === 0 ? nilList : list.slice(1)))
const initial = ofList('find initial on', (list) => (list.length === 0 ? nilList : list.slice(0, -1)))
const reverse = ofList('find reverse on', (list) => [...list].reverse())
const compact = ofList('compact on', (list) => [...list].filter((element) => !isEmpty(element)))
const uniq = ofList('find uniq on', unique)
const without = fn(['any', '...any'], ({ meter }, [value, ...gone]) =>
  [...asList(value, 'find without on')].filter((element) => !includes(gone, element, meter)),
)
const has = guard(['any', 'any'], ({ meter }, [needle, list]) =>
  isNothing(list) ? false : includes(asList(list, 'find has on'), needle, meter),
)
const sliceList = fn(['any', '...any'], (_, [value, ...indexes]) => {
  if (!isList(value)) throw new GoError(`list should be type of slice or array but ${kindName(value)}`)
  return slice(value, indexes)
})
const list = fn(['...any'], (_, args) => args)

/** sprig's functions of lists. Those with `must` fail in the same way: errors never pass unseen here. */
export const lists: Readonly<Record<string, FunctionSpec>> = {
  list,
  tuple: list,
  append,
  push: append,
  mustAppend: append,
  mustPush: append,
  prepend,
  mustPrepend: prepend,
  first,
  mustFirst: first,
  rest,
  mustRest: rest,
  last,
  mustLast: last,
  initial,
  mustInitial: initial,
  reverse,
  mustReverse: reverse,
  uniq,
  mustUniq: uniq,
  without,
  mustWithout: without,
  has,
  mustHas: has,
  compact,
  mustCompact: compact,
  slice: sliceList,
  mustSlice: sliceList,
  chunk,
  mustChunk: chunk,
  concat: fn(['...any'], ({ meter }, args) => {
    const parts = args.map((value) => asList(value, 'concat as list'))
    meter.list(parts.reduce((length, part) => length + part.length, 0))
    const all = parts.flatMap((part) => [...part])
    return all.length === 0 ? nilList : all
  }),
}
