import { GlobStepLimitError } from './errors.ts'
import type { Program } from './program.ts'

/** How much work may still be done; what a match needs is taken off. */
export interface GlobBudget {
  /** One step is one instruction looked at. */
  steps: number
}

/**
 * Takes a program and the separators; returns a function from an input and a step budget to whether the whole input
 * matches; it takes the steps off the budget. The function keeps its working lists between calls (it never runs twice at once), so it allocates nothing.
 */
export function createRunner(
  program: Program,
  separators: readonly string[],
): (input: string, budget: GlobBudget) => boolean {
  const separatorCodes = new Set(separators.map((separator) => separator.codePointAt(0)))
  const accept = program.length - 1
  let current: number[] = []
  let next: number[] = []
  // visited[i] is the round in which instruction i was last entered: clearing it costs an addition.
  const visited = new Int32Array(program.length)
  let round = 0
  const pending: number[] = []

  /** Adds an instruction, and all that is reached from it without reading, to the list. Returns the steps it took. */
  function enter(list: number[], start: number): number {
    let steps = 0
    pending.push(start)
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      steps++
      if (visited[at] === round) continue
      visited[at] = round
      const instruction = program[at]
      if (instruction === undefined) continue
      if (instruction.op === 'jump') pending.push(instruction.target)
      else if (instruction.op === 'fork') pending.push(...instruction.targets)
      else {
        list.push(at)
        if (instruction.op === 'any' || instruction.op === 'super') pending.push(at + 1)
      }
    }
    return steps
  }

  function newRound(): void {
    if (round === 0x7fff_ffff) {
      visited.fill(0)
      round = 0
    }
    round++
  }

  return function run(input, budget) {
    newRound()
    current.length = 0
    spend(budget, enter(current, 0))
    for (let position = 0; position < input.length;) {
      const char = input.codePointAt(position) ?? 0
      position += char > 0xffff ? 2 : 1
      const isSeparator = separatorCodes.has(char)
      newRound()
      next.length = 0
      let used = current.length
      for (const at of current) {
        const instruction = program[at]
        if (instruction === undefined) continue
        switch (instruction.op) {
          case 'char':
            if (instruction.char === char) used += enter(next, at + 1)
            break
          case 'single':
            if (!isSeparator) used += enter(next, at + 1)
            break
          case 'list':
            if (instruction.chars.has(char) !== instruction.not) used += enter(next, at + 1)
            break
          case 'range':
            if ((char >= instruction.low && char <= instruction.high) !== instruction.not) used += enter(next, at + 1)
            break
          case 'any':
            if (!isSeparator) used += enter(next, at)
            break
          case 'super':
            // `**` at the end of the pattern takes whatever is left.
            if (at + 1 === accept) return true
            used += enter(next, at)
            break
          case 'fork':
          case 'jump':
          case 'accept':
            break
        }
      }
      spend(budget, used)
      if (next.length === 0) return false
      const finished = current
      current = next
      next = finished
    }
    // `accept` is the last instruction, and may have been entered in any order.
    return current.includes(accept)
  }
}

function spend(budget: GlobBudget, steps: number): void {
  budget.steps -= steps
  if (budget.steps >= 0) return
  budget.steps = 0
  throw new GlobStepLimitError()
}
