import { ConfigError } from '../../../pipeline/contract/config_error.ts'
import {
  compileExpression,
  compileHelper,
  helperOf,
  missing,
  type Call,
  type Compilation,
  type Position,
} from './expressions.ts'
import type { Value } from '../template.ts'
import { isFalsy, toText, type Evaluate, type Loop, type Render, type Scope } from './values.ts'

/** Templates nested deeper are refused, so that compiling them cannot overflow the stack. */
const maxDepth = 100

/** Compiles the statements of a template or of a block to text. Throws ConfigError. */
export function compileProgram(program: hbs.AST.Program, at: Position, compilation: Compilation, level = 0): Render {
  if (level > maxDepth) throw new ConfigError('The template is nested too deeply')
  const pieces = program.body.flatMap((statement) => compileStatement(statement, at, compilation, level) ?? [])
  return (scope) => {
    let text = ''
    for (const piece of pieces) text += piece(scope)
    return text
  }
}

function compileStatement(
  statement: hbs.AST.Statement,
  at: Position,
  compilation: Compilation,
  level: number,
): Render | undefined {
  switch (statement.type) {
    case 'CommentStatement':
      return undefined
    case 'ContentStatement': {
      const { value } = statement as hbs.AST.ContentStatement
      return ({ budget }) => budget.text(value)
    }
    case 'MustacheStatement':
      return compileOutput(statement as hbs.AST.MustacheStatement, at, compilation)
    case 'BlockStatement':
      return compileBlock(statement as hbs.AST.BlockStatement, at, compilation, level)
    default:
      throw new ConfigError('Partials and decorators are not available in claims')
  }
}

/** The value of `{{…}}`, with the name under which to report it missing. */
export function compileMustache(
  mustache: hbs.AST.MustacheStatement,
  at: Position,
  compilation: Compilation,
): { readonly evaluate: Evaluate; readonly label: string; readonly isJson: boolean } {
  const call = mustache as Call
  if (call.path.type !== 'PathExpression') {
    throw new ConfigError('{{…}} holds a constant', [], 'Write constants without braces.')
  }
  const helper = helperOf(call)
  const evaluate =
    helper === undefined ? compileExpression(call.path, at, compilation) : compileHelper(helper, call, at, compilation)
  const [named = call.path] = helper === undefined ? [] : call.params
  return { evaluate, label: (named as hbs.AST.PathExpression).original, isJson: helper === 'json' }
}

function compileOutput(mustache: hbs.AST.MustacheStatement, at: Position, compilation: Compilation): Render {
  const { evaluate, label, isJson } = compileMustache(mustache, at, compilation)
  const { strict } = compilation
  return (scope) => {
    scope.budget.step()
    const value = evaluate(scope)
    if (value === undefined && strict) missing(label)
    return scope.budget.text(isJson ? JSON.stringify(value ?? null) : toText(value ?? null, label))
  }
}

function compileBlock(block: hbs.AST.BlockStatement, at: Position, compilation: Compilation, level: number): Render {
  const kind = block.path.original
  const [subject, ...others] = block.params
  if (kind !== 'if' && kind !== 'unless' && kind !== 'each' && kind !== 'with') {
    throw new ConfigError(`There is no block {{#${kind}}}`, [], 'Blocks are #if, #unless, #each and #with.')
  }
  if (subject === undefined || others.length > 0) throw new ConfigError(`{{#${kind}}} takes one value`)
  const evaluate = compileExpression(subject, at, compilation)
  // An inverted block, {{^if x}}, has no program of its own.
  const names = (block.program as hbs.AST.Program | undefined)?.blockParams ?? []
  const inner = kind === 'if' || kind === 'unless' ? at : { depth: at.depth + 1, bound: [...names, ...at.bound] }
  const body = compileBranch(block.program, inner, compilation, level)
  const otherwise = compileBranch(block.inverse, at, compilation, level)
  if (kind === 'each') return compileEach(evaluate, names, body, otherwise)
  if (kind === 'with') {
    return (scope) => {
      const value = evaluate(scope)
      return isFalsy(value) && value !== 0 ? otherwise(scope) : body(within(scope, value, names, [value]))
    }
  }
  const zero = block.hash?.pairs.find(({ key }) => key === 'includeZero')
  const includeZero = zero === undefined ? undefined : compileExpression(zero.value, at, compilation)
  const [yes, no] = kind === 'if' ? [body, otherwise] : [otherwise, body]
  return (scope) => {
    const value = evaluate(scope)
    const holds = value === 0 ? Boolean(includeZero?.(scope)) : !isFalsy(value)
    return holds ? yes(scope) : no(scope)
  }
}

function compileBranch(
  program: hbs.AST.Program | undefined,
  at: Position,
  compilation: Compilation,
  level: number,
): Render {
  return program === undefined ? () => '' : compileProgram(program, at, compilation, level + 1)
}

function compileEach(evaluate: Evaluate, names: readonly string[], body: Render, otherwise: Render): Render {
  return (scope) => {
    const value = evaluate(scope)
    const entries: readonly (readonly [string | number, Value])[] = Array.isArray(value)
      ? value.map((item, index) => [index, item] as const)
      : typeof value === 'object' && value !== null
        ? Object.entries(value)
        : []
    if (entries.length === 0) return otherwise(scope)
    let text = ''
    for (const [index, [key, item]] of entries.entries()) {
      scope.budget.step()
      const loop = { index, key, first: index === 0, last: index === entries.length - 1, parent: scope.loop }
      text += body(within(scope, item, names, [item, key], loop))
    }
    return text
  }
}

/** The scope inside a block that changes the context. */
function within(
  scope: Scope,
  context: Value,
  names: readonly string[],
  values: readonly Value[],
  loop: Loop | undefined = scope.loop,
): Scope {
  const bound = names.map((name, index) => [name, values[index]] as const)
  return { ...scope, context, parent: scope, loop, names: [...bound, ...scope.names] }
}
