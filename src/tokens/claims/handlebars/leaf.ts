import { parse as parseTemplate } from 'handlebars/dist/cjs/handlebars/compiler/base.js'
import { ConfigError } from '../../../pipeline/contract/config_error.ts'
import { missing, type Compilation } from './expressions.ts'
import { compileMustache, compileProgram } from './program.ts'
import type { Evaluate } from './values.ts'

const top = { depth: 0, bound: [] }

/**
 * Compiles one string of a claims object. Handlebars' own parser reads it; running it is ours, because Handlebars turns
 * everything into text, does not bound its loops and lets missing values through in parameters.
 *
 * A string that is one expression keeps the type of its value, undefined when that is missing; other strings give text.
 * Throws ConfigError without a path.
 */
export function compileLeaf(source: string, compilation: Compilation): Evaluate {
  const program = parse(source)
  const [only, ...others] = program.body.filter(({ type }) => type !== 'CommentStatement')
  if (only?.type !== 'MustacheStatement' || others.length > 0) return compileProgram(program, top, compilation)
  const { evaluate, label } = compileMustache(only as hbs.AST.MustacheStatement, top, compilation)
  if (!compilation.strict) return evaluate
  return (scope) => {
    const value = evaluate(scope)
    if (value === undefined) missing(label)
    return value
  }
}

function parse(source: string): hbs.AST.Program {
  try {
    return parseTemplate(source)
  } catch (error) {
    // The parser reports line, the text with an arrow below it, and what it expected, each on a line of its own.
    const lines = error instanceof Error ? error.message.split('\n') : []
    const goSyntax = /\{\{-?\s*(?:[a-z]+\s+)?\.[A-Z]/u.test(source)
    throw new ConfigError(
      `The Handlebars template has a mistake: ${lines.at(0) ?? ''} ${lines.length > 1 ? lines.at(-1) : ''}`.trim(),
      [],
      goSyntax ? 'Go templates such as {{ .Subject }} are written as one string; here it is {{subject}}.' : undefined,
    )
  }
}
