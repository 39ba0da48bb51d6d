import { GatewayError } from '../../../errors.ts'
import type { Json } from '../../../pipeline/contract/values.ts'
import type { Value } from '../template.ts'

/** What one evaluation may still do. Loops over a user's lists are bounded by count, not by time. */
export class Budget {
  #steps = 100_000
  #characters = 1024 * 1024

  step(): void {
    if (--this.#steps < 0) throw failure('takes too many steps')
  }

  text(piece: string): string {
    this.#characters -= piece.length
    if (this.#characters < 0) throw failure('makes too much text')
    return piece
  }
}

/** What `@index` and its like say inside an `#each`. */
export interface Loop {
  readonly index: number
  readonly key: string | number
  readonly first: boolean
  readonly last: boolean
  readonly parent: Loop | undefined
}

/** Where an expression is evaluated. */
export interface Scope {
  readonly context: Value
  /** The scope around it, reached by `../`. */
  readonly parent: Scope | undefined
  readonly root: Value
  readonly loop: Loop | undefined
  /** Names given by `as |name|`, innermost first. */
  readonly names: readonly (readonly [name: string, value: Value])[]
  readonly budget: Budget
}

export type Evaluate = (scope: Scope) => Value
export type Render = (scope: Scope) => string

export const failure = (reason: string): GatewayError =>
  new GatewayError('template_failed', { reason: `The claims template ${reason}` })

/** Whether `#if` takes the other branch: Handlebars counts an empty list as false, and an empty object as true. */
export const isFalsy = (value: Value): boolean => !value || (Array.isArray(value) && value.length === 0)

/** Text of a value inside other text. */
export function toText(value: Json, source: string): string {
  if (value === null) return ''
  if (Array.isArray(value)) return value.map((item) => toText(item, source)).join(',')
  if (typeof value === 'object') {
    throw failure(
      `puts an object into text: {{${source}}}; make it the whole value of the claim, or use {{json ${source}}}`,
    )
  }
  return String(value)
}
