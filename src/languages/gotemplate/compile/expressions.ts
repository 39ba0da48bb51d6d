import { GoError, positionAt, TemplateSyntaxError } from '../errors.ts'
import type { Call, FunctionSpec, FunctionTable } from '../functions/spec.ts'
import type { Limits } from '../limits.ts'
import type { Command, Operand, Pipe, Span } from '../syntax/ast.ts'
import type { ParamType } from '../values/signature.ts'
import { isTrue } from '../values/truth.ts'
import { type GoValue, Missing } from '../values/value.ts'
import { coerce, goTypeName, literalAs, takesNil } from './coerce.ts'
import { type Argument, callField, nilField, readField } from './fields.ts'
import type { Eval } from './run.ts'

/** Value that a pipeline passes on to its next command. */
type Previous = Eval | undefined

/**
 * Compiles expressions of one source to closures.
 * Longer than most files: operands, fields and calls contain one another.
 */
export class ExpressionCompiler {
  readonly source: string
  readonly #functions: FunctionTable
  /** Whether a missing map key stays known as such, so that it cannot reach the output. */
  readonly #strict: boolean
  readonly #limits: Limits

  constructor(source: string, functions: FunctionTable, strict: boolean, limits: Limits) {
    this.source = source
    this.#functions = functions
    this.#strict = strict
    this.#limits = limits
  }

  fail(reason: string, at: Span): never {
    throw new TemplateSyntaxError(reason, positionAt(this.source, at.start))
  }

  /** A pipeline with the variables it sets. Nil comes out as undefined. */
  pipe(pipe: Pipe): Eval {
    let value: Eval | undefined
    for (const command of pipe.commands) value = this.#command(command, value)
    const result = value as Eval
    const [slot] = pipe.slots
    if (slot === undefined) return result
    const { slots } = pipe
    return (run, dot, vars) => {
      const set = result(run, dot, vars)
      for (const each of slots) vars[each] = set
      return set
    }
  }

  /** Source text of a node, for messages. */
  text(span: Span): string {
    return this.source.slice(span.start, span.end)
  }

  #command(command: Command, previous: Previous): Eval {
    const value = this.#apply(command.operand, command.args, previous, command)
    return (run, dot, vars) => {
      const result = value(run, dot, vars)
      return result === null ? undefined : result
    }
  }

  /** A command's operand with its arguments. */
  #apply(operand: Operand, args: readonly Operand[], previous: Previous, span: Span): Eval {
    switch (operand.kind) {
      case 'field':
        return this.#fields((_run, dot) => dot, '', operand.fields, args, previous, operand)
      case 'variable': {
        const { slot, name, fields } = operand
        if (fields.length === 0) this.#noArguments(operand, args, previous)
        const read: Eval = (_run, _dot, vars) => vars[slot]
        return fields.length === 0 ? read : this.#fields(read, name, fields, args, previous, operand)
      }
      case 'chain': {
        if (operand.of.kind === 'nil') this.fail('indirection through explicit nil', operand)
        return this.#fields(this.#operand(operand.of), this.text(operand.of), operand.fields, args, previous, operand)
      }
      case 'function':
        return this.#call(operand.name, args, previous, span)
      case 'dot':
      case 'nil':
      case 'bool':
      case 'string':
      case 'number':
      case 'pipe':
      default:
        this.#noArguments(operand, args, previous)
        if (operand.kind === 'nil') this.fail('nil is not a command', operand)
        return this.#operand(operand)
    }
  }

  #noArguments(operand: Operand, args: readonly Operand[], previous: Previous): void {
    if (args.length === 0 && previous === undefined) return
    this.fail(`can't give argument to non-function ${this.text(operand)}`, operand)
  }

  /** An operand that stands alone. */
  #operand(operand: Operand): Eval {
    switch (operand.kind) {
      case 'dot':
        return (_run, dot) => dot
      case 'nil':
        return () => undefined
      case 'bool':
      case 'string': {
        const { value } = operand
        return () => value
      }
      case 'number': {
        const value = literalAs(operand.value, 'any')
        return () => value
      }
      case 'pipe':
        return this.pipe(operand.pipe)
      case 'field':
      case 'variable':
      case 'chain':
      case 'function':
      default:
        return this.#apply(operand, [], undefined, operand)
    }
  }

  /** `.a.b.c`, read from a value; the last may be a method that takes arguments. */
  #fields(
    from: Eval,
    prefix: string,
    fields: readonly string[],
    args: readonly Operand[],
    previous: Previous,
    span: Span,
  ): Eval {
    const steps = fields.map((name, index) => {
      const path = `${prefix}.${fields.slice(0, index + 1).join('.')}`
      return { name, path, missing: this.#strict ? path : undefined }
    })
    const last = steps.at(-1) as (typeof steps)[number]
    const hasArguments = args.length > 0 || previous !== undefined
    const reads = hasArguments ? steps.slice(0, -1) : steps
    const walk: Eval = (run, dot, vars) => {
      run.at = span
      let value = from(run, dot, vars)
      // a chain that starts at nil is nil; one that meets nil on the way is an error
      if (value === undefined) return value
      if (value instanceof Missing) return new Missing(`${value.path}.${fields.join('.')}`)
      for (let index = 0; index < reads.length; index++) {
        const { name, path, missing } = reads[index] as (typeof reads)[number]
        if (value === null || value === undefined || value instanceof Missing) throw nilField(name, path)
        value = readField(value, name, missing)
      }
      return value
    }
    if (!hasArguments) return walk
    const values = args.map((arg) => this.#argument(arg))
    return (run, dot, vars) => {
      const receiver = walk(run, dot, vars)
      if (receiver === undefined) return receiver
      if (receiver === null || receiver instanceof Missing) throw nilField(last.name, last.path)
      const given = values.map((value) => value(run, dot, vars))
      if (previous !== undefined) given.push({ value: previous(run, dot, vars), literal: undefined })
      run.at = span
      return callField(receiver, last.name, given)
    }
  }

  #argument(operand: Operand): (...context: Parameters<Eval>) => Argument {
    const value = this.#operand(operand)
    const literal = operand.kind === 'number' ? operand.value : undefined
    return (run, dot, vars) => ({ value: value(run, dot, vars), literal })
  }

  #call(name: string, args: readonly Operand[], previous: Previous, span: Span): Eval {
    const spec = this.#functions.get(name) as FunctionSpec
    const { params, rest } = spec
    const count = args.length + (previous === undefined ? 0 : 1)
    if (count < params.length || (rest === undefined && count > params.length)) {
      const least = rest === undefined ? '' : 'at least '
      this.fail(`wrong number of args for ${name}: want ${least}${params.length} got ${count}`, span)
    }
    const typeAt = (index: number): ParamType => params[index] ?? rest ?? 'any'
    const values = args.map((arg, index) => this.#typed(arg, typeAt(index), spec))
    if (previous !== undefined) values.push(this.#checked(previous, typeAt(args.length), spec, span))
    if (name === 'and' || name === 'or') return shortCircuit(name === 'or', values)
    const missing = this.#strict && name === 'index' ? this.text(span) : undefined
    const call = this.#bind(spec, args[0], span)
    return (run, dot, vars) => {
      const given: GoValue[] = []
      for (let index = 0; index < values.length; index++) given.push((values[index] as Eval)(run, dot, vars))
      run.at = span
      run.step()
      const result = call(run, given)
      if (typeof result === 'string') run.text(result)
      return missing !== undefined && result === null ? new Missing(missing) : result
    }
  }

  /** The function for this place; a constant that it cannot use is a mistake in the template. */
  #bind(spec: FunctionSpec, first: Operand | undefined, span: Span): Call {
    try {
      return spec.bind(first?.kind === 'string' ? first.value : undefined, this.#limits)
    } catch (error) {
      if (error instanceof GoError) this.fail(error.message, first ?? span)
      throw error
    }
  }

  /** An argument of a parameter type that is known. */
  #typed(operand: Operand, type: ParamType, spec: FunctionSpec): Eval {
    switch (operand.kind) {
      case 'nil':
        if (!takesNil(type)) this.fail(`cannot assign nil to ${goTypeName(type)}`, operand)
        return () => undefined
      case 'number': {
        const value = literalAs(operand.value, type)
        if (value === undefined) this.fail(`expected ${goTypeName(type)}; found ${this.text(operand)}`, operand)
        return () => value
      }
      case 'string':
      case 'bool':
        if (type !== operand.kind && type !== 'any' && type !== 'value') {
          this.fail(`expected ${goTypeName(type)}; found ${this.text(operand)}`, operand)
        }
        return this.#operand(operand)
      case 'dot':
      case 'field':
      case 'variable':
      case 'chain':
      case 'function':
      case 'pipe':
      default:
        return this.#checked(this.#operand(operand), type, spec, operand)
    }
  }

  #checked(value: Eval, type: ParamType, spec: FunctionSpec, span: Span): Eval {
    const refusesMissing = this.#strict && !spec.takesMissing
    return (run, dot, vars) => {
      const result = value(run, dot, vars)
      run.at = span
      if (typeof result === 'string') run.text(result)
      if (refusesMissing && result instanceof Missing) throw missingField(result)
      return coerce(result, type)
    }
  }
}

/** The error for a missing field that would reach the output. */
export function missingField(missing: Missing): GoError {
  return new GoError(`the field ${missing.path} is missing: give a default, such as {{ … | default "" }}`, missing.path)
}

/** `and` and `or`: give the first argument that decides, and evaluate no further. */
function shortCircuit(until: boolean, values: readonly Eval[]): Eval {
  return (run, dot, vars) => {
    let result: GoValue
    for (const value of values) {
      run.step()
      result = value(run, dot, vars)
      if (isTrue(result) === until) break
    }
    return result
  }
}
