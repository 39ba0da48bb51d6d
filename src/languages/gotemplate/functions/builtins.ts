import { GoError } from '../errors.ts'
import { byteLength } from '../values/bytes.ts'
import { equal, less } from '../values/compare.ts'
import { printValue } from '../values/print.ts'
import { isTrue } from '../values/truth.ts'
import { integerOf, typeName } from '../values/types.ts'
import { GoInt, GoMap, type GoValue, isList, isNothing, mapEntries } from '../values/value.ts'
import { escapeHtml, escapeJs, escapeQuery } from './escape.ts'
import { sprint, sprintf } from './printf.ts'
import { fn, type FunctionSpec, guard } from './spec.ts'

/** What one argument of an escaping function is; several are printed like `print` does. */
function joined(call: (text: string) => string): FunctionSpec {
  return fn(['...any'], ({ meter }, args) => {
    const [only] = args
    if (args.length === 1 && typeof only === 'string') return call(only)
    return call(
      sprint(
        args.map((arg) => (isNothing(arg) ? '<no value>' : arg)),
        meter,
      ),
    )
  })
}

/** Functions that Go's text/template has by itself. `slice` is sprig's; `print` is Oathkeeper's. */
export const builtins: Readonly<Record<string, FunctionSpec>> = {
  // the compiler evaluates their arguments one by one and never calls them
  and: guard(['value', '...value'], (_, [first]) => first),
  or: guard(['value', '...value'], (_, [first]) => first),
  not: guard(['value'], (_, [value]) => !isTrue(value)),
  eq: guard(['value', '...value'], (_, [first, ...others]) => equalsAny(first, others)),
  ne: guard(['value', 'value'], (_, [a, b]) => !equal(a, b)),
  lt: fn(['value', 'value'], (_, [a, b]) => less(a, b)),
  le: fn(['value', 'value'], (_, [a, b]) => less(a, b) || equal(a, b)),
  gt: fn(['value', 'value'], (_, [a, b]) => !(less(a, b) || equal(a, b))),
  ge: fn(['value', 'value'], (_, [a, b]) => !less(a, b)),
  len: fn(['value'], (_, [value]) => BigInt(lengthOf(value))),
  index: fn(['value', '...value'], (_, [item, ...indexes]) => indexInto(item, indexes)),
  call: fn(['value', '...value'], (_, [value]) => {
    throw new GoError(isNothing(value) ? 'call of nil' : `non-function of type ${typeName(value)}`)
  }),
  html: joined(escapeHtml),
  js: joined(escapeJs),
  urlquery: joined(escapeQuery),
  printf: fn(['string', '...any'], ({ meter }, [format, ...args]) => sprintf(format as string, args, meter)),
  println: fn(['...any'], ({ meter }, args) => {
    return `${args.map((arg) => printValue(arg, meter)).join(' ')}\n`
  }),
  // Oathkeeper's own two
  print: fn(['any'], ({ meter }, [value]) => (isNothing(value) ? '' : printValue(value, meter))),
  printIndex: fn(['any', 'int'], ({ meter }, [list, index]) => {
    if (!isList(list)) return ''
    const at = Number(index)
    if (at < 0) throw new GoError('reflect: slice index out of range')
    return at < list.length ? printValue(list[at], meter) : ''
  }),
}

function equalsAny(first: GoValue, others: readonly GoValue[]): boolean {
  if (others.length === 0) throw new GoError('missing argument for comparison')
  return others.some((other) => equal(first, other))
}

function lengthOf(value: GoValue): number {
  if (typeof value === 'string') return byteLength(value)
  if (isList(value)) return value.length
  const entries = mapEntries(value)
  if (entries !== undefined) return Object.keys(entries).length
  throw new GoError(isNothing(value) ? 'len of nil pointer' : `len of type ${typeName(value)}`)
}

function indexInto(item: GoValue, indexes: readonly GoValue[]): GoValue {
  if (isNothing(item)) throw new GoError('index of untyped nil')
  let value: GoValue = item
  for (const index of indexes) {
    if (isNothing(value)) throw new GoError('index of nil pointer')
    const entries = mapEntries(value)
    if (entries !== undefined) {
      if (typeof index !== 'string') {
        throw new GoError(`value has type ${typeName(index)}; should be string`)
      }
      value = Object.hasOwn(entries, index) ? entries[index] : value instanceof GoMap ? value.type.zero : null
    } else if (isList(value)) value = value[position(index, value.length)]
    else if (typeof value === 'string') {
      const bytes = Buffer.from(value, 'utf8')
      value = new GoInt('uint8', BigInt(bytes[position(index, bytes.length)] as number))
    } else throw new GoError(`can't index item of type ${typeName(value)}`)
  }
  return value
}

function position(index: GoValue, length: number): number {
  const at = integerOf(index)
  if (at === undefined) {
    throw new GoError(
      isNothing(index)
        ? 'cannot index slice/array with nil'
        : `cannot index slice/array with type ${typeName(index)}${typeof index === 'number' ? ': use int' : ''}`,
    )
  }
  if (at < 0n || at >= BigInt(length)) throw new GoError(`index out of range: ${at}`)
  return Number(at)
}
