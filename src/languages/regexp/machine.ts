/**
 * The matcher: runs a program over code points, backtracking on a stack of its own. It cannot overflow JavaScript's
 * stack, and every instruction, every return to an earlier choice and every eighth character of a run counts as a step.
 *
 * Its memory is shared by all matches: a match is synchronous and never calls back. Longer than the rule of thumb
 * because the one loop over all instructions is what makes it fast.
 */
import { RegexpStepLimitError } from './errors.ts'
import { atBoundary, contains, lastFollowed, runEnd, sameText, text } from './input.ts'
import * as op from './program.ts'
import type { Program } from './program.ts'

/** A trail entry is three numbers: what to go back to. */
const ENTRY = 3
/** What one instruction adds to the trail at most. */
const ROOM = 4 * ENTRY
/** In a choice's third place: resume at the instruction itself, not in the middle of a run. */
const PLAIN = -1

/**
 * What to undo and where to go on, last first. (address, position, PLAIN): go on there. (address of a run, position,
 * bound): the run gives back or takes one more. (~register, value, 0): put the value back.
 */
let trail = new Int32Array(ENTRY * 512)
let registers = new Int32Array(64)
/** Captures as (start, end, the same group's capture before it); a group's register holds an index. */
let captures = new Int32Array(ENTRY * 64)
let captureTop = 0

/** How many steps the last run left over. */
let stepsLeft = 0

const NO_MATCH = -1

/** What a match found. Its texts have to be read before the next match runs. */
export interface Found {
  readonly start: number
  readonly end: number
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2)
  larger.set(array)
  return larger
}

/** The bounds of a group's last capture, as code point positions. */
export function captured(group: number): Found | undefined {
  const index = registers[group]!
  return index < 0 ? undefined : { start: captures[index]!, end: captures[index + 1]! }
}

/**
 * Searches the loaded input, which has to start with the program's prefix, and takes the steps it needs off the budget.
 * @throws RegexpStepLimitError
 */
export function search(program: Program, length: number, budget: { steps: number }): Found | undefined {
  if (registers.length < program.registers) registers = new Int32Array(program.registers * 2)
  registers.fill(-1, 0, program.registers)
  const granted = budget.steps
  const { anchored, entry } = program
  for (let start = 0; start <= length; start++) {
    const end = run(program, length, start + entry.position, entry.address, budget.steps)
    budget.steps = stepsLeft
    if (stepsLeft === 0) throw new RegexpStepLimitError(granted)
    if (end !== NO_MATCH) return { start, end }
    if (anchored) return undefined
  }
  return undefined
}

/** A long run can take more steps than were left; they count as used up then. */
function finish(left: number, end: number): number {
  stepsLeft = Math.max(left, 0)
  return end
}

/** @returns where the match ends, or NO_MATCH; `stepsLeft` is 0 when the steps were used up, whatever is returned */
function run(program: Program, length: number, start: number, address: number, steps: number): number {
  const { code, sets, literals } = program
  const input = text
  const values = registers
  let stack = trail
  let pc = address
  let position = start
  let left = steps
  let top = 0

  captureTop = 0
  for (;;) {
    if (--left <= 0) return finish(0, NO_MATCH)
    if (top + ROOM > stack.length) stack = trail = grown(trail)
    // Each case goes on with `continue`; a `break` is a mismatch.
    match: switch (code[pc]!) {
      case op.CHAR:
        if (input[position] !== code[pc + 1]) break
        position++
        pc += 2
        continue
      case op.LITERAL: {
        const literal = literals[code[pc + 1]!]!
        for (let i = 0; i < literal.length; i++) if (input[position + i] !== literal[i]) break match
        left -= literal.length >> 3
        position += literal.length
        pc += 2
        continue
      }
      case op.SET:
        if (!contains(sets[code[pc + 1]!]!, input[position]!)) break
        position++
        pc += 2
        continue
      case op.SET_TIMES: {
        const set = sets[code[pc + 1]!]!
        const stop = position + code[pc + 2]!
        if (stop > length) break
        left -= (stop - position) >> 3
        while (position < stop && contains(set, input[position]!)) position++
        if (position < stop) break
        pc += 3
        continue
      }
      case op.RUN: {
        const stop = runEnd(sets[code[pc + 1]!]!, position, Math.min(code[pc + 2]!, length - position))
        left -= (stop - position) >> 3
        const at = lastFollowed(code[pc + 3]!, stop, position)
        if (at < position) break
        if (at > position) {
          stack[top++] = pc
          stack[top++] = at - 1
          stack[top++] = position
        }
        position = at
        pc += 4
        continue
      }
      case op.RUN_POSSESSIVE: {
        const stop = runEnd(sets[code[pc + 1]!]!, position, Math.min(code[pc + 2]!, length - position))
        left -= (stop - position) >> 3
        position = stop
        pc += 3
        continue
      }
      case op.RUN_LAZY: {
        const most = Math.min(code[pc + 2]!, length - position)
        if (most > 0) {
          stack[top++] = pc
          stack[top++] = position
          stack[top++] = position + most
        }
        pc += 3
        continue
      }
      case op.JUMP:
        pc = code[pc + 1]!
        continue
      case op.SPLIT: {
        const first = code[pc + 2]!
        if (first >= 0 && input[position] !== first) {
          pc = code[pc + 1]!
        } else {
          stack[top++] = code[pc + 1]!
          stack[top++] = position
          stack[top++] = PLAIN
          pc += 3
        }
        continue
      }
      case op.SET_MARK: {
        const mark = code[pc + 1]!
        stack[top++] = ~mark
        stack[top++] = values[mark]!
        stack[top++] = 0
        values[mark] = position
        pc += 2
        continue
      }
      case op.CAPTURE: {
        const from = values[code[pc + 2]!]!
        top = addCapture(code[pc + 1]!, Math.min(from, position), Math.max(from, position), top)
        pc += 3
        continue
      }
      case op.SET_REGISTER: {
        const register = code[pc + 1]!
        stack[top++] = ~register
        stack[top++] = values[register]!
        stack[top++] = 0
        values[register] = code[pc + 2]!
        pc += 3
        continue
      }
      case op.LOOP: {
        const mark = code[pc + 1]!
        if (position === values[mark]) {
          pc += 3
        } else {
          stack[top++] = pc + 3
          stack[top++] = position
          stack[top++] = PLAIN
          stack[top++] = ~mark
          stack[top++] = values[mark]!
          stack[top++] = 0
          values[mark] = position
          pc = code[pc + 2]!
        }
        continue
      }
      case op.LOOP_LAZY:
        if (position !== values[code[pc + 1]!]) {
          stack[top++] = code[pc + 2]!
          stack[top++] = position
          stack[top++] = PLAIN
        }
        pc += 3
        continue
      case op.COUNTED_LOOP: {
        const mark = code[pc + 1]!
        const counter = code[pc + 2]!
        const count = values[counter]!
        if (count >= code[pc + 3]! || (count >= 0 && position === values[mark])) {
          pc += 5
        } else {
          if (count >= 0) {
            stack[top++] = pc + 5
            stack[top++] = position
            stack[top++] = PLAIN
          }
          stack[top++] = ~mark
          stack[top++] = values[mark]!
          stack[top++] = 0
          stack[top++] = ~counter
          stack[top++] = values[counter]!
          stack[top++] = 0
          values[mark] = position
          values[counter] = count + 1
          pc = code[pc + 4]!
        }
        continue
      }
      case op.COUNTED_LOOP_LAZY: {
        const count = values[code[pc + 2]!]!
        if (count < 0) {
          pc = code[pc + 4]!
        } else {
          if (count < code[pc + 3]! && position !== values[code[pc + 1]!]) {
            stack[top++] = code[pc + 4]!
            stack[top++] = position
            stack[top++] = PLAIN
          }
          pc += 5
        }
        continue
      }
      case op.NEXT_ROUND: {
        const mark = code[pc + 1]!
        const counter = code[pc + 2]!
        stack[top++] = ~mark
        stack[top++] = values[mark]!
        stack[top++] = 0
        stack[top++] = ~counter
        stack[top++] = values[counter]!
        stack[top++] = 0
        values[mark] = position
        values[counter] = values[counter]! + 1
        pc += 3
        continue
      }
      case op.BEGIN:
        if (position > 0) break
        pc++
        continue
      case op.START:
        // Where the search began, which is always the beginning.
        if (position > 0) break
        pc++
        continue
      case op.END_BEFORE_NEWLINE:
        if (position < length && !(position === length - 1 && input[position] === 0x0a)) break
        pc++
        continue
      case op.END:
        if (position < length) break
        pc++
        continue
      case op.BEGIN_LINE:
        if (position > 0 && input[position - 1] !== 0x0a) break
        pc++
        continue
      case op.END_LINE:
        if (position < length && input[position] !== 0x0a) break
        pc++
        continue
      case op.BOUNDARY:
        if (!atBoundary(position, length)) break
        pc++
        continue
      case op.NOT_BOUNDARY:
        if (atBoundary(position, length)) break
        pc++
        continue
      case op.MATCH:
        return finish(left, position)
      case op.FENCE: {
        const fence = code[pc + 1]!
        stack[top++] = ~fence
        stack[top++] = values[fence]!
        stack[top++] = 0
        values[fence] = top
        pc += 2
        continue
      }
      case op.COMMIT: {
        const floor = values[code[pc + 1]!]!
        left -= (top - floor) >> 3
        top = withoutChoices(floor, top)
        pc += 2
        continue
      }
      case op.REJECT: {
        const floor = values[code[pc + 1]!]!
        left -= (top - floor) >> 3
        for (; top > floor; top -= ENTRY) {
          const tag = stack[top - ENTRY]!
          if (tag < 0) values[~tag] = stack[top - ENTRY + 1]!
        }
        break
      }
      case op.GO_TO_MARK:
        position = values[code[pc + 1]!]!
        pc += 2
        continue
      case op.REFERENCE:
      case op.REFERENCE_BACK: {
        const index = values[code[pc + 1]!]!
        if (index < 0) break
        const size = captures[index + 1]! - captures[index]!
        const from = code[pc] === op.REFERENCE ? position : position - size
        if (from < 0 || from + size > length) break
        left -= size >> 3
        if (!sameText(captures[index]!, from, size, code[pc + 2] === 1)) break
        position = code[pc] === op.REFERENCE ? from + size : from
        pc += 3
        continue
      }
      case op.IF_CAPTURED:
        pc = values[code[pc + 1]!]! < 0 ? code[pc + 2]! : pc + 3
        continue
      case op.BALANCE: {
        const balanced = code[pc + 3]!
        const index = values[balanced]!
        if (index < 0) break
        let from = Math.min(values[code[pc + 2]!]!, position)
        let to = Math.max(values[code[pc + 2]!]!, position)
        const takenFrom = captures[index]!
        const takenTo = captures[index + 1]!
        stack[top++] = ~balanced
        stack[top++] = values[balanced]!
        stack[top++] = 0
        values[balanced] = captures[index + 2]!
        const group = code[pc + 1]!
        if (group >= 0) {
          // The new capture is what lies between the two, or the inner one where they overlap.
          if (from >= takenTo) {
            to = from
            from = takenTo
          } else if (to <= takenFrom) {
            from = takenFrom
          } else {
            to = Math.min(to, takenTo)
            from = Math.max(from, takenFrom)
          }
          top = addCapture(group, from, to, top)
        }
        pc += 4
        continue
      }
      case op.SET_BACK:
        if (position === 0 || !contains(sets[code[pc + 1]!]!, input[position - 1]!)) break
        position--
        pc += 2
        continue
      case op.RUN_BACK: {
        const set = sets[code[pc + 1]!]!
        const stop = Math.max(0, position - code[pc + 2]!)
        let at = position
        while (at > stop && contains(set, input[at - 1]!)) at--
        left -= (position - at) >> 3
        if (at < position) {
          stack[top++] = pc
          stack[top++] = at + 1
          stack[top++] = position
        }
        position = at
        pc += 3
        continue
      }
      case op.RUN_BACK_LAZY: {
        const most = Math.min(code[pc + 2]!, position)
        if (most > 0) {
          stack[top++] = pc
          stack[top++] = position
          stack[top++] = position - most
        }
        pc += 3
        continue
      }
    }

    // A mismatch: undo up to the last choice and take its other way.
    for (;;) {
      if (top === 0) return finish(left, NO_MATCH)
      left--
      const entry = top - ENTRY
      const tag = stack[entry]!
      if (tag < 0) {
        values[~tag] = stack[entry + 1]!
        top = entry
        continue
      }
      const bound = stack[entry + 2]!
      let at = stack[entry + 1]!
      if (bound === PLAIN) {
        top = entry
        pc = tag
        position = at
        break
      }
      const operation = code[tag]
      if (operation === op.RUN) {
        at = lastFollowed(code[tag + 3]!, at, bound)
        left -= (stack[entry + 1]! - at) >> 3
        if (at > bound) stack[entry + 1] = at - 1
        else top = entry
        if (at < bound) continue
        pc = tag + 4
      } else if (operation === op.RUN_LAZY) {
        if (!contains(sets[code[tag + 1]!]!, input[at]!)) {
          top = entry
          continue
        }
        at++
        if (at < bound) stack[entry + 1] = at
        else top = entry
        pc = tag + 3
      } else if (operation === op.RUN_BACK) {
        if (at < bound) stack[entry + 1] = at + 1
        else top = entry
        pc = tag + 3
      } else {
        if (!contains(sets[code[tag + 1]!]!, input[at - 1]!)) {
          top = entry
          continue
        }
        at--
        if (at > bound) stack[entry + 1] = at
        else top = entry
        pc = tag + 3
      }
      position = at
      break
    }
  }
}

/** @returns the new top of the trail */
function addCapture(group: number, from: number, to: number, top: number): number {
  if (captureTop + ENTRY > captures.length) captures = grown(captures)
  captures[captureTop] = from
  captures[captureTop + 1] = to
  captures[captureTop + 2] = registers[group]!
  trail[top] = ~group
  trail[top + 1] = registers[group]!
  trail[top + 2] = 0
  registers[group] = captureTop
  captureTop += ENTRY
  return top + ENTRY
}

/** Keeps what has to be undone above the floor and drops the choices. @returns the new top */
function withoutChoices(floor: number, top: number): number {
  let kept = floor
  for (let entry = floor; entry < top; entry += ENTRY) {
    if (trail[entry]! >= 0) continue
    trail.copyWithin(kept, entry, entry + ENTRY)
    kept += ENTRY
  }
  return kept
}
