import { Fault } from '../errors.ts'
import type { JsonnetFunction } from '../runtime/function.ts'
import type { JsonnetObject } from '../runtime/object.ts'
import type { Run } from '../runtime/run.ts'
import * as types from '../runtime/types.ts'
import { force, type JsonnetArray, type Slot, type Value } from '../runtime/values.ts'

/** Arguments by index, forced and of the right type; each throws a Fault that says what was expected. */

type Args = readonly Slot[]

export const value = (args: Args, index: number, run: Run): Value => force(args[index] as Slot, run)

export const number = (args: Args, index: number, run: Run): number => types.asNumber(value(args, index, run))

export const integer = (args: Args, index: number, run: Run): number => types.asInteger(value(args, index, run))

export const boolean = (args: Args, index: number, run: Run): boolean => types.asBoolean(value(args, index, run))

export const array = (args: Args, index: number, run: Run): JsonnetArray => types.asArray(value(args, index, run))

export const object = (args: Args, index: number, run: Run): JsonnetObject => types.asObject(value(args, index, run))

export const callable = (args: Args, index: number, run: Run): JsonnetFunction =>
  types.asFunction(value(args, index, run))

/** A string, whose length is charged as work. */
export function string(args: Args, index: number, run: Run): string {
  const text = types.asString(value(args, index, run))
  run.spend(text.length >>> 4)
  return text
}

/** A count that is not below zero. */
export function count(args: Args, index: number, run: Run): number {
  const result = integer(args, index, run)
  if (result < 0) throw new Fault(`expected a count of 0 or more, but got ${result}`)
  return result
}

/** The characters of a string, in place of the list that is wanted. */
export function characters(text: string, run: Run): string[] {
  run.allocate(text.length)
  run.spend(text.length >>> 2)
  return Array.from(text)
}
