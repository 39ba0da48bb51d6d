/** Headers: those of a request, and what steps make of them. */

/** Request headers as the client sent them; names are given in lower case. */
export interface RequestHeaders {
  /** The first value, or undefined. */
  get(name: string): string | undefined
  /** Every value, in order; empty when there is none. */
  all(name: string): readonly string[]
  /** Name, value, name, value… in the client's order and spelling. */
  readonly raw: readonly string[]
}

/** A header to set (text, also empty; it is sent as UTF-8) or to remove (null). Names in any case. */
export type HeaderEdit = readonly [name: string, value: string | null]

export type HeaderLine = readonly [name: string, value: string]
