import { GoError, positionAt, TemplateExecError, TemplateSuspended } from '../errors.ts'
import { mutators } from '../functions/dicts.ts'
import { functionsFor, refusal } from '../functions/registry.ts'
import type { Host } from '../functions/spec.ts'
import type { Limits } from '../limits.ts'
import { parse } from '../syntax/parser.ts'
import { deepCopy } from '../values/copy.ts'
import type { GoValue } from '../values/value.ts'
import { Constants } from './analysis.ts'
import { ExpressionCompiler } from './expressions.ts'
import { JsonSink } from './json_sink.ts'
import { NodeCompiler } from './nodes.ts'
import { calls, findReads } from './reads.ts'
import { Run } from './run.ts'
import { TextSink } from './sink.ts'

interface CompileSettings {
  readonly json: boolean
  readonly strict: boolean
  /** Unsafe functions that are allowed. */
  readonly allowed: ReadonlySet<string>
  readonly limits: Limits
  readonly host: Host
}

interface CompiledTemplate {
  readonly render: (data: GoValue) => string
  readonly reads: readonly (readonly string[])[]
  readonly volatile: boolean
}

/** Parses and compiles a source. @throws TemplateSyntaxError */
export function compile(source: string, settings: CompileSettings): CompiledTemplate {
  const { limits, host, strict } = settings
  const table = functionsFor(settings.allowed)
  const trees = parse(source, { refuse: (name) => refusal(name, table), nesting: limits.nesting })
  const expressions = new ExpressionCompiler(source, table, strict, limits)
  const exec = new NodeCompiler(expressions, new Constants(), strict).compile(trees)
  // functions that change a map in place must not reach the caller's data
  const changesData = calls(trees, (name) => mutators.has(name))
  const render = (data: GoValue): string => {
    const sink = settings.json ? new JsonSink(limits.output) : new TextSink(limits.output)
    const run = new Run(limits, host, sink)
    try {
      exec(run, changesData ? deepCopy(data, run) : data)
      return sink.finish()
    } catch (error) {
      throw error instanceof TemplateSuspended ? error : located(error, run, source)
    }
  }
  return { render, reads: findReads(trees), volatile: calls(trees, (name) => table.get(name)?.volatile === true) }
}

/** Gives an error its place. Whatever else went wrong is told as a failure of the template, too: rendering has one error. */
function located(error: unknown, run: Run, source: string): TemplateExecError {
  const { start, end } = run.at
  const options = error instanceof GoError ? { field: error.field } : { cause: error, field: undefined }
  const reason = error instanceof GoError ? error.message : 'the function or value failed unexpectedly'
  return new TemplateExecError(reason, positionAt(source, start), source.slice(start, end), options)
}
