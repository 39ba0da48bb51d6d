import { ConfigError } from '../../../pipeline/contract/config_error.ts'
import { lookUp, type ReadPath, type Value } from '../template.ts'
import { failure, type Evaluate, type Loop, type Scope } from './values.ts'

/** What is known while one leaf is being compiled. */
export interface Compilation {
  /** The names at the root; any name when absent. */
  readonly roots: readonly string[] | undefined
  /** Whether a missing value is an error; otherwise it is left out. */
  readonly strict: boolean
  /** Filled while compiling. */
  readonly reads: ReadPath[]
}

/** Where in the template an expression stands. */
export interface Position {
  /** How many blocks around it change the context. */
  readonly depth: number
  /** Names given by `as |name|` around it. */
  readonly bound: readonly string[]
}

type Literal = hbs.AST.StringLiteral | hbs.AST.NumberLiteral | hbs.AST.BooleanLiteral

export interface Call {
  readonly path: hbs.AST.PathExpression
  readonly params: readonly hbs.AST.Expression[]
  readonly hash?: hbs.AST.Hash | undefined
}

const helperNames = ['json', 'eq', 'lookup'] as const
export type HelperName = (typeof helperNames)[number]

/** The helper that a call names; undefined for a plain value. Throws ConfigError for a helper that does not exist. */
export function helperOf({ path, params, hash }: Call): HelperName | undefined {
  const name = path.type === 'PathExpression' ? path.original : ''
  const helper = helperNames.find((known) => known === name)
  if (helper === undefined && (params.length > 0 || (hash?.pairs.length ?? 0) > 0)) {
    throw new ConfigError(
      `There is no helper {{${name}}}`,
      [],
      `Helpers are ${helperNames.join(', ')}; blocks are #if, #unless, #each, #with.`,
    )
  }
  return helper
}

/** Compiles a parameter, a path or a nested call. Throws ConfigError. */
export function compileExpression(node: hbs.AST.Expression, at: Position, compilation: Compilation): Evaluate {
  switch (node.type) {
    case 'PathExpression':
      return compilePath(node as hbs.AST.PathExpression, at, compilation)
    case 'SubExpression': {
      const call = node as hbs.AST.SubExpression
      const helper = helperOf(call)
      if (helper === undefined) throw new ConfigError(`There is no helper (${call.path.original})`)
      return compileHelper(helper, call, at, compilation)
    }
    case 'StringLiteral':
    case 'NumberLiteral':
    case 'BooleanLiteral': {
      const { value } = node as Literal
      return () => value
    }
    case 'NullLiteral':
      return () => null
    default:
      return () => undefined
  }
}

/** `json` and `lookup` give values, `eq` a boolean. Throws ConfigError for wrong parameters. */
export function compileHelper(name: HelperName, call: Call, at: Position, compilation: Compilation): Evaluate {
  const options = new Map(call.hash?.pairs.map(({ key, value }) => [key, value]))
  const count = name === 'json' ? 1 : 2
  if (call.params.length !== count)
    throw new ConfigError(`{{${name}}} takes ${count === 1 ? 'one value' : 'two values'}`)
  const [first = nothing, second = nothing] = call.params.map((node) => compileExpression(node, at, compilation))
  const fallback = name === 'json' ? options.get('default') : undefined
  const unknown = [...options.keys()].find((key) => name !== 'json' || key !== 'default')
  if (unknown !== undefined) throw new ConfigError(`{{${name}}} has no option ${unknown}=`)
  if (name === 'eq') return (scope) => first(scope) === second(scope)
  if (name === 'lookup') return (scope) => lookUp(first(scope), keyOf(second(scope)))
  if (fallback === undefined) return first
  const otherwise = compileExpression(fallback, at, compilation)
  return (scope) => first(scope) ?? otherwise(scope)
}

const nothing: Evaluate = () => undefined
const keyOf = (value: Value): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')

function compilePath(path: hbs.AST.PathExpression, at: Position, compilation: Compilation): Evaluate {
  const { data, depth, parts, original } = path
  if (data) return compileData(path, compilation)
  const [head, ...rest] = parts
  const explicit = /^(?:this\b|\.)/u.test(original)
  if (head !== undefined && depth === 0 && !explicit && at.bound.includes(head)) {
    return (scope) => follow(boundValue(scope, head), rest)
  }
  if (depth > at.depth) throw new ConfigError(`{{${original}}} goes above the top of the template`)
  if (depth === at.depth) noteRead(parts, original, compilation)
  return (scope) => {
    let from: Scope | undefined = scope
    for (let up = depth; up > 0; up--) from = from?.parent
    return follow(from?.context, parts)
  }
}

function noteRead(parts: readonly string[], original: string, { roots, reads }: Compilation): void {
  const [head] = parts
  if (roots !== undefined && head !== undefined && !roots.includes(head)) {
    throw new ConfigError(
      `{{${original}}} reads ${JSON.stringify(head)}, which does not exist`,
      [],
      `A claim can read ${roots.join(', ')}.`,
    )
  }
  reads.push(parts)
}

const loopFields = ['index', 'key', 'first', 'last'] as const

function compileData(path: hbs.AST.PathExpression, compilation: Compilation): Evaluate {
  const [name, ...rest] = path.parts
  if (name === 'root') {
    noteRead(rest, path.original, compilation)
    return ({ root }) => follow(root, rest)
  }
  const field = loopFields.find((known) => known === name)
  if (field === undefined)
    throw new ConfigError(`There is no {{${path.original}}}`, [], `There are @root, @index, @key, @first and @last.`)
  return ({ loop }) => {
    let from: Loop | undefined = loop
    for (let up = path.depth; up > 0; up--) from = from?.parent
    return from?.[field]
  }
}

function boundValue({ names }: Scope, wanted: string): Value {
  return names.find(([name]) => name === wanted)?.[1]
}

function follow(start: Value, parts: readonly string[]): Value {
  let value = start
  for (const part of parts) value = lookUp(value, part)
  return value
}

/** Told when a value that is to be put out is missing. */
export function missing(label: string): never {
  throw failure(`reads ${label}, which this session does not have; give a default, as in {{json ${label} default="…"}}`)
}
