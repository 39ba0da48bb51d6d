/** From YAML's syntax tree to plain data and a tree of positions, so that the syntax tree can be forgotten. */
import { isAlias, isMap, isScalar, isSeq, type Alias, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml'
import { maxDepth, prototypeKey, tooDeep, unfitScalar } from './faults.ts'
import { type Environment, missingVariable, substitute } from './interpolate.ts'
import type { Problem } from './problem.ts'
import type { SourceText } from './source.ts'

/** Where a value stands, in characters from the start of the text, and where its parts stand. */
export interface Spot {
  readonly offset: number
  readonly children?: ReadonlyMap<string | number, Entry> | undefined
}

export interface Entry {
  /** Offset of the key; of the value for an item of a list. */
  readonly key: number
  readonly spot: Spot
}

export interface Converted {
  readonly value: unknown
  readonly spot: Spot
  readonly problems: readonly Problem[]
}

interface Part {
  readonly value: unknown
  readonly spot: Spot
}

/** Nodes that aliases may add; stops "billion laughs" long before memory does. */
const maxCopies = 10_000

/** Takes the root of a syntax tree without errors. Aliases are copied, merge keys (`<<`) resolved, variables replaced. */
export function convert(root: unknown, source: SourceText, env: Environment | undefined): Converted {
  const problems: Problem[] = []
  const anchors = new Map<string, unknown>()
  const open = new Set<unknown>()
  let depth = 0
  let flows = 0
  let copying = 0
  let copies = 0
  const reported = new Set<string>()

  function report(message: string, offset: number, hint?: string): void {
    add({ severity: 'error', message, ...(hint === undefined ? {} : { hint }), place: source.place(offset) }, offset)
  }

  function add(problem: Problem, offset: number): void {
    // The same mistake met again through an alias is still one mistake.
    const identity = `${offset} ${problem.message}`
    if (reported.has(identity)) return
    reported.add(identity)
    problems.push(problem)
  }

  function visit(node: unknown, fallback: number): Part {
    const offset = offsetOf(node, fallback)
    if (copying > 0) copies += 1
    if (copies > maxCopies) return nothing(offset)
    if (depth >= maxDepth) {
      report(tooDeep, offset)
      return nothing(offset)
    }
    depth += 1
    try {
      if (isAlias(node)) return visitAlias(node, offset)
      if (isScalar(node) || isMap(node) || isSeq(node)) {
        if (node.anchor !== undefined && copying === 0) anchors.set(node.anchor, node)
      }
      open.add(node)
      if (isScalar(node)) return { value: visitScalar(node, offset), spot: { offset } }
      if (isMap(node) || isSeq(node)) {
        if (node.flow === true) flows += 1
        const part = isMap(node) ? visitMap(node, offset) : visitList(node, offset)
        if (node.flow === true) flows -= 1
        return part
      }
      if (node !== null && node !== undefined) report('This kind of YAML value is not supported', offset)
      return nothing(offset)
    } finally {
      open.delete(node)
      depth -= 1
    }
  }

  function visitAlias(alias: Alias, offset: number): Part {
    const target = anchors.get(alias.source)
    if (target === undefined) {
      report(`No anchor named "${alias.source}" comes before this alias`, offset)
      return nothing(offset)
    }
    if (open.has(target)) {
      report(`The alias "${alias.source}" contains itself`, offset)
      return nothing(offset)
    }
    copying += 1
    const part = visit(target, offset)
    copying -= 1
    if (copying === 0 && copies > maxCopies) {
      report('Aliases make this text too large', offset, 'Write the values out, or use fewer aliases of aliases.')
    }
    return part
  }

  function visitScalar(scalar: Scalar, offset: number): unknown {
    const { value } = scalar
    if (typeof value === 'string') return env === undefined ? value : visitText(scalar, value, env, offset)
    if (value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)))
      return value
    report(unfitScalar, offset)
    return null
  }

  function visitText(scalar: Scalar, value: string, variables: Environment, offset: number): unknown {
    // Quotes mean text, except where braces can stand in no other way: in [lists], {maps} and so in all of JSON.
    const typed = scalar.type === 'PLAIN' || (scalar.type === 'QUOTE_DOUBLE' && flows > 0)
    return substitute(value, variables, typed, (name) =>
      add(missingVariable(name, source, offset, scalar.range?.[1] ?? 0), offset),
    )
  }

  function visitList(list: YAMLSeq, offset: number): Part {
    const value: unknown[] = []
    const children = new Map<number, Entry>()
    for (const [index, item] of list.items.entries()) {
      const part = visit(item, offset)
      value.push(part.value)
      children.set(index, { key: part.spot.offset, spot: part.spot })
    }
    return { value, spot: { offset, children } }
  }

  function visitMap(map: YAMLMap, offset: number): Part {
    const value: Record<string, unknown> = {}
    const children = new Map<string, Entry>()
    const merged: Part[] = []
    for (const pair of map.items) {
      const keyOffset = offsetOf(pair.key, offset)
      const key = keyOf(pair.key)
      if (key === undefined) report('A key must be text', keyOffset)
      else if (key === '__proto__') report(prototypeKey, keyOffset)
      else if (key === '<<' && isScalar(pair.key) && pair.key.type === 'PLAIN')
        merged.push(...mergeSources(pair.value, keyOffset))
      else {
        const part = visit(pair.value, keyOffset)
        value[key] = part.value
        children.set(key, { key: keyOffset, spot: part.spot })
      }
    }
    for (const part of merged) {
      const from = part.value as Record<string, unknown>
      for (const [key, entry] of part.spot.children ?? []) {
        if (typeof key !== 'string' || children.has(key)) continue
        value[key] = from[key]
        children.set(key, entry)
      }
    }
    return { value, spot: { offset, children } }
  }

  /** The maps that a merge key names: one, or a list of which earlier ones win. */
  function mergeSources(node: unknown, offset: number): Part[] {
    const items = isSeq(node) ? node.items : [node]
    const parts: Part[] = []
    for (const item of items) {
      const part = visit(item, offset)
      if (isPlainMap(part.value)) parts.push(part)
      else report('A merge key (<<) takes a map, an alias of one, or a list of these', offsetOf(item, offset))
    }
    return parts
  }

  const { value, spot } = visit(root, 0)
  return { value, spot, problems }
}

function nothing(offset: number): Part {
  return { value: null, spot: { offset } }
}

function offsetOf(node: unknown, fallback: number): number {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? (node.range?.[0] ?? fallback) : fallback
}

function keyOf(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined
  if (typeof key.value === 'string') return key.value
  // `200:` and `true:` are keys that people mean as text; the spelling in the file is the key.
  if (typeof key.value === 'number' || typeof key.value === 'boolean') return key.source ?? String(key.value)
  return undefined
}

function isPlainMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
