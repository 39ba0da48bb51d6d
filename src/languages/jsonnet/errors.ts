import type { Source } from './syntax/source.ts'

/** Where something stands: 1-based, columns in UTF-16 code units. */
abstract class JsonnetError extends Error {
  /** What is wrong, without the place. */
  readonly reason: string
  readonly file: string
  readonly line: number
  readonly column: number

  constructor(reason: string, source: Source, offset: number) {
    const { line, column } = source.position(offset)
    super(`${source.file}:${line}:${column} ${reason}`)
    this.reason = reason
    this.file = source.file
    this.line = line
    this.column = column
  }
}

/** The program is malformed: found when it is compiled. */
export class JsonnetSyntaxError extends JsonnetError {
  override readonly name = 'JsonnetSyntaxError'
}

/** The program failed on the data at hand, or by its own `error`. */
export class JsonnetRuntimeError extends JsonnetError {
  override readonly name = 'JsonnetRuntimeError'
}

/** The program needs more than it is allowed: steps, memory, depth or output. Says nothing about the result. */
export class JsonnetLimitError extends Error {
  override readonly name = 'JsonnetLimitError'
}

/** A failure inside of the interpreter that does not know its place yet; `locate` gives it one. */
export class Fault extends Error {
  override readonly name = 'Fault'
}

/** What to throw for an error that came up while the expression at that offset was evaluated. */
export function locate(error: unknown, source: Source, offset: number): unknown {
  return error instanceof Fault ? new JsonnetRuntimeError(error.message, source, offset) : error
}
