import type { Body, Scope } from './code.ts'
import type { Run } from './run.ts'
import type { Value } from './values.ts'

/** An expression in its scope, evaluated at most once. */
export class Thunk {
  #body: Body | undefined
  #scope: Scope | undefined
  #value: Value = null

  constructor(body: Body, scope?: Scope) {
    this.#body = body
    this.#scope = scope
  }

  force(run: Run): Value {
    const body = this.#body
    if (body === undefined) return this.#value
    run.enter(body)
    const value = body.code(this.#scope as Scope, run)
    run.leave(body)
    this.#value = value
    this.#body = undefined
    this.#scope = undefined
    return value
  }
}

/** A thunk of the standard library: the work is a plain function. */
export function lazy(compute: (run: Run) => Value): Thunk {
  return new Thunk({ code: (_, run) => compute(run), size: 1, height: 4 })
}

/** What a `lazy` costs to make, in elements. */
export const LAZY = 4
