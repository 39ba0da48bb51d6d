import type { JsonnetFunction } from './function.ts'
import type { JsonnetObject } from './object.ts'
import type { Run } from './run.ts'
import type { Slot, Value } from './values.ts'

/** A compiled expression. Throws located JsonnetRuntimeErrors, JsonnetLimitErrors, and nothing else. */
export type Code = (scope: Scope, run: Run) => Value

/** A compiled expression whose value is that of a function: it may end in a call that is still to be made. */
export type TailCode = (scope: Scope, run: Run) => Value | TailCall

/** An expression that is entered at once (a thunk, a field, a function's body), with what it costs. */
export interface Body<C = Code> {
  readonly code: C
  /** How many expressions it evaluates at most, without those of other bodies. */
  readonly size: number
  /** How deep these nest, and so how much of the JavaScript stack they take. */
  readonly height: number
}

/** Variables at run time. Which ones is known when compiling, so there are no names. */
export class Scope {
  readonly parent: Scope | undefined
  readonly slots: Slot[]
  /** In the scope of an object's members: the object, and how many of its layers are below. */
  readonly self: JsonnetObject | undefined
  readonly layer: number

  constructor(parent: Scope | undefined, slots: Slot[], self?: JsonnetObject, layer = 0) {
    this.parent = parent
    this.slots = slots
    this.self = self
    this.layer = layer
  }
}

/** A `tailstrict` call in the last place of a function: made after that function has returned. */
export class TailCall {
  readonly target: JsonnetFunction
  readonly slots: Slot[]

  constructor(target: JsonnetFunction, slots: Slot[]) {
    this.target = target
    this.slots = slots
  }
}
