/** Taking paths apart. What a component means depends on the value it meets: an object and an array read it differently. */
import { modifierNames } from './modifiers.ts'
import type { QueryParts } from './query.ts'
import { balanced, queryLength, stringEnd, trim, unescapeText } from './text.ts'

/** What follows a component: `more` by a dot, `pipe` by a pipe; at most one of them. */
export interface Component {
  readonly part: string
  readonly more: string | undefined
  readonly pipe: string | undefined
}

export interface ObjectComponent extends Component {
  /** The part has `*` or `?`. */
  readonly wild: boolean
}

export interface ArrayComponent extends Component {
  /** The part has a `#`, so that it is no index. */
  readonly hash: boolean
  /** `#.path`: the path to take from each element. */
  readonly each: string | undefined
  readonly query: (QueryParts & { readonly all: boolean }) | undefined
}

/** Before a modifier or a multipath a dot is as good as a pipe. */
function dotIsPipe(rest: string): boolean {
  if (rest.startsWith('@')) return modifierNames.has(/^@([^.|:]*)/.exec(rest)?.[1] ?? '')
  return rest.startsWith('[') || rest.startsWith('{')
}

function afterDot(path: string, dot: number, pipes: boolean): { more: string | undefined; pipe: string | undefined } {
  const rest = path.slice(dot + 1)
  return pipes && dotIsPipe(rest) ? { more: undefined, pipe: rest } : { more: rest, pipe: undefined }
}

/** The first component, to be found in an object. `\` takes the next character as it is. */
export function objectComponent(path: string): ObjectComponent {
  let part = ''
  let wild = false
  for (let i = 0; i < path.length; i++) {
    const character = path.charAt(i)
    if (character === '|') return { part, wild, more: undefined, pipe: path.slice(i + 1) }
    if (character === '.') return { part, wild, ...afterDot(path, i, true) }
    if (character === '\\') {
      i++
      part += path.charAt(i)
      continue
    }
    if (character === '*' || character === '?') wild = true
    part += character
  }
  return { part, wild, more: undefined, pipe: undefined }
}

/** The first component, to be found in an array. */
export function arrayComponent(path: string): ArrayComponent {
  let hash = false
  let each: string | undefined
  let query: ArrayComponent['query']
  for (let i = 0; i < path.length; i++) {
    const character = path.charAt(i)
    if (character === '|')
      return { part: path.slice(0, i), hash, each, query, more: undefined, pipe: path.slice(i + 1) }
    if (character === '.') return { part: path.slice(0, i), hash, each, query, ...afterDot(path, i, !hash) }
    if (character !== '#') continue
    hash = true
    if (i > 0) continue
    const next = path.charAt(1)
    if (next === '.') {
      each = path.slice(2)
    } else if (next === '[' || next === '(') {
      const found = parseQuery(path)
      // A query that does not end asks for nothing but existence.
      if (found === undefined) return whole(path, { path: '', op: '', value: '', all: false })
      query = { ...found.parts, all: path.charAt(found.end) === '#' }
      i = found.end - 1
    }
  }
  return { part: path, hash, each, query, more: undefined, pipe: undefined }
}

function whole(path: string, query: ArrayComponent['query']): ArrayComponent {
  return { part: path, hash: true, each: undefined, query, more: undefined, pipe: undefined }
}

const OPERATORS = ['!=', '!%', '<=', '>=', '<', '>', '=', '%']

/** `#(path op value)` at the start of a text. @returns the parts and where the query ends; undefined when it does not */
function parseQuery(text: string): { parts: QueryParts; end: number } | undefined {
  let depth = 1
  let operator = 0
  let escaped = false
  let i = 2
  for (; i < text.length; i++) {
    const character = text.charAt(i)
    if (depth === 1 && operator === 0 && '!=<>%'.includes(character)) {
      operator = i
    } else if (character === '\\') {
      i++
    } else if (character === '[' || character === '(') {
      depth++
    } else if (character === ']' || character === ')') {
      if (--depth === 0) break
    } else if (character === '"') {
      const end = stringEnd(text, i)
      escaped ||= text.slice(i, end).includes('\\')
      i = end
    }
  }
  if (depth > 0) return undefined
  if (operator === 0) return { parts: { path: trim(text.slice(2, i)), op: '', value: '' }, end: i + 1 }
  const path = trim(text.slice(2, operator))
  const { op, value } = splitOperator(trim(text.slice(operator, i)))
  return { parts: { path, op, value: unquote(value, escaped) }, end: i + 1 }
}

/** `==` is `=`. An operator unknown asks for existence. */
function splitOperator(text: string): { op: string; value: string } {
  if (text.length === 1) return { op: text, value: '' }
  if (text.startsWith('==')) return { op: '=', value: trim(text.slice(2)) }
  const op = OPERATORS.find((one) => text.startsWith(one)) ?? ''
  return { op, value: trim(text.slice(op.length)) }
}

function unquote(value: string, escaped: boolean): string {
  if (value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) return value
  const inner = value.slice(1, -1)
  return escaped ? unescapeText(inner) : inner
}

/**
 * Splits at the first pipe that is not inside a query or behind a `\\`; undefined when there is none. As in the reference
 * the character behind `.#` is passed over, and so is a multipath whose first name is quoted.
 */
export function splitAtPipe(path: string): { left: string; right: string } | undefined {
  if (path.startsWith('{')) {
    const length = path.startsWith('{"') ? 0 : 1 + balanced(`(${path.slice(2)}`).length
    return path.charAt(length) === '|' ? { left: path.slice(0, length), right: path.slice(length + 1) } : undefined
  }
  for (let i = 0; i < path.length; i++) {
    const character = path.charAt(i)
    if (character === '\\') {
      i++
    } else if (character === '.' && path.charAt(i + 1) === '#') {
      const isQuery = path.charAt(i + 2) === '[' || path.charAt(i + 2) === '('
      i += isQuery ? 1 + queryLength(path.slice(i + 2)) : 2
    } else if (character === '|') {
      return { left: path.slice(0, i), right: path.slice(i + 1) }
    }
  }
  return undefined
}
