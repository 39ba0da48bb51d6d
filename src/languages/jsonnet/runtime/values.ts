import type { JsonnetObject } from './object.ts'
import type { JsonnetFunction } from './function.ts'
import type { Run } from './run.ts'
import { Thunk } from './thunk.ts'

/** A value of the language. Strings are well-formed UTF-16; what counts characters counts code points. */
export type Value = null | boolean | number | string | JsonnetArray | JsonnetObject | JsonnetFunction

/** What stands where a value is wanted only when somebody looks. */
export type Slot = Value | Thunk

export type JsonnetArray = readonly Slot[]

/** The value in a slot. */
export function force(slot: Slot, run: Run): Value {
  return slot instanceof Thunk ? slot.force(run) : slot
}

export const isArray = (value: Value): value is JsonnetArray => Array.isArray(value)
