import type { Command, Node, Operand, Pipe, Tree, Trees } from '../syntax/ast.ts'
import { walkPipes } from './analysis.ts'

/** A path of field names from the root of the data. */
export type Path = readonly string[]

/** What an expression may stand for: a part of the data, or something else. */
type Origin = Path | undefined

/**
 * Finds the parts of the data that a template may read.
 * A path names all that lies under it; where the tail is dynamic the path is shorter, down to the empty one for the whole.
 */
export function findReads(trees: Trees): Path[] {
  const reader = new Reader(trees)
  reader.tree('', [])
  return reader.result()
}

/** Whether a template calls a function that the predicate holds for. */
export function calls(trees: Trees, predicate: (name: string) => boolean): boolean {
  let found = false
  const check = (operand: Operand): void => {
    if (operand.kind === 'function' && predicate(operand.name)) found = true
    if (operand.kind === 'chain') check(operand.of)
  }
  for (const tree of trees.values()) {
    walkPipes(tree.body, (pipe) => {
      for (const { operand, args } of pipe.commands) for (const each of [operand, ...args]) check(each)
    })
  }
  return found
}

class Reader {
  readonly #trees: Trees
  readonly #paths = new Map<string, Path>()
  /** Templates being read, with the part of the data they were given: each pair is read once. */
  readonly #seen = new Set<string>()
  readonly #active = new Set<string>()

  constructor(trees: Trees) {
    this.#trees = trees
  }

  /** The paths found, without those that another one covers. */
  result(): Path[] {
    const paths = [...this.#paths.values()]
    return paths.filter((path) => !paths.some((other) => other.length < path.length && startsWith(path, other)))
  }

  tree(name: string, dot: Origin): void {
    const tree = this.#trees.get(name)
    const call = JSON.stringify([name, dot ?? null])
    if (tree === undefined || this.#seen.has(call)) return
    // a template that calls itself on ever longer paths: all under the path may be read
    if (this.#active.has(name)) {
      this.read(dot)
      return
    }
    this.#seen.add(call)
    this.#active.add(name)
    new Body(this, tree, dot).read()
    this.#active.delete(name)
  }

  read(origin: Origin): void {
    if (origin !== undefined) this.#paths.set(JSON.stringify(origin), origin)
  }
}

const startsWith = (path: Path, prefix: Path): boolean => prefix.every((name, index) => path[index] === name)

/** Reads one template for one value of dot. */
class Body {
  readonly #reader: Reader
  readonly #tree: Tree
  readonly #variables: Origin[]
  readonly #dot: Origin

  constructor(reader: Reader, tree: Tree, dot: Origin) {
    this.#reader = reader
    this.#tree = tree
    this.#dot = dot
    this.#variables = [dot]
  }

  read(): void {
    this.#list(this.#tree.body, this.#dot)
  }

  #list(nodes: readonly Node[], dot: Origin): void {
    for (const node of nodes) this.#node(node, dot)
  }

  #node(node: Node, dot: Origin): void {
    switch (node.kind) {
      case 'text':
      case 'break':
      case 'continue':
        return
      case 'action': {
        const origin = this.#pipe(node.pipe, dot)
        if (node.pipe.slots.length === 0) this.#reader.read(origin)
        return
      }
      case 'template':
        this.#reader.tree(node.name, node.pipe === undefined ? undefined : this.#pipe(node.pipe, dot))
        return
      case 'if':
      case 'with':
      case 'range':
      default: {
        const origin = this.#pipe(node.pipe, dot)
        // whether it is empty, or how long it is, shows in the output
        this.#reader.read(origin)
        this.#list(node.body, node.kind === 'if' ? dot : origin)
        if (node.orElse !== undefined) this.#list(node.orElse, dot)
      }
    }
  }

  /** Where a pipeline's value comes from; what it reads on the way is noted. */
  #pipe(pipe: Pipe, dot: Origin): Origin {
    let origin: Origin
    for (const [index, command] of pipe.commands.entries()) {
      // what goes through a pipe is an argument of the next command
      if (index > 0) this.#reader.read(origin)
      origin = this.#command(command, dot)
    }
    for (const slot of pipe.slots) {
      // a loop may run code that stands before an assignment after it, so that value counts as read
      if (pipe.assigns) this.#reader.read(origin)
      else this.#variables[slot] = origin
    }
    return origin
  }

  #command(command: Command, dot: Origin): Origin {
    for (const arg of command.args) this.#reader.read(this.#operand(arg, dot))
    const origin = this.#operand(command.operand, dot)
    if (command.args.length === 0 || origin === undefined) return origin
    // a field with arguments is a method of what comes before it
    this.#reader.read(origin.slice(0, -1))
    return undefined
  }

  #operand(operand: Operand, dot: Origin): Origin {
    switch (operand.kind) {
      case 'dot':
        return dot
      case 'field':
        return dot && [...dot, ...operand.fields]
      case 'variable': {
        const origin = this.#variables[operand.slot]
        return origin && [...origin, ...operand.fields]
      }
      case 'chain': {
        const origin = this.#operand(operand.of, dot)
        return origin && [...origin, ...operand.fields]
      }
      case 'pipe':
        return this.#pipe(operand.pipe, dot)
      case 'nil':
      case 'bool':
      case 'string':
      case 'number':
      case 'function':
      default:
        return undefined
    }
  }
}
