/** A place in a template's source text. */
interface Position {
  /** 1-based line. */
  readonly line: number
  /** 1-based column, counted in UTF-16 code units. */
  readonly column: number
}

/**
 * Finds line and column of an offset into a text.
 * @param source the template text
 * @param offset 0-based offset in UTF-16 code units
 */
export function positionAt(source: string, offset: number): Position {
  let line = 1
  let lineStart = 0
  for (let at = source.indexOf('\n'); at !== -1 && at < offset; at = source.indexOf('\n', at + 1)) {
    line++
    lineStart = at + 1
  }
  return { line, column: offset - lineStart + 1 }
}

/** The template text cannot be compiled. `line` and `column` are 1-based; `reason` is the message without the position. */
export class TemplateSyntaxError extends Error {
  override readonly name = 'TemplateSyntaxError'
  readonly line: number
  readonly column: number
  readonly reason: string

  constructor(reason: string, position: Position) {
    super(`template:${position.line}:${position.column}: ${reason}`)
    this.reason = reason
    this.line = position.line
    this.column = position.column
  }
}

/**
 * A compiled template failed while it was rendered. `line` and `column` are 1-based and name the action;
 * `field` is set when a missing field was the cause and holds its path as written. The message may quote
 * template text, type names and limits, but never values of the data
 * (what a template itself gives to `fail` aside).
 */
export class TemplateExecError extends Error {
  override readonly name = 'TemplateExecError'
  readonly line: number
  readonly column: number
  readonly reason: string
  readonly field?: string

  constructor(
    reason: string,
    position: Position,
    at: string,
    options: { field?: string | undefined; cause?: unknown },
  ) {
    super(
      `template:${position.line}:${position.column}: executing at <${at}>: ${reason}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.reason = reason
    this.line = position.line
    this.column = position.column
    if (options.field !== undefined) this.field = options.field
  }
}

/** A render that has to wait, with `getHostByName` alone: it is to be begun anew when `until` has ended. */
export class TemplateSuspended extends Error {
  override readonly name = 'TemplateSuspended'
  readonly until: Promise<void>

  constructor(until: Promise<void>) {
    super('the template waits for the DNS')
    this.until = until
  }
}

/** Thrown by values and functions, which know no position; the renderer adds it and throws a TemplateExecError. */
export class GoError extends Error {
  override readonly name = 'GoError'
  readonly field: string | undefined

  constructor(message: string, field?: string) {
    super(message)
    this.field = field
  }
}
