import { Fault, JsonnetLimitError } from '../errors.ts'
import { isFunction } from './function.ts'
import { type Field, JsonnetObject } from './object.ts'
import { numberText } from './numbers.ts'
import type { Run } from './run.ts'
import { lazy } from './thunk.ts'
import { force, isArray, type Slot, type Value } from './values.ts'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** JavaScript frames that a level of data takes when it is walked. */
export const DATA_LEVEL = { size: 3, height: 4 }

/** Plain data as a slot; what is nested becomes values only when it is looked at. */
export function fromJson(data: Json): Slot {
  if (typeof data !== 'object' || data === null) return scalar(data)
  return lazy((run) => {
    if (Array.isArray(data)) {
      run.allocate(data.length)
      return data.map(fromJson)
    }
    const names = Object.keys(data)
    run.allocate(names.length)
    const fields = new Map<string, Field>()
    for (const name of names) {
      const value = data[name]
      if (value !== undefined) {
        fields.set(name.toWellFormed(), { visibility: 'inherit', value: { slot: fromJson(value) } })
      }
    }
    return new JsonnetObject([{ fields }])
  })
}

function scalar(data: null | boolean | number | string): Value {
  return typeof data === 'string' ? data.toWellFormed() : data
}

/**
 * A value as plain data, up to the limit of the output.
 * @throws Fault for a function
 */
export function toJson(value: Value, run: Run): Json {
  let left = run.limits.output
  const charge = (length: number): void => {
    left -= length
    if (left < 0) throw new JsonnetLimitError(`the result is longer than the limit of ${run.limits.output} characters`)
  }
  const visit = (one: Value): Json => {
    if (typeof one === 'string') charge(one.length + 3)
    if (typeof one === 'number') charge(numberText(one).length)
    if (typeof one !== 'object' || one === null) {
      charge(1)
      return one
    }
    if (isFunction(one)) throw new Fault("couldn't manifest function as JSON")
    charge(2)
    run.enter(DATA_LEVEL)
    const result = isArray(one) ? one.map((item) => visit(force(item, run))) : visitObject(one)
    run.leave(DATA_LEVEL)
    return result
  }
  const visitObject = (object: JsonnetObject): Json => {
    object.assert(run)
    const result: { [name: string]: Json } = {}
    for (const name of object.visibleNames(run)) {
      charge(name.length + 4)
      setOwn(result, name, visit(object.get(name, run)))
    }
    return result
  }
  return visit(value)
}

/** Sets a member that is an ordinary one, whatever its name. */
function setOwn(target: { [name: string]: Json }, name: string, value: Json): void {
  if (name === '__proto__') {
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true })
  } else target[name] = value
}

/** How JSON is written. */
export interface JsonStyle {
  /** Per level; the empty string with a `newline` still breaks lines. */
  readonly indent: string
  readonly newline: string
  readonly colon: string
  /** What stands between the brackets when nothing is in them. */
  readonly empty: (margin: string) => string
  readonly comma: string
  readonly number: (value: number) => string
}

/** The style of `toString` and of strings that something is added to. */
export const LINE_STYLE: JsonStyle = {
  indent: '',
  newline: '',
  colon: ': ',
  comma: ', ',
  number: numberText,
  empty: () => ' ',
}

/** A value as JSON text. */
export function jsonText(value: Value, run: Run, style: JsonStyle = LINE_STYLE, margin = ''): string {
  if (typeof value === 'string') return quote(value, run)
  if (typeof value === 'number') return style.number(value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (isFunction(value)) throw new Fault("couldn't manifest function as JSON")
  const items: string[] = []
  const inner = margin + style.indent
  run.enter(DATA_LEVEL)
  if (isArray(value)) {
    for (const item of value) items.push(jsonText(force(item, run), run, style, inner))
  } else {
    value.assert(run)
    for (const name of value.visibleNames(run)) {
      items.push(quote(name, run) + style.colon + jsonText(value.get(name, run), run, style, inner))
    }
  }
  run.leave(DATA_LEVEL)
  if (items.length === 0) return isArray(value) ? `[${style.empty(margin)}]` : `{${style.empty(margin)}}`
  const open = style.newline + (style.newline === '' ? '' : inner)
  const close = style.newline + (style.newline === '' ? '' : margin)
  run.chars(items.reduce((sum, item) => sum + item.length + style.comma.length + open.length, 2))
  const body = items.join(style.comma + open)
  return isArray(value) ? `[${open}${body}${close}]` : `{${open}${body}${close}}`
}

/** A value as text: strings as they are, all else as JSON in one line. */
export function toText(value: Value, run: Run): string {
  return typeof value === 'string' ? value : jsonText(value, run)
}

/** A string as a JSON literal. */
export function quote(text: string, run: Run): string {
  run.chars(text.length)
  run.spend(QUOTE_STEPS)
  const json = JSON.stringify(text)
  return CONTROLS.test(json) ? json.replaceAll(EACH_CONTROL, escapeUnit) : json
}

/** What a literal costs, however short it is. */
const QUOTE_STEPS = 8
/** Those that JSON.stringify leaves as they are. */
const CONTROLS = /[\u007f-\u009f]/
const EACH_CONTROL = /[\u007f-\u009f]/g

const escapeUnit = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
