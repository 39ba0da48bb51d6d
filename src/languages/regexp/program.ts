import type { CompiledSet } from './charset.ts'

/**
 * A compiled pattern: instructions as numbers in one flat array, each an operation followed by its operands.
 * Registers hold positions and counters; the first ones hold the last capture of each group.
 *
 * "back" operations walk to the left and serve look-behind.
 */
export interface Program {
  readonly code: Int32Array
  readonly sets: readonly CompiledSet[]
  readonly literals: readonly Int32Array[]
  readonly registers: number
  /** Registers of the groups, in the order of their numbers, group 0 excluded. */
  readonly groups: number
  /** Whether a match can only begin where the input does. */
  readonly anchored: boolean
  /** The text that the input of every match starts with; '' when there is none, or the pattern is not anchored. */
  readonly prefix: string
  /** Where an anchored match begins once the prefix has been seen: at which instruction and position. */
  readonly entry: { readonly address: number; readonly position: number }
}

/** The pattern matches. */
export const MATCH = 0
/** code: one given character. */
export const CHAR = 1
/** literal: a string of characters. */
export const LITERAL = 2
/** set: one character of a set. */
export const SET = 3
/** set, count: so many characters of a set. */
export const SET_TIMES = 4
/** set, max, follow: as many as there are, given back one by one; `follow` is the only character that can come next, or -1. */
export const RUN = 5
/** set, max: as many as there are, none given back. */
export const RUN_POSSESSIVE = 6
/** set, max: as few as will do. */
export const RUN_LAZY = 7
/** address */
export const JUMP = 8
/** address, first: try what follows, then the address; straight to the address when the next character is not `first` (-1: any). */
export const SPLIT = 9
/** register: the position goes into the register. */
export const SET_MARK = 10
/** group, register: the group captured from the mark to here. */
export const CAPTURE = 11
/** register, value */
export const SET_REGISTER = 12
/** mark, address: back to the loop's body unless the last round was empty; leaving is tried next. */
export const LOOP = 13
/** mark, address: leave; the body is tried next unless the last round was empty. */
export const LOOP_LAZY = 14
/** mark, count, limit, address: as LOOP; the count is below 0 while rounds are still required. */
export const COUNTED_LOOP = 15
/** mark, count, limit, address */
export const COUNTED_LOOP_LAZY = 16
/** mark, count: a lazy loop goes into another round. */
export const NEXT_ROUND = 17
/** register: remembers how much there is to go back to. */
export const FENCE = 18
/** register: forgets every other way tried since the fence. */
export const COMMIT = 19
/** register: undoes all since the fence and fails. */
export const REJECT = 20
/** register: the position comes from the register. */
export const GO_TO_MARK = 21
/** group, ignoreCase: what the group captured last. */
export const REFERENCE = 22
/** group, address: to the address when the group has captured nothing. */
export const IF_CAPTURED = 23
/** group or -1, register, balanced group: takes the balanced group's last capture back. */
export const BALANCE = 24

export const BEGIN = 25
export const BEGIN_LINE = 26
export const END = 27
export const END_BEFORE_NEWLINE = 28
export const END_LINE = 29
export const START = 30
export const BOUNDARY = 31
export const NOT_BOUNDARY = 32

export const SET_BACK = 33
/** set, max */
export const RUN_BACK = 34
/** set, max */
export const RUN_BACK_LAZY = 35
/** group, ignoreCase */
export const REFERENCE_BACK = 36
