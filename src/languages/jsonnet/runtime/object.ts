import { Fault } from '../errors.ts'
import type { Visibility } from '../syntax/ast.ts'
import { type Body, Scope } from './code.ts'
import type { Run } from './run.ts'
import { Thunk } from './thunk.ts'
import { compareText, isAstral } from './text.ts'
import { force, type Slot, type Value } from './values.ts'

/** A field of one layer: an expression, or a value that does not depend on the object it is in. */
export interface Field {
  readonly visibility: Visibility
  /** For `+:`, what joins the field to the one below. */
  readonly plus?: (below: Value, value: Value, run: Run) => Value
  readonly value: { readonly body: Body; readonly scope?: Scope } | { readonly slot: Slot }
}

/** What one `{…}` puts into an object. */
export interface Layer {
  readonly fields: ReadonlyMap<string, Field>
  /** Where the literal stands; undefined for an object of plain data. */
  readonly scope?: Scope
  readonly locals?: readonly Body[]
  readonly asserts?: readonly Body[]
  /** A field that so many layers below this one are taken to lack, for whoever looks from above. */
  readonly removed?: { readonly name: string; readonly layers: number }
}

export interface FieldName {
  readonly name: string
  readonly hidden: boolean
}

/** An object: layers that `+` put on top of each other, of which `self` is the whole and `super` what is below. */
export class JsonnetObject {
  readonly layers: readonly Layer[]
  readonly #values = new Map<string, Value>()
  readonly #scopes: (Scope | undefined)[] = []
  #names: readonly FieldName[] | undefined
  #visible: readonly string[] | undefined
  #asserted: boolean

  constructor(layers: readonly Layer[]) {
    this.layers = layers
    this.#asserted = !layers.some(({ asserts }) => asserts !== undefined && asserts.length > 0)
  }

  /**
   * The value of a field, hidden or not.
   * @throws Fault when there is none
   */
  get(name: string, run: Run): Value {
    if (!this.#asserted) this.assert(run)
    run.spend(name.length >>> 6)
    const known = this.#values.get(name)
    if (known !== undefined) return known
    const value = this.getBelow(name, this.layers.length, run)
    this.#values.set(name, value)
    return value
  }

  /** The value of a field as it is without that layer and those above it. */
  getBelow(name: string, layer: number, run: Run): Value {
    const index = this.#find(name, layer, run)
    const field = this.layers[index]?.fields.get(name)
    if (field !== undefined) return this.#evaluate(name, field, index, run)
    throw new Fault(`Field does not exist: ${name}`)
  }

  has(name: string, run: Run, layer = this.layers.length): boolean {
    return this.#find(name, layer, run) >= 0
  }

  /** Whether there is such a field that is not hidden. */
  hasVisible(name: string, run: Run): boolean {
    return this.has(name, run) && !this.#isHidden(name, run)
  }

  /** All fields in the order of their names' code points. */
  names(run: Run): readonly FieldName[] {
    if (this.#names !== undefined) return this.#names
    const names = new Set<string>()
    for (const { fields } of this.layers) {
      // They are sorted, too.
      run.spend(fields.size * 6)
      for (const name of fields.keys()) names.add(name)
    }
    const all = [...names].filter((name) => this.has(name, run))
    const sorted = all.some(isAstral) ? all.sort(compareText) : all.sort()
    this.#names = sorted.map((name) => ({ name, hidden: this.#isHidden(name, run) }))
    return this.#names
  }

  /** The names of the fields that are not hidden. */
  visibleNames(run: Run): readonly string[] {
    this.#visible ??= this.names(run).flatMap(({ name, hidden }) => (hidden ? [] : [name]))
    return this.#visible
  }

  /** Checks the object's assertions, unless that is done or under way. */
  assert(run: Run): void {
    if (this.#asserted) return
    this.#asserted = true
    for (const [index, { asserts }] of this.layers.entries()) {
      for (const body of asserts ?? []) {
        run.enter(body)
        body.code(this.#scope(index), run)
        run.leave(body)
      }
    }
  }

  /** The uppermost layer below that one which has the field, or -1. Long names and many layers are work. */
  #find(name: string, layer: number, run: Run): number {
    run.spend(name.length >>> 6)
    let index = layer - 1
    for (; index >= 0; index--) {
      const { fields, removed } = this.layers[index] as Layer
      if (fields.has(name)) break
      if (removed?.name === name) index -= removed.layers
    }
    run.spend((layer - index) >>> 3)
    return Math.max(index, -1)
  }

  #isHidden(name: string, run: Run): boolean {
    for (let index = this.layers.length - 1; index >= 0; index--) {
      if (index % 8 === 7) run.spend(1)
      const { fields, removed } = this.layers[index] as Layer
      const visibility = fields.get(name)?.visibility
      if (visibility !== undefined && visibility !== 'inherit') return visibility === 'hidden'
      if (removed?.name === name) index -= removed.layers
    }
    return false
  }

  #evaluate(name: string, field: Field, layer: number, run: Run): Value {
    const { value: source } = field
    if ('slot' in source) return force(source.slot, run)
    const { body } = source
    run.enter(body)
    const value = body.code(this.#scope(layer, source.scope), run)
    run.leave(body)
    if (field.plus === undefined || !this.has(name, run, layer)) return value
    return field.plus(this.getBelow(name, layer, run), value, run)
  }

  /** The scope of a layer's members: made once, or for one field of a comprehension each time. */
  #scope(index: number, own?: Scope): Scope {
    const known = own === undefined ? this.#scopes[index] : undefined
    if (known !== undefined) return known
    const layer = this.layers[index] as Layer
    const scope = new Scope(own ?? layer.scope, [], this, index)
    for (const body of layer.locals ?? []) scope.slots.push(new Thunk(body, scope))
    if (own === undefined) this.#scopes[index] = scope
    return scope
  }
}

/** An object of values. */
export function objectOf(entries: Iterable<readonly [string, Slot]>): JsonnetObject {
  const fields = new Map<string, Field>()
  for (const [name, slot] of entries) fields.set(name, { visibility: 'inherit', value: { slot } })
  return new JsonnetObject([{ fields }])
}
