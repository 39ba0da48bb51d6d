import { Fault } from '../errors.ts'
import { type Body, Scope, TailCall, type TailCode } from './code.ts'
import type { Run } from './run.ts'
import { Thunk } from './thunk.ts'
import { force, type Slot, type Value } from './values.ts'

export interface Param {
  readonly name: string
  /** The default: a body in the scope of the parameters, or the value itself. */
  readonly fallback?: Body | { readonly value: Value }
}

/** A function: of the program (a body in a scope), or of the standard library. */
export type JsonnetFunction = Closure | Native

export class Closure {
  readonly params: readonly Param[]
  readonly body: Body<TailCode>
  readonly scope: Scope

  constructor(params: readonly Param[], body: Body<TailCode>, scope: Scope) {
    this.params = params
    this.body = body
    this.scope = scope
  }
}

export type NativeCode = (args: readonly Slot[], run: Run) => Value

export class Native {
  readonly params: readonly Param[]
  readonly code: NativeCode
  readonly size = 1
  /** Natives use few JavaScript frames of their own; those that recurse over data enter each level. */
  readonly height = 6

  constructor(params: readonly Param[], code: NativeCode) {
    this.params = params
    this.code = code
  }
}

export const isFunction = (value: Value): value is JsonnetFunction =>
  value instanceof Closure || value instanceof Native

/** An unset slot: a parameter that is to take its default. */
const UNSET = new Thunk({ code: () => null, size: 0, height: 0 })

/**
 * Puts arguments in the order of the parameters.
 * @throws Fault when they do not fit
 */
export function bindArguments(
  target: JsonnetFunction,
  positional: readonly Slot[],
  named: readonly (readonly [string, Slot])[],
): Slot[] {
  const { params } = target
  const count = positional.length
  if (count === params.length && named.length === 0) return positional.slice()
  if (count > params.length) {
    throw new Fault(`function expected ${params.length} positional argument(s), but got ${count}`)
  }
  const slots: Slot[] = positional.slice()
  while (slots.length < params.length) slots.push(UNSET)
  for (const [name, slot] of named) {
    const index = params.findIndex((param) => param.name === name)
    if (index === -1) throw new Fault(`function has no parameter ${name}`)
    if (slots[index] !== UNSET) throw new Fault(`Argument ${name} already provided`)
    slots[index] = slot
  }
  for (const [index, slot] of slots.entries()) {
    const param = params[index]
    if (slot === UNSET && param?.fallback === undefined) throw new Fault(`Missing argument: ${param?.name}`)
  }
  return slots
}

/**
 * Calls a function with arguments that `bindArguments` has put in order.
 * @param strict evaluate the arguments, those that were not given too, before the call
 */
export function invoke(target: JsonnetFunction, args: Slot[], run: Run, strict = false): Value {
  let current = target
  let slots = args
  let forced = strict
  for (;;) {
    if (current instanceof Native) {
      fillNative(current, slots)
      if (forced) for (const slot of slots) force(slot, run)
      run.enter(current)
      const value = current.code(slots, run)
      run.leave(current)
      return value
    }
    const { body } = current
    const scope = new Scope(current.scope, slots)
    fillClosure(current, scope)
    if (forced) for (const slot of slots) force(slot, run)
    run.enter(body)
    const result = body.code(scope, run)
    run.leave(body)
    if (!(result instanceof TailCall)) return result
    current = result.target
    slots = result.slots
    forced = true
  }
}

/** Calls a function with positional arguments, as the standard library does. */
export function apply(target: JsonnetFunction, args: readonly Slot[], run: Run): Value {
  return invoke(target, bindArguments(target, args, []), run)
}

function fillClosure(target: Closure, scope: Scope): void {
  const { slots } = scope
  for (let index = 0; index < slots.length; index++) {
    if (slots[index] !== UNSET) continue
    const fallback = target.params[index]?.fallback
    if (fallback !== undefined) slots[index] = 'code' in fallback ? new Thunk(fallback, scope) : fallback.value
  }
}

function fillNative(target: Native, slots: Slot[]): void {
  for (let index = 0; index < slots.length; index++) {
    if (slots[index] !== UNSET) continue
    const fallback = target.params[index]?.fallback
    if (fallback !== undefined && 'value' in fallback) slots[index] = fallback.value
  }
}
