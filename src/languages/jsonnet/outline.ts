/** What can be said of a program's value without running it. */
import { JsonnetLimitError, JsonnetSyntaxError } from './errors.ts'
import { defaultLimits } from './limits.ts'
import type { Bind, FieldNode, Node } from './syntax/ast.ts'
import { parse } from './syntax/parser.ts'
import { Source } from './syntax/source.ts'

/** Undefined is what only a run could tell. */
export type Outline = undefined | null | boolean | number | string | readonly Outline[] | OutlineObject

export interface OutlineObject {
  readonly members: ReadonlyMap<string, Outline>
  /** False when it may have other members as well. */
  readonly complete: boolean
}

/**
 * The value of a program as far as its text alone says it: literals, and the structure of objects and lists. Never throws;
 * of a program that cannot be parsed it knows nothing.
 */
export function outlineJsonnet(text: string): Outline {
  if (text.length > defaultLimits.source) return undefined
  try {
    return new Outliner().outline(parse(new Source('', text), defaultLimits.nesting), undefined)
  } catch (error) {
    const tooDeep = error instanceof RangeError
    if (tooDeep || error instanceof JsonnetSyntaxError || error instanceof JsonnetLimitError) return undefined
    throw error
  }
}

/** Names and what they stand for, innermost first. */
interface Scope {
  readonly binds: readonly Bind[]
  readonly outer: Scope | undefined
}

/** A name may stand for a big thing many times, or for itself. */
const MOST_NODES = 10_000

class Outliner {
  #left = MOST_NODES

  outline(node: Node, scope: Scope | undefined): Outline {
    if (this.#left-- <= 0) return undefined
    if (node.kind === 'literal') return node.value
    if (node.kind === 'array') return node.items.map((item) => this.outline(item, scope))
    if (node.kind === 'object') return this.#object(node.fields, { binds: node.locals, outer: scope })
    if (node.kind === 'object_comprehension') return { members: new Map(), complete: false }
    if (node.kind === 'local') return this.outline(node.body, { binds: node.binds, outer: scope })
    if (node.kind === 'assert') return this.outline(node.rest, scope)
    if (node.kind === 'variable') return this.#variable(node.name, scope)
    if (node.kind !== 'binary' || node.operator !== '+') return undefined
    return sum(this.outline(node.left, scope), this.outline(node.right, scope))
  }

  #object(fields: readonly FieldNode[], scope: Scope): OutlineObject {
    const members = new Map<string, Outline>()
    let complete = true
    for (const { name, value, visibility, plus } of fields) {
      if (name.kind !== 'literal' || typeof name.value !== 'string') complete = false
      else if (visibility !== 'hidden') members.set(name.value, plus ? undefined : this.outline(value, scope))
    }
    return { members, complete }
  }

  #variable(name: string, scope: Scope | undefined): Outline {
    for (let at = scope; at !== undefined; at = at.outer) {
      const bind = at.binds.find((candidate) => candidate.name === name)
      if (bind !== undefined) return this.outline(bind.value, at)
    }
    return undefined
  }
}

function sum(left: Outline, right: Outline): Outline {
  if (typeof left === 'string' && typeof right === 'string') return left + right
  if (isList(left) && isList(right)) return [...left, ...right]
  if (isObject(right)) {
    const before = isObject(left) ? left : { members: new Map<string, Outline>(), complete: false }
    return {
      members: new Map([...before.members, ...right.members]),
      complete: before.complete && right.complete,
    }
  }
  // Whatever comes from the right may replace any member.
  return isObject(left) ? { members: new Map(), complete: false } : undefined
}

const isList = (value: Outline): value is readonly Outline[] => Array.isArray(value)
const isObject = (value: Outline): value is OutlineObject =>
  typeof value === 'object' && value !== null && !isList(value)
