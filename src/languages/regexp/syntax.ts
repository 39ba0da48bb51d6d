import { CharSet } from './charset.ts'

export type AssertionKind =
  | 'begin' // ^ and \A
  | 'beginLine' // ^ under (?m)
  | 'endBeforeNewline' // $ and \Z: at the end or before a final newline
  | 'endLine' // $ under (?m)
  | 'end' // \z
  | 'start' // \G
  | 'boundary' // \b
  | 'notBoundary' // \B

/** The syntax tree. Groups that do not capture leave no node. */
export type Node =
  | { readonly kind: 'empty' }
  | { readonly kind: 'char'; readonly code: number; readonly ignoreCase: boolean }
  | { readonly kind: 'set'; readonly set: CharSet; readonly ignoreCase: boolean }
  | { readonly kind: 'concat'; readonly items: readonly Node[] }
  | { readonly kind: 'alternate'; readonly items: readonly Node[] }
  | Repeat
  | Capture
  | { readonly kind: 'atomic'; readonly body: Node }
  | { readonly kind: 'look'; readonly behind: boolean; readonly negative: boolean; readonly body: Node }
  | { readonly kind: 'reference'; readonly slot: number; readonly ignoreCase: boolean }
  | { readonly kind: 'ifMatched'; readonly slot: number; readonly yes: Node; readonly no: Node }
  | { readonly kind: 'ifLooking'; readonly condition: Node; readonly yes: Node; readonly no: Node }
  | { readonly kind: 'assertion'; readonly at: AssertionKind }

export interface Repeat {
  readonly kind: 'repeat'
  readonly body: Node
  readonly min: number
  /** `Infinity` when open. */
  readonly max: number
  readonly lazy: boolean
}

export interface Capture {
  readonly kind: 'capture'
  /** The group that is set; undefined for `(?<-name>...)`. */
  readonly slot: number | undefined
  /** The group whose last capture is taken back by a balancing group `(?<name-other>...)`. */
  readonly balances: number | undefined
  readonly body: Node
}

export const EMPTY: Node = { kind: 'empty' }

export function concat(items: readonly Node[]): Node {
  const flat = items.flatMap((item) => (item.kind === 'concat' ? item.items : item.kind === 'empty' ? [] : [item]))
  return flat.length === 1 && flat[0] !== undefined
    ? flat[0]
    : flat.length === 0
      ? EMPTY
      : { kind: 'concat', items: flat }
}

/**
 * Adjacent alternatives of one character each become one set. This is more than speed: the reference does it too, and
 * in a set a negated class settles the question (see `CharSet.has`).
 */
export function alternate(branches: readonly Node[]): Node {
  const items: Node[] = []
  for (const branch of branches.flatMap((item) => (item.kind === 'alternate' ? item.items : [item]))) {
    const previous = items.at(-1)
    const union = previous === undefined ? undefined : mergedSet(previous, branch)
    if (union === undefined) items.push(branch)
    else items[items.length - 1] = union
  }
  return items.length === 1 && items[0] !== undefined ? items[0] : { kind: 'alternate', items }
}

function mergedSet(a: Node, b: Node): Node | undefined {
  const left = asMergeable(a)
  const right = asMergeable(b)
  if (left === undefined || right === undefined || left.ignoreCase !== right.ignoreCase) return undefined
  const set = new CharSet()
  set.addSet(left.set)
  set.addSet(right.set)
  return { kind: 'set', set, ignoreCase: left.ignoreCase }
}

function asMergeable(node: Node): { set: CharSet; ignoreCase: boolean } | undefined {
  if (node.kind === 'char') return { set: CharSet.of(node.code), ignoreCase: node.ignoreCase }
  return node.kind === 'set' && node.set.mergeable ? node : undefined
}

/**
 * A quantified node. `{0}` leaves nothing and `{1}` the node itself. A repeat of a repeat of the same greed is multiplied
 * out where every count in between can be reached, so that `(?:a+)+` is `a+`.
 */
export function repeat(body: Node, min: number, max: number, lazy: boolean): Node {
  if (max === 0) return EMPTY
  if (min === 1 && max === 1) return body
  if (body.kind === 'repeat' && body.lazy === lazy) {
    const reachesAll = body.max >= body.min * 2 && !(min === 0 && body.min > 1)
    if (reachesAll) return { kind: 'repeat', body: body.body, min: body.min * min, max: body.max * max, lazy }
  }
  return { kind: 'repeat', body, min, max, lazy }
}
