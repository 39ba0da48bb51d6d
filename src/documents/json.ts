/**
 * JSON texts, by the engine's own parser: a rule file of megabytes takes YAML's seconds, which a reload would take from
 * the requests. What that parser does not tell (repeated keys, positions) is read from the text, positions only on demand.
 */
import type { Converted, Entry, Spot } from './convert.ts'
import { maxDepth, prototypeKey, repeatedKey, tooDeep, unfitScalar } from './faults.ts'
import { type Environment, missingVariable, substitute } from './interpolate.ts'
import type { Path, Problem } from './problem.ts'
import type { SourceText } from './source.ts'

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const colon = 0x3a
const openList = 0x5b
const closeList = 0x5d
const openMap = 0x7b
const closeMap = 0x7d

/** Takes a text that is one JSON list or map; undefined when it is not, and YAML may know better. */
export function convertJson(source: SourceText, env: Environment | undefined): Converted | undefined {
  const { text } = source
  const start = skipSpace(text, 0)
  const first = text.charCodeAt(start)
  if (first !== openList && first !== openMap) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const spot = new JsonSpot(text, start)
  const problems = repeatedKeys(text).map((offset): Problem => ({
    severity: 'error',
    ...repeatedKey,
    place: source.place(offset),
  }))
  const checked = check(value, { source, env, spot, problems })
  return { value: checked, spot, problems }
}

interface Context {
  readonly source: SourceText
  readonly env: Environment | undefined
  readonly spot: Spot
  readonly problems: Problem[]
}

/** Looks for what JSON allows and a document does not, and replaces variables, in place. */
function check(root: unknown, { source, env, spot, problems }: Context): unknown {
  const path: (string | number)[] = []
  const report = (message: string, on: 'key' | 'value' = 'value'): null => {
    problems.push({ severity: 'error', message, place: source.place(offsetOf(spot, path, on)) })
    return null
  }

  function visit(value: unknown): unknown {
    if (typeof value === 'string') return env !== undefined && value.includes('${') ? visitText(value, env) : value
    if (typeof value === 'number') return Number.isFinite(value) ? value : report(unfitScalar)
    if (typeof value !== 'object' || value === null) return value
    if (path.length >= maxDepth) return report(tooDeep)
    if (Array.isArray(value)) visitParts(value as unknown as Record<number, unknown>, value.keys())
    else visitParts(value as Record<string, unknown>, Object.keys(value))
    return value
  }

  function visitParts<Key extends string | number>(parts: Record<Key, unknown>, keys: Iterable<Key>): void {
    for (const key of keys) {
      path.push(key)
      if (key === '__proto__') {
        report(prototypeKey, 'key')
        delete parts[key]
      } else {
        const before = parts[key]
        const after = visit(before)
        if (after !== before) parts[key] = after
      }
      path.pop()
    }
  }

  function visitText(value: string, variables: Environment): unknown {
    return substitute(value, variables, true, (name) => {
      const offset = offsetOf(spot, path, 'value')
      problems.push(missingVariable(name, source, offset, endOfString(source.text, offset)))
    })
  }

  return visit(root)
}

function offsetOf(root: Spot, path: Path, on: 'key' | 'value'): number {
  let spot = root
  let key = root.offset
  for (const step of path) {
    const entry = spot.children?.get(step)
    if (entry === undefined) break
    ;({ key, spot } = entry)
  }
  return on === 'key' ? key : spot.offset
}

/** Where a value of a JSON text stands. Its parts are looked for when they are asked for. */
class JsonSpot implements Spot {
  readonly offset: number
  readonly #text: string
  #children: ReadonlyMap<string | number, Entry> | undefined

  constructor(text: string, offset: number) {
    this.#text = text
    this.offset = offset
  }

  get children(): ReadonlyMap<string | number, Entry> | undefined {
    const first = this.#text.charCodeAt(this.offset)
    if (first !== openList && first !== openMap) return undefined
    this.#children ??= childrenOf(this.#text, this.offset)
    return this.#children
  }
}

function childrenOf(text: string, container: number): ReadonlyMap<string | number, Entry> {
  const isMap = text.charCodeAt(container) === openMap
  const children = new Map<string | number, Entry>()
  let at = skipSpace(text, container + 1)
  while (text.charCodeAt(at) !== (isMap ? closeMap : closeList)) {
    const key = at
    const end = isMap ? endOfString(text, at) : at
    if (isMap) at = skipSpace(text, skipSpace(text, end) + 1)
    children.set(isMap ? keyAt(text, key, end) : children.size, { key, spot: new JsonSpot(text, at) })
    at = skipSpace(text, endOfValue(text, at))
    if (text.charCodeAt(at) === comma) at = skipSpace(text, at + 1)
  }
  return children
}

/** Offsets of keys that stand before in the same map. */
function repeatedKeys(text: string): number[] {
  const repeated: number[] = []
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === openMap) open.push(new Set())
    else if (code === openList) open.push(undefined)
    else if (code === closeMap || code === closeList) open.pop()
    else if (code === quote) {
      const end = endOfString(text, at)
      if (text.charCodeAt(skipSpace(text, end)) === colon) {
        const keys = open.at(-1)
        const key = keyAt(text, at, end)
        if (keys?.has(key) === true) repeated.push(at)
        else keys?.add(key)
      }
      at = end - 1
    }
  }
  return repeated
}

function keyAt(text: string, start: number, end: number): string {
  const inner = text.slice(start + 1, end - 1)
  return inner.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : inner
}

function skipSpace(text: string, from: number): number {
  let at = from
  for (let code = text.charCodeAt(at); code === 0x20 || (code >= 9 && code <= 13); code = text.charCodeAt(at)) at++
  return at
}

/** Takes the offset of the opening quote, gives the one behind the closing quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  for (let code = text.charCodeAt(at); code !== quote; code = text.charCodeAt(at)) at += code === backslash ? 2 : 1
  return at + 1
}

function endOfValue(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      at = endOfString(text, at) - 1
      if (depth === 0) return at + 1
    } else if (code === openMap || code === openList) depth++
    else if (code === closeMap || code === closeList) {
      // at depth 0 it closes what a bare value such as `12` stands in
      if (depth === 0) return at
      depth--
      if (depth === 0) return at + 1
    } else if (code === comma && depth === 0) return at
  }
  return text.length
}
