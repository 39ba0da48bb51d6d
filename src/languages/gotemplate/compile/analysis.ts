import type { Command, Node, Operand, Pipe, Tree } from '../syntax/ast.ts'

/**
 * Functions of scalars that give a scalar made of nothing else. Maps and lists are kept out on purpose:
 * `set` can put data into a map that was made of constants.
 */
const scalarFunctions = new Set(
  'print printf println ternary default repeat quote squote cat replace upper lower trim indent nindent'.split(' '),
)

/** Visits every pipeline of a body, parenthesised ones included. */
export function walkPipes(nodes: readonly Node[], visit: (pipe: Pipe, node: Node) => void): void {
  for (const node of nodes) {
    if (!('pipe' in node)) continue
    if (node.pipe !== undefined) walkPipe(node.pipe, (pipe) => visit(pipe, node))
    if (!('body' in node)) continue
    walkPipes(node.body, visit)
    if (node.orElse !== undefined) walkPipes(node.orElse, visit)
  }
}

function walkPipe(pipe: Pipe, visit: (pipe: Pipe) => void): void {
  visit(pipe)
  const walkOperand = (operand: Operand): void => {
    if (operand.kind === 'pipe') walkPipe(operand.pipe, visit)
    if (operand.kind === 'chain') walkOperand(operand.of)
  }
  for (const command of pipe.commands) {
    walkOperand(command.operand)
    for (const arg of command.args) walkOperand(arg)
  }
}

/** Tells which actions are made of constants of the template alone, so that no data has a part in what they write. */
export class Constants {
  /** By template: the variables that are only ever set to constants. */
  readonly #slots = new Map<Tree, ReadonlySet<number>>()

  isConstant(pipe: Pipe, tree: Tree): boolean {
    return this.#isPipe(pipe, this.#constantSlots(tree))
  }

  #constantSlots(tree: Tree): ReadonlySet<number> {
    const known = this.#slots.get(tree)
    if (known !== undefined) return known
    const constant = new Set<number>()
    for (let slot = 1; slot < tree.slots; slot++) constant.add(slot)
    // whatever a constant depends on must be constant as well: repeat until nothing changes
    for (let before = -1; before !== constant.size;) {
      before = constant.size
      walkPipes(tree.body, (pipe, node) => {
        const isRange = node.kind === 'range' && node.pipe === pipe
        if (isRange || !this.#isPipe(pipe, constant)) for (const slot of pipe.slots) constant.delete(slot)
      })
    }
    this.#slots.set(tree, constant)
    return constant
  }

  #isPipe(pipe: Pipe, slots: ReadonlySet<number>): boolean {
    return pipe.commands.every((command, index) => this.#isCommand(command, index, pipe, slots))
  }

  #isCommand({ operand, args }: Command, index: number, pipe: Pipe, slots: ReadonlySet<number>): boolean {
    if (operand.kind !== 'function') return this.#isOperand(operand, slots)
    if (!scalarFunctions.has(operand.name)) return false
    // ternary gives one of its first two arguments, whatever the third is
    const isChoice = operand.name === 'ternary' && index === 0 && pipe.commands.length === 1
    const decisive = isChoice ? args.slice(0, 2) : args
    return decisive.every((arg) => this.#isOperand(arg, slots))
  }

  #isOperand(operand: Operand, slots: ReadonlySet<number>): boolean {
    switch (operand.kind) {
      case 'string':
      case 'number':
      case 'bool':
      case 'nil':
        return true
      case 'variable':
        return operand.fields.length === 0 && slots.has(operand.slot)
      case 'pipe':
        return this.#isPipe(operand.pipe, slots)
      case 'dot':
      case 'field':
      case 'chain':
      case 'function':
      default:
        return false
    }
  }
}
