import { JsonnetSyntaxError } from '../errors.ts'
import type { Body, Code, Scope, TailCode } from '../runtime/code.ts'
import type { Run } from '../runtime/run.ts'
import { Thunk } from '../runtime/thunk.ts'
import type { Slot, Value } from '../runtime/values.ts'
import type { ImportKind, Node } from '../syntax/ast.ts'
import type { Source } from '../syntax/source.ts'
import type { Names } from './names.ts'

/** One file while it is compiled. */
export interface Unit {
  readonly source: Source
  /** The members of `std`, for calls that can be resolved before the program runs. */
  readonly std: ReadonlyMap<string, Value>
  /** The names of the root scope: `std` alone. */
  readonly root: Names
  /** Compiles one kind of expression; the compiler's files reach each other through this. */
  readonly compile: (node: Node, place: Place) => Code
  readonly compileTail: (node: Node, place: Place) => TailCode
  /** What an import of that path means; throws JsonnetSyntaxError when there are no imports. */
  readonly importCode: (kind: ImportKind, path: string, at: number) => Code
}

/** Makes what is put into a slot: a value when it costs nothing, a thunk when it does. */
export type SlotCode = (scope: Scope, run: Run) => Slot

/** JavaScript frames between one body and the next: forcing, looking up, calling. */
const BODY_FRAMES = 4

/** Where an expression stands: in which scope, and in which body. */
export class Place {
  readonly unit: Unit
  readonly names: Names
  readonly #meter: { size: number; level: number; height: number }

  private constructor(unit: Unit, names: Names, meter: { size: number; level: number; height: number }) {
    this.unit = unit
    this.names = names
    this.#meter = meter
  }

  /** Compiles a body of its own: what is entered and paid for at once. */
  static body(unit: Unit, names: Names, node: Node): Body {
    return Place.#enclose(unit, names, (place) => place.code(node))
  }

  static #enclose<C>(unit: Unit, names: Names, compile: (place: Place) => C): Body<C> {
    const meter = { size: 0, level: 0, height: 0 }
    const code = compile(new Place(unit, names, meter))
    return { code, size: meter.size, height: meter.height + BODY_FRAMES }
  }

  /** Another scope inside of the same body. */
  within(names: Names): Place {
    return new Place(this.unit, names, this.#meter)
  }

  /** The same scope, one JavaScript frame further down. */
  deeper(): Place {
    this.#meter.height++
    return this
  }

  /** An expression that is evaluated as part of this body. */
  code(node: Node): Code {
    return this.#count(() => this.unit.compile(node, this))
  }

  /** An expression of this body whose value is the function's. */
  tail(node: Node): TailCode {
    return this.#count(() => this.unit.compileTail(node, this))
  }

  body(node: Node): Body {
    return Place.body(this.unit, this.names, node)
  }

  /** A body made of something else than one expression. */
  enclose<C>(compile: (place: Place) => C): Body<C> {
    return Place.#enclose(this.unit, this.names, compile)
  }

  /** An expression that is evaluated when somebody looks. Its scope must be complete by then. */
  slot(node: Node): SlotCode {
    if (node.kind === 'literal') {
      const { value } = node
      return () => value
    }
    if (node.kind === 'function') return this.code(node)
    if (node.kind === 'variable' && node.name !== '$') {
      const { hops, index } = this.resolve(node.name, node.at)
      return (scope) => ancestor(scope, hops).slots[index] as Slot
    }
    const body = this.body(node)
    return (scope) => new Thunk(body, scope)
  }

  /** @throws JsonnetSyntaxError for an unknown variable */
  resolve(name: string, at: number): { readonly hops: number; readonly index: number } {
    const address = this.names.resolve(name)
    if (address === undefined) this.fail(`Unknown variable: ${name}`, at)
    return address
  }

  /** Whether a node is the standard library itself, not a variable that is called like it. */
  isStd(node: Node): boolean {
    if (node.kind !== 'variable' || node.name !== 'std') return false
    let names: Names | undefined = this.names
    while (names !== undefined && !names.declares('std')) names = names.parent
    return names === this.unit.root
  }

  /** @throws JsonnetSyntaxError always */
  fail(reason: string, at: number): never {
    throw new JsonnetSyntaxError(reason, this.unit.source, at)
  }

  #count<C>(compile: () => C): C {
    const meter = this.#meter
    meter.size++
    meter.level++
    meter.height = Math.max(meter.height, meter.level)
    const code = compile()
    meter.level--
    return code
  }
}

/** The scope that many levels up. */
export function ancestor(scope: Scope, hops: number): Scope {
  let found = scope
  for (let left = hops; left > 0; left--) found = found.parent as Scope
  return found
}
