import { GoError } from '../errors.ts'
import type { Control, Node, Operand, Pipe, Tree, Trees } from '../syntax/ast.ts'
import { GoStruct } from '../values/struct.ts'
import { sortedKeys } from '../values/order.ts'
import { printValue } from '../values/print.ts'
import { isTrue } from '../values/truth.ts'
import { integerOf, typeName } from '../values/types.ts'
import { type GoValue, isList, isNothing, mapEntries, Missing } from '../values/value.ts'
import type { Constants } from './analysis.ts'
import { type ExpressionCompiler, missingField } from './expressions.ts'
import type { Eval, Exec, Flow, Run } from './run.ts'
import { Literal } from './sink.ts'

/** Functions whose result is a complete JSON text. */
const encoders = new Set(['toJson', 'mustToJson', 'toRawJson', 'mustToRawJson', 'toPrettyJson', 'mustToPrettyJson'])

interface CompiledTree {
  exec: Exec
  readonly slots: number
  readonly nesting: number
}

/** Compiles the nodes of all templates of a source. */
export class NodeCompiler {
  readonly #expressions: ExpressionCompiler
  readonly #constants: Constants
  readonly #strict: boolean
  readonly #trees = new Map<string, CompiledTree>()

  constructor(expressions: ExpressionCompiler, constants: Constants, strict: boolean) {
    this.#expressions = expressions
    this.#constants = constants
    this.#strict = strict
  }

  /** @returns what renders the main template with a value for dot */
  compile(trees: Trees): (run: Run, data: GoValue) => void {
    for (const { name, slots, nesting } of trees.values()) {
      this.#trees.set(name, { exec: () => 'next', slots, nesting })
    }
    for (const tree of trees.values()) (this.#trees.get(tree.name) as CompiledTree).exec = this.#tree(tree)
    const main = this.#trees.get('') as CompiledTree
    return (run, data) => {
      main.exec(run, data, variables(main, data))
    }
  }

  #tree(tree: Tree): Exec {
    return this.#list(tree.body, tree)
  }

  #list(nodes: readonly Node[], tree: Tree): Exec {
    const execs = nodes.map((node) => this.#node(node, tree))
    const [only] = execs
    if (only !== undefined && execs.length === 1) return only
    return (run, dot, vars) => {
      for (let index = 0; index < execs.length; index++) {
        const flow = (execs[index] as Exec)(run, dot, vars)
        if (flow !== 'next') return flow
      }
      return 'next'
    }
  }

  #node(node: Node, tree: Tree): Exec {
    switch (node.kind) {
      case 'text': {
        const literal = new Literal(node.text)
        return (run) => {
          run.step()
          run.sink.literal(literal)
          return 'next'
        }
      }
      case 'action':
        return this.#action(node.pipe, tree)
      case 'if':
      case 'with':
        return this.#branch(node, tree)
      case 'range':
        return this.#range(node, tree)
      case 'template':
        return this.#template(node)
      case 'break':
      case 'continue':
      default: {
        const flow: Flow = node.kind
        return () => flow
      }
    }
  }

  #action(pipe: Pipe, tree: Tree): Exec {
    const value = this.#expressions.pipe(pipe)
    if (pipe.slots.length > 0) {
      return (run, dot, vars) => {
        run.step()
        value(run, dot, vars)
        return 'next'
      }
    }
    const constant = this.#constants.isConstant(pipe, tree)
    const encoded = isEncoder(pipe.commands.at(-1)?.operand)
    const print = this.#strict ? printStrictly : printOutput
    return (run, dot, vars) => {
      run.step()
      const result = value(run, dot, vars)
      run.at = pipe
      const text = print(result, run)
      if (constant) run.sink.constant(text)
      else run.sink.value(text, encoded)
      return 'next'
    }
  }

  #branch(node: Control, tree: Tree): Exec {
    const value = this.#expressions.pipe(node.pipe)
    const body = this.#list(node.body, tree)
    const orElse = node.orElse === undefined ? undefined : this.#list(node.orElse, tree)
    const moves = node.kind === 'with'
    return (run, dot, vars) => {
      run.step()
      const result = value(run, dot, vars)
      if (isTrue(result)) return body(run, moves ? result : dot, vars)
      return orElse === undefined ? 'next' : orElse(run, dot, vars)
    }
  }

  #range(node: Control, tree: Tree): Exec {
    const value = this.#expressions.pipe(node.pipe)
    const body = this.#list(node.body, tree)
    const orElse = node.orElse === undefined ? undefined : this.#list(node.orElse, tree)
    const { pipe } = node
    // with one variable it is the element, with two the first is the index
    const elementSlot = pipe.slots[pipe.slots.length - 1]
    const indexSlot = pipe.slots.length > 1 ? pipe.slots[0] : undefined
    return (run, dot, vars) => {
      run.step()
      const over = value(run, dot, vars)
      run.at = pipe
      const iterate = (index: GoValue, element: GoValue): Flow => {
        run.step()
        if (indexSlot !== undefined) vars[indexSlot] = index
        if (elementSlot !== undefined) vars[elementSlot] = element
        return body(run, element, vars)
      }
      if (each(over, indexSlot !== undefined, iterate)) return 'next'
      return orElse === undefined ? 'next' : orElse(run, dot, vars)
    }
  }

  #template(node: Extract<Node, { kind: 'template' }>): Exec {
    const tree = this.#trees.get(node.name)
    if (tree === undefined) return this.#expressions.fail(`template ${JSON.stringify(node.name)} not defined`, node)
    const value: Eval = node.pipe === undefined ? () => undefined : this.#expressions.pipe(node.pipe)
    return (run, dot, vars) => {
      run.step()
      const data = value(run, dot, vars)
      run.at = node
      run.callTemplate(tree.nesting, () => tree.exec(run, data, variables(tree, data)))
      return 'next'
    }
  }
}

function variables(tree: CompiledTree, data: GoValue): GoValue[] {
  const vars: GoValue[] = [data]
  for (let slot = 1; slot < tree.slots; slot++) vars.push(undefined)
  return vars
}

const isEncoder = (operand: Operand | undefined): boolean => operand?.kind === 'function' && encoders.has(operand.name)

/** What an action writes. */
function printOutput(value: GoValue, run: Run): string {
  if (typeof value === 'string') return value
  if (isNothing(value)) return '<no value>'
  const text = printValue(value, run)
  // what a pointer points to is printed without the mark that `%v` gives it
  return value instanceof GoStruct && text.startsWith('&') ? text.slice(1) : text
}

function printStrictly(value: GoValue, run: Run): string {
  if (value instanceof Missing) throw missingField(value)
  if (isNothing(value)) throw new GoError('the value is null: give a default, such as {{ … | default "" }}')
  return printOutput(value, run)
}

/** Iterates over a value; false when there was nothing to iterate over. @throws GoError when it cannot be ranged over */
function each(over: GoValue, indexed: boolean, iterate: (index: GoValue, element: GoValue) => Flow): boolean {
  if (isNothing(over)) return false
  if (isList(over)) {
    let index = 0n
    // the length is taken once, as in Go
    const { length } = over
    for (let at = 0; at < length; at++) if (iterate(index++, over[at]) === 'break') break
    return length > 0
  }
  const entries = mapEntries(over)
  if (entries !== undefined) {
    const keys = sortedKeys(entries)
    for (const key of keys) if (iterate(key, entries[key]) === 'break') break
    return keys.length > 0
  }
  const count = integerOf(over)
  if (count === undefined) throw new GoError(`range can't iterate over a value of type ${typeName(over)}`)
  if (indexed) throw new GoError('cannot range over an integer with more than one variable')
  for (let at = 0n; at < count; at++) if (iterate(at, at) === 'break') break
  return count > 0n
}
