/** The pattern is not one this language accepts. Thrown by `compileGlob` alone. */
export class GlobSyntaxError extends Error {
  override readonly name = 'GlobSyntaxError'
  /** Where in the pattern, in UTF-16 code units. */
  readonly offset: number

  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

/** The match was given up because its step budget was used up. It says nothing about whether the input matches. */
export class GlobStepLimitError extends Error {
  override readonly name = 'GlobStepLimitError'

  constructor() {
    super('the glob needed more steps than it was given')
  }
}
