import { compileFile } from './compile/file.ts'
import { JsonnetLimitError, locate } from './errors.ts'
import type { Importer } from './importer.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { bindArguments, invoke, isFunction } from './runtime/function.ts'
import { fromJson, type Json, toJson } from './runtime/json.ts'
import { Run } from './runtime/run.ts'
import type { Slot } from './runtime/values.ts'
import { Source } from './syntax/source.ts'

export interface CompileOptions {
  /** What errors call the source. Default `<jsonnet>`. */
  readonly file?: string
  /** Limits that differ from the defaults. */
  readonly limits?: Partial<Limits>
  /** Where imports come from. Without it a program that imports does not compile. */
  readonly importer?: Importer
}

export interface EvaluateOptions {
  /** What `std.extVar` finds: plain data, never code. */
  readonly extVars?: Readonly<Record<string, Json>>
  /** Arguments by name, for a program whose value is a function. */
  readonly arguments?: Readonly<Record<string, Json>>
  /** Receives the messages of `std.trace`; by default they are dropped. */
  readonly trace?: (message: string) => void
}

/** A compiled program; immutable, may be evaluated any number of times. */
export interface JsonnetProgram {
  /**
   * Evaluates the program. The data that is given is never changed.
   * @returns the program's value as plain data
   * @throws JsonnetRuntimeError with file, line and column
   * @throws JsonnetLimitError
   */
  evaluate(options?: EvaluateOptions): Json
}

/**
 * Compiles a program in Jsonnet with the standard library of go-jsonnet 0.21.
 * @throws JsonnetSyntaxError with file, line and column when the source is malformed
 * @throws JsonnetLimitError when it is too long or nests too deeply
 */
export function compileJsonnet(text: string, options: CompileOptions = {}): JsonnetProgram {
  const limits = { ...defaultLimits, ...options.limits }
  const source = new Source(options.file ?? '<jsonnet>', text)
  const main = guardStack(() => compileFile(source, limits, options.importer))
  return {
    evaluate: ({ extVars = {}, arguments: args = {}, trace = ignore } = {}) =>
      guardStack(() => {
        const run = new Run(limits, slots(extVars), trace)
        try {
          const value = main(run)
          if (!isFunction(value)) return toJson(value, run)
          return toJson(invoke(value, bindArguments(value, [], [...slots(args)]), run), run)
        } catch (error) {
          throw locate(error, source, 0)
        }
      }),
  }
}

const ignore = (): void => undefined

function slots(data: Readonly<Record<string, Json>>): Map<string, Slot> {
  return new Map(Object.entries(data).map(([name, value]) => [name, fromJson(value)]))
}

/**
 * Depth is counted so that the stack lasts; on a thread with a small stack, or close to its end, it may not.
 * That, and a string beyond what the engine can hold, is a limit as any other.
 */
function guardStack<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof RangeError) throw new JsonnetLimitError(`the engine's own limit: ${error.message}`)
    throw error
  }
}
