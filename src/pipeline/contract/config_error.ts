/** Thrown by `create`: something that the config's author can mend; `path` leads to the value inside the handler's config. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly path: readonly (string | number)[]
  /** One sentence: what to do. */
  readonly hint: string | undefined
  /** Where in that value, when it is a text of several lines such as a template; both count from 1. */
  readonly within: { readonly line: number; readonly column: number } | undefined

  constructor(
    message: string,
    path: readonly (string | number)[] = [],
    hint?: string,
    within?: { readonly line: number; readonly column: number },
  ) {
    super(message)
    this.path = path
    this.hint = hint
    this.within = within && { line: within.line, column: within.column }
  }
}
