import { GoError } from '../errors.ts'
import type { FunctionContext, Host } from '../functions/spec.ts'
import type { Limits } from '../limits.ts'
import type { Span } from '../syntax/ast.ts'
import { Meter } from '../values/meter.ts'
import type { GoValue } from '../values/value.ts'
import type { Sink } from './sink.ts'

/** Nested nodes that may be active at a time, over all template calls: keeps the stack far from its end. */
const maxActiveNesting = 1000

const start: Span = { start: 0, end: 0 }

/** The state of one render. */
export class Run extends Meter implements FunctionContext {
  readonly meter: Meter = this
  readonly host: Host
  readonly sink: Sink
  /** What is being evaluated: where an error happened. */
  at: Span = start
  #templates = 0
  #nesting = 0

  constructor(limits: Limits, host: Host, sink: Sink) {
    super(limits)
    this.host = host
    this.sink = sink
  }

  /** Runs a called template, within the limits. */
  callTemplate(nesting: number, body: () => void): void {
    this.#templates++
    this.#nesting += nesting + 1
    if (this.#templates > this.limits.templateDepth || this.#nesting > maxActiveNesting) {
      throw new GoError(`exceeded maximum template depth (${this.limits.templateDepth})`)
    }
    body()
    this.#templates--
    this.#nesting -= nesting + 1
  }
}

/** Evaluates an expression. `vars` are the variables of the current template by slot. */
export type Eval = (run: Run, dot: GoValue, vars: GoValue[]) => GoValue

/** How a node ended: with the next one, by `break` or by `continue`. */
export type Flow = 'next' | 'break' | 'continue'

/** Renders a node. */
export type Exec = (run: Run, dot: GoValue, vars: GoValue[]) => Flow
