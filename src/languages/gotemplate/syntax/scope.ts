import type { Node } from './ast.ts'

/** The variables of one template. Every declaration has a slot of its own; slot 0 is `$`. */
export class Scope {
  slots = 1
  /** How deep what is being parsed is nested in the template, and the deepest so far. */
  depth = 0
  deepest = 0
  readonly #names: { name: string; slot: number }[] = [{ name: '$', slot: 0 }]

  /** Reserves a slot without a name yet: a declaration's own value must not see it. */
  reserve(): number {
    return this.slots++
  }

  declare(name: string, slot: number): void {
    this.#names.push({ name, slot })
  }

  /** The slot of the innermost variable of that name; undefined when there is none. */
  find(name: string): number | undefined {
    return this.#names.findLast((variable) => variable.name === name)?.slot
  }

  mark(): number {
    return this.#names.length
  }

  /** Forgets the variables declared since the mark. */
  release(mark: number): void {
    this.#names.length = mark
  }
}

/** Whether a template has nothing but white space. */
export function isBlank(body: readonly Node[]): boolean {
  return body.every((node) => node.kind === 'text' && node.text.trim() === '')
}
