import { GoError } from '../errors.ts'
import { byteLength, sliceBytes } from '../values/bytes.ts'
import type { Meter } from '../values/meter.ts'
import { compareStrings } from '../values/order.ts'
import { printValue } from '../values/print.ts'
import { type GoValue, GoMap, isList, isNothing, type MapType, typedSlice } from '../values/value.ts'
import { toStrings, toText } from './cast.ts'
import { quoteGo } from './quote.ts'
import { fn, type FunctionSpec } from './spec.ts'
import { isSpace, splitText, titleCase, toLower, toUpper, trimSpace, trimWhile } from './text.ts'

/** A function of strings alone. */
function text(count: number, call: (...texts: string[]) => GoValue): FunctionSpec {
  return fn(Array<'string'>(count).fill('string'), (_, args) => call(...(args as readonly string[])))
}

const stringMap: MapType = { name: 'map[string]string', zero: '' }

/** Parts of a text by their index: `_0`, `_1` and so on. */
function numbered(parts: readonly string[], meter: Meter): GoMap {
  meter.list(parts.length)
  const entries: Record<string, GoValue> = {}
  for (const [index, part] of parts.entries()) entries[`_${index}`] = part
  return new GoMap(stringMap, entries)
}

/** Go's strings.SplitN: at most so many parts; all of them when negative. */
function splitAtMost(textToSplit: string, separator: string, count: number): string[] {
  if (count === 0) return []
  const parts = splitText(textToSplit, separator)
  if (count < 0 || parts.length <= count) return parts
  return [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)]
}

function substring(start: number, end: number, value: string): string {
  const length = byteLength(value)
  if (start < 0) return sliceBytes(value, 0, end)
  return sliceBytes(value, start, end < 0 || end > length ? length : end)
}

function truncate(count: number, value: string): string {
  const length = byteLength(value)
  if (count < 0 && length + count > 0) return sliceBytes(value, length + count, length)
  return count >= 0 && length > count ? sliceBytes(value, 0, count) : value
}

/** Repeats a text; its length is checked before it is made. */
function repeat(count: number, value: string, meter: Meter): string {
  if (count < 0) throw new GoError('strings: negative Repeat count')
  meter.chars(count * value.length)
  return value.repeat(count)
}

function indent(spaces: number, value: string, meter: Meter): string {
  const pad = repeat(spaces, ' ', meter)
  const lines = value.split('\n')
  meter.chars(value.length + lines.length * pad.length)
  return pad + lines.join(`\n${pad}`)
}

function replace(old: string, by: string, value: string, meter: Meter): string {
  if (old !== '') {
    const parts = value.split(old)
    meter.chars(value.length + parts.length * by.length)
    return parts.join(by)
  }
  const chars = Array.from(value)
  meter.chars(value.length + (chars.length + 1) * by.length)
  return by + chars.map((char) => char + by).join('')
}

const number = Number

/** sprig's functions of strings. */
export const strings: Readonly<Record<string, FunctionSpec>> = {
  hello: fn([], () => 'Hello!'),
  trim: text(1, trimSpace),
  upper: text(1, toUpper),
  lower: text(1, toLower),
  title: text(1, titleCase),
  trimAll: text(2, (chars, value) => trimWhile(value, (char) => chars.includes(char))),
  trimall: text(2, (chars, value) => trimWhile(value, (char) => chars.includes(char))),
  trimSuffix: text(2, (suffix, value) =>
    value.endsWith(suffix) ? value.slice(0, value.length - suffix.length) : value,
  ),
  trimPrefix: text(2, (prefix, value) => (value.startsWith(prefix) ? value.slice(prefix.length) : value)),
  nospace: text(1, (value) =>
    Array.from(value)
      .filter((char) => !isSpace(char))
      .join(''),
  ),
  contains: text(2, (part, value) => value.includes(part)),
  hasPrefix: text(2, (prefix, value) => value.startsWith(prefix)),
  hasSuffix: text(2, (suffix, value) => value.endsWith(suffix)),
  trunc: fn(['int', 'string'], (_, [count, value]) => truncate(number(count), value as string)),
  substr: fn(['int', 'int', 'string'], (_, [start, end, value]) =>
    substring(number(start), number(end), value as string),
  ),
  repeat: fn(['int', 'string'], ({ meter }, [count, value]) => repeat(number(count), value as string, meter)),
  indent: fn(['int', 'string'], ({ meter }, [spaces, value]) => indent(number(spaces), value as string, meter)),
  nindent: fn(['int', 'string'], ({ meter }, [spaces, value]) => `\n${indent(number(spaces), value as string, meter)}`),
  replace: fn(['string', 'string', 'string'], ({ meter }, [old, by, value]) =>
    replace(old as string, by as string, value as string, meter),
  ),
  plural: fn(['string', 'string', 'int'], (_, [one, many, count]) => (count === 1n ? one : many)),
  quote: fn(['...any'], ({ meter }, args) => {
    return present(args, (value) => quoteGo(toText(value, meter), false)).join(' ')
  }),
  squote: fn(['...any'], ({ meter }, args) => present(args, (value) => `'${printValue(value, meter)}'`).join(' ')),
  cat: fn(['...any'], ({ meter }, args) => present(args, (value) => printValue(value, meter)).join(' ')),
  toString: fn(['any'], ({ meter }, [value]) => toText(value, meter)),
  join: fn(['string', 'any'], ({ meter }, [separator, list]) => {
    const parts = toStrings(list, meter)
    meter.spend(parts.length)
    const separators = parts.length * (separator as string).length
    meter.chars(parts.reduce((length, part) => length + part.length, separators))
    return parts.join(separator as string)
  }),
  split: fn(['string', 'string'], ({ meter }, [separator, value]) =>
    numbered(splitText(value as string, separator as string), meter),
  ),
  splitn: fn(['string', 'int', 'string'], ({ meter }, [separator, count, value]) =>
    numbered(splitAtMost(value as string, separator as string, number(count)), meter),
  ),
  splitList: fn(['string', 'string'], ({ meter }, [separator, value]) => {
    const parts = splitText(value as string, separator as string)
    meter.list(parts.length)
    return typedSlice('string', parts)
  }),
  toStrings: fn(['any'], ({ meter }, [value]) => typedSlice('string', toStrings(value, meter))),
  sortAlpha: fn(['any'], ({ meter }, [value]) => {
    const parts = isList(value) ? toStrings(value, meter) : [toText(value, meter)]
    meter.spend(parts.length)
    return typedSlice('string', parts.sort(compareStrings))
  }),
}

function present(args: readonly GoValue[], map: (value: GoValue) => string): string[] {
  return args.filter((value) => !isNothing(value)).map(map)
}
