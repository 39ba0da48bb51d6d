import { GoError } from '../errors.ts'
import type { Meter } from './meter.ts'
import { sortedKeys } from './order.ts'
import { typeName } from './types.ts'
import { GoStruct } from './struct.ts'
import { GoMap, GoObject, GoSlice, type GoValue, mapEntries, nilList, nilMap } from './value.ts'

export interface JsonStyle {
  /** Whether `<`, `>` and `&` are escaped, as Go does by default. */
  readonly html: boolean
  /** Indentation per level; empty for none. */
  readonly indent: string
}

/**
 * Encodes a value as Go's encoding/json does: sorted keys, no spaces.
 * A lone surrogate, which Go strings cannot hold, is escaped.
 * @throws GoError for NaN and infinities, and beyond the limits
 */
export function encodeJson(value: GoValue, meter: Meter, style: JsonStyle): string {
  return meter.text(encode(value, meter, style, 0))
}

function encode(value: GoValue, meter: Meter, style: JsonStyle, depth: number): string {
  switch (typeof value) {
    case 'string':
      return encodeString(value, meter, style.html)
    case 'number':
      if (!Number.isFinite(value)) throw new GoError('json: unsupported value: not a finite number')
      return Object.is(value, -0) ? '-0' : String(value)
    case 'boolean':
    case 'bigint':
      return String(value)
    case 'object':
      return value === null ? 'null' : encodeObject(value, meter, style, depth)
    case 'undefined':
    case 'function':
    case 'symbol':
    default:
      return 'null'
  }
}

function encodeObject(value: object & GoValue, meter: Meter, style: JsonStyle, depth: number): string {
  if (value === nilMap || value === nilList) return 'null'
  meter.enter(depth)
  if (Array.isArray(value)) {
    if (value instanceof GoSlice && value.isNil) return 'null'
    meter.spend(value.length)
    const items: string[] = []
    for (const element of value as readonly GoValue[]) items.push(encode(element, meter, style, depth + 1))
    return wrap('[', items, ']', style.indent, depth)
  }
  if (value instanceof GoObject && !(value instanceof GoMap)) {
    if (value.integer !== undefined) return String(value.integer)
    const text = value.json()
    if (text !== undefined) return encodeString(text, meter, style.html)
    if (value instanceof GoStruct) return encodeStruct(value, meter, style, depth)
    throw new GoError(`json: unsupported type: ${typeName(value)}`)
  }
  if (value instanceof GoMap && value.isNil) return 'null'
  const entries = mapEntries(value) ?? {}
  const keys = sortedKeys(entries)
  meter.spend(keys.length)
  const colon = style.indent === '' ? ':' : ': '
  const items: string[] = []
  for (const key of keys) {
    items.push(encodeString(key, meter, style.html) + colon + encode(entries[key], meter, style, depth + 1))
  }
  return wrap('{', items, '}', style.indent, depth)
}

function encodeStruct(value: GoStruct, meter: Meter, style: JsonStyle, depth: number): string {
  const colon = style.indent === '' ? ':' : ': '
  const items = [...value.type.fields.keys()].map((name) => {
    const key = encodeString(value.type.json[name] ?? name, meter, style.html)
    return key + colon + encode(value.field(name), meter, style, depth + 1)
  })
  return wrap('{', items, '}', style.indent, depth)
}

function wrap(open: string, items: readonly string[], close: string, indent: string, depth: number): string {
  if (indent === '' || items.length === 0) return open + items.join(',') + close
  const pad = `\n${indent.repeat(depth + 1)}`
  return `${open}${pad}${items.join(`,${pad}`)}\n${indent.repeat(depth)}${close}`
}

const unsafe = /[<>&\u2028\u2029\b\f]/g
const unsafeRaw = /[\u2028\u2029\b\f]/g

function encodeString(text: string, meter: Meter, html: boolean): string {
  if (text.length > 64) meter.chars(text.length)
  else if (isPlain(text)) return `"${text}"`
  const json = JSON.stringify(text)
  return json.replace(html ? unsafe : unsafeRaw, escapeUnit)
}

/** Whether a text has nothing that could need an escape. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (
      code < 0x20 ||
      code > 0x7e ||
      code === 0x22 ||
      code === 0x26 ||
      code === 0x3c ||
      code === 0x3e ||
      code === 0x5c
    ) {
      return false
    }
  }
  return true
}

const escapeUnit = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
