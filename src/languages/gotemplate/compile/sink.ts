import { GoError } from '../errors.ts'

/** Literal text of the template, with what a sink may want to remember about it. */
export class Literal {
  readonly text: string
  /** Filled by the JSON sink: where the text leads to, by the state in which it is met. */
  readonly transitions: unknown[] = []

  constructor(text: string) {
    this.text = text
  }
}

/** Takes the output of one render. */
export interface Sink {
  /** Text between actions. */
  literal(literal: Literal): void
  /** Output of an action that is made of constants of the template alone. */
  constant(text: string): void
  /** Output of an action that data may have a part in; `encoded` when it comes from a JSON encoder. */
  value(text: string, encoded: boolean): void
  /** The whole output. */
  finish(): string
}

/** Writes everything as it comes. */
export class TextSink implements Sink {
  #out = ''
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  literal(literal: Literal): void {
    this.#write(literal.text)
  }

  constant(text: string): void {
    this.#write(text)
  }

  value(text: string): void {
    this.#write(text)
  }

  finish(): string {
    return this.#out
  }

  #write(text: string): void {
    this.#out += text
    if (this.#out.length > this.#limit) throw outputTooLong(this.#limit)
  }
}

export const outputTooLong = (limit: number): GoError => new GoError(`the output is longer than the limit of ${limit}`)
