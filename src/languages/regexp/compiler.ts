/** From the syntax tree to a program. Longer than the rule of thumb: one case for each kind of node. */
import { CharSet, compileSet, type CompiledSet } from './charset.ts'
import type { ParsedPattern } from './parser.ts'
import { anchoredAtStart, literalAt, plainCode, requiredPrefix } from './prefix.ts'
import * as op from './program.ts'
import type { Program } from './program.ts'
import type { AssertionKind, Node, Repeat } from './syntax.ts'

const UNLIMITED = 0x7fffffff
/** The instruction and its operands; one character is as long as a string of them. */
const BEGIN_SIZE = 1
const LITERAL_SIZE = 2

const ASSERTIONS: Record<AssertionKind, number> = {
  begin: op.BEGIN,
  beginLine: op.BEGIN_LINE,
  endBeforeNewline: op.END_BEFORE_NEWLINE,
  endLine: op.END_LINE,
  end: op.END,
  start: op.START,
  boundary: op.BOUNDARY,
  notBoundary: op.NOT_BOUNDARY,
}

/** What has to come after a node, as far as one character tells: its code, an end, or undefined for anything. */
type Follow = number | 'end' | 'endBeforeNewline' | undefined

export function compileProgram({ root, groups }: ParsedPattern): Program {
  const compiler = new Compiler(groups.slots)
  compiler.emitNode(root, 'end', false)
  compiler.emit(op.MATCH)
  return {
    ...compiler.finish(),
    anchored: anchoredAtStart(root),
    prefix: requiredPrefix(root),
    entry: entryBehindPrefix(root),
  }
}

/** Behind the anchor and the string right after it, which are part of the prefix. */
function entryBehindPrefix(root: Node): Program['entry'] {
  const begins = root.kind === 'concat' && root.items[0]?.kind === 'assertion' && root.items[0].at === 'begin'
  if (!begins) return { address: 0, position: 0 }
  const { length } = literalAt(root.items, 1)
  return { address: BEGIN_SIZE + (length > 0 ? LITERAL_SIZE : 0), position: length }
}

class Compiler {
  readonly #code: number[] = []
  readonly #sets: CompiledSet[] = []
  readonly #literals: Int32Array[] = []
  readonly #groups: ReadonlyMap<number, number>
  #registers: number

  constructor(slots: readonly number[]) {
    this.#groups = new Map(slots.map((slot, index) => [slot, index]))
    this.#registers = slots.length
  }

  finish(): Pick<Program, 'code' | 'sets' | 'literals' | 'registers' | 'groups'> {
    return {
      code: Int32Array.from(this.#code),
      sets: this.#sets,
      literals: this.#literals,
      registers: this.#registers,
      groups: this.#groups.size - 1,
    }
  }

  /** @returns the address of the instruction */
  emit(...instruction: readonly number[]): number {
    const address = this.#code.length
    this.#code.push(...instruction)
    return address
  }

  /** Makes an operand of an earlier instruction point here. */
  #land(address: number, operand: number): void {
    this.#code[address + operand] = this.#code.length
  }

  #register(): number {
    return this.#registers++
  }

  #group(slot: number): number {
    return this.#groups.get(slot) ?? 0
  }

  #set(set: CharSet, ignoreCase: boolean): number {
    return this.#sets.push(compileSet(set, ignoreCase)) - 1
  }

  /** @param back whether the node is matched from right to left */
  emitNode(node: Node, follow: Follow, back: boolean): void {
    switch (node.kind) {
      case 'empty':
        return
      case 'char':
      case 'set':
        return this.#emitSingle(node, back)
      case 'concat':
        return this.#emitConcat(back ? node.items.toReversed() : node.items, follow, back)
      case 'alternate':
        return this.#emitAlternate(node.items, follow, back)
      case 'repeat':
        return isSingle(node.body) ? this.#emitRun(node, node.body, follow, back) : this.#emitLoop(node, back)
      case 'capture': {
        const mark = this.#register()
        this.emit(op.SET_MARK, mark)
        this.emitNode(node.body, follow, back)
        const group = node.slot === undefined ? -1 : this.#group(node.slot)
        if (node.balances === undefined) this.emit(op.CAPTURE, group, mark)
        else this.emit(op.BALANCE, group, mark, this.#group(node.balances))
        return
      }
      case 'atomic': {
        const fence = this.#register()
        this.emit(op.FENCE, fence)
        this.emitNode(node.body, undefined, back)
        this.emit(op.COMMIT, fence)
        return
      }
      case 'look':
        return node.negative ? this.#emitNegativeLook(node.body, node.behind) : this.#emitLook(node.body, node.behind)
      case 'reference':
        this.emit(back ? op.REFERENCE_BACK : op.REFERENCE, this.#group(node.slot), node.ignoreCase ? 1 : 0)
        return
      case 'ifMatched': {
        const test = this.emit(op.IF_CAPTURED, this.#group(node.slot), 0)
        this.#emitBranches(() => this.#land(test, 2), node.yes, node.no, follow, back)
        return
      }
      case 'ifLooking': {
        const fence = this.#register()
        const mark = this.#register()
        this.emit(op.FENCE, fence)
        this.emit(op.SET_MARK, mark)
        const split = this.emit(op.SPLIT, 0, -1)
        this.emitNode(node.condition, undefined, back)
        this.emit(op.COMMIT, fence)
        this.emit(op.GO_TO_MARK, mark)
        this.#emitBranches(() => this.#land(split, 1), node.yes, node.no, follow, back)
        return
      }
      case 'assertion':
        this.emit(ASSERTIONS[node.at])
        return
    }
  }

  #emitBranches(landNo: () => void, yes: Node, no: Node, follow: Follow, back: boolean): void {
    this.emitNode(yes, follow, back)
    const jump = this.emit(op.JUMP, 0)
    landNo()
    this.emitNode(no, follow, back)
    this.#land(jump, 1)
  }

  #emitSingle(node: Single, back: boolean): void {
    const code = plainCode(node)
    if (code !== undefined && !back) this.emit(op.CHAR, code)
    else this.emit(back ? op.SET_BACK : op.SET, this.#singleSet(node))
  }

  #singleSet(node: Single): number {
    return this.#set(node.kind === 'char' ? CharSet.of(node.code) : node.set, node.ignoreCase)
  }

  #emitConcat(items: readonly Node[], follow: Follow, back: boolean): void {
    for (let i = 0; i < items.length; i++) {
      const item = items[i]
      if (item === undefined) continue
      const literal = back ? [] : literalAt(items, i)
      if (literal.length > 1) {
        this.emit(op.LITERAL, this.#literals.push(Int32Array.from(literal)) - 1)
        i += literal.length - 1
        continue
      }
      const next = items[i + 1]
      this.emitNode(item, next === undefined ? follow : followedBy(next), back)
    }
  }

  #emitAlternate(branches: readonly Node[], follow: Follow, back: boolean): void {
    const jumps: number[] = []
    for (const [i, branch] of branches.entries()) {
      if (i === branches.length - 1) {
        this.emitNode(branch, follow, back)
        break
      }
      const first = back ? undefined : followedBy(branch)
      const split = this.emit(op.SPLIT, 0, typeof first === 'number' ? first : -1)
      this.emitNode(branch, follow, back)
      jumps.push(this.emit(op.JUMP, 0))
      this.#land(split, 1)
    }
    for (const jump of jumps) this.#land(jump, 1)
  }

  /** A repeat of one character: a single instruction instead of a loop. */
  #emitRun(node: Repeat, body: Single, follow: Follow, back: boolean): void {
    if (back && node.min > 0) return this.#emitLoop(node, back)
    const set = this.#singleSet(body)
    if (node.min > 0) this.emit(op.SET_TIMES, set, node.min)
    const max = node.max === Infinity ? UNLIMITED : node.max - node.min
    if (max === 0) return
    if (back) {
      this.emit(node.lazy ? op.RUN_BACK_LAZY : op.RUN_BACK, set, max)
    } else if (node.lazy) {
      this.emit(op.RUN_LAZY, set, max)
    } else if (this.#neverGivesBack(set, follow)) {
      this.emit(op.RUN_POSSESSIVE, set, max)
    } else {
      this.emit(op.RUN, set, max, typeof follow === 'number' ? follow : -1)
    }
  }

  /** Whether giving characters back cannot help: the next one given back is no place where the rest could match. */
  #neverGivesBack(set: number, follow: Follow): boolean {
    const compiled = this.#sets[set]
    if (follow === undefined || compiled === undefined) return false
    if (follow === 'end') return true
    const code = follow === 'endBeforeNewline' ? 0x0a : follow
    return code < 128 ? compiled.ascii[code] !== 1 : !compiled.has(code)
  }

  #emitLoop(node: Repeat, back: boolean): void {
    const mark = this.#register()
    if (node.max === Infinity && node.min <= 1) {
      if (node.lazy) this.#emitLazyLoop(node, mark, undefined, back)
      else this.#emitGreedyLoop(node, mark, undefined, back)
      return
    }
    const count = this.#register()
    if (node.lazy) this.#emitLazyLoop(node, mark, count, back)
    else this.#emitGreedyLoop(node, mark, count, back)
  }

  /** Before its first round a loop that may be left at once has the mark -1, which no position equals. */
  #emitGreedyLoop(node: Repeat, mark: number, count: number | undefined, back: boolean): void {
    if (node.min === 0) this.emit(op.SET_REGISTER, mark, -1)
    else this.emit(op.SET_MARK, mark)
    if (count !== undefined) this.emit(op.SET_REGISTER, count, node.min === 0 ? 0 : 1 - node.min)
    const enter = node.min === 0 ? this.emit(op.JUMP, 0) : undefined
    const body = this.#code.length
    this.emitNode(node.body, undefined, back)
    if (enter !== undefined) this.#land(enter, 1)
    if (count === undefined) this.emit(op.LOOP, mark, body)
    else this.emit(op.COUNTED_LOOP, mark, count, limitOf(node), body)
  }

  #emitLazyLoop(node: Repeat, mark: number, count: number | undefined, back: boolean): void {
    this.emit(op.SET_REGISTER, mark, -1)
    if (count !== undefined) this.emit(op.SET_REGISTER, count, -node.min)
    const enter = node.min === 0 || count !== undefined ? this.emit(op.JUMP, 0) : undefined
    const body = count === undefined ? this.emit(op.SET_MARK, mark) : this.emit(op.NEXT_ROUND, mark, count)
    this.emitNode(node.body, undefined, back)
    if (enter !== undefined) this.#land(enter, 1)
    if (count === undefined) this.emit(op.LOOP_LAZY, mark, body)
    else this.emit(op.COUNTED_LOOP_LAZY, mark, count, limitOf(node), body)
  }

  /** The positive forms keep what they captured and have one try: what is inside is not gone back into. */
  #emitLook(body: Node, back: boolean): void {
    const fence = this.#register()
    const mark = this.#register()
    this.emit(op.FENCE, fence)
    this.emit(op.SET_MARK, mark)
    this.emitNode(body, undefined, back)
    this.emit(op.COMMIT, fence)
    this.emit(op.GO_TO_MARK, mark)
  }

  #emitNegativeLook(body: Node, back: boolean): void {
    const fence = this.#register()
    this.emit(op.FENCE, fence)
    const split = this.emit(op.SPLIT, 0, -1)
    this.emitNode(body, undefined, back)
    this.emit(op.REJECT, fence)
    this.#land(split, 1)
  }
}

type Single = Extract<Node, { kind: 'char' | 'set' }>

function isSingle(node: Node): node is Single {
  return node.kind === 'char' || node.kind === 'set'
}

function limitOf(node: Repeat): number {
  return node.max === Infinity ? UNLIMITED : node.max - node.min
}

function followedBy(node: Node): Follow {
  if (node.kind === 'assertion') return node.at === 'end' || node.at === 'endBeforeNewline' ? node.at : undefined
  if (node.kind === 'capture' || node.kind === 'atomic') return followedBy(node.body)
  if (node.kind === 'repeat') return node.min > 0 ? followedBy(node.body) : undefined
  if (node.kind === 'concat') return node.items[0] === undefined ? undefined : followedBy(node.items[0])
  return plainCode(node)
}
