/** The pattern is not one this language accepts. Thrown by `compileRegexp` alone. */
export class RegexpSyntaxError extends Error {
  override readonly name = 'RegexpSyntaxError'
  /** Where in the source, in UTF-16 code units. */
  readonly offset: number

  constructor(message: string, offset: number) {
    super(`${message} (at offset ${offset})`)
    this.offset = offset
  }
}

/** The match was given up because its step budget was used up. It says nothing about whether the input matches. */
export class RegexpStepLimitError extends Error {
  override readonly name = 'RegexpStepLimitError'
  /** The budget, in steps. */
  readonly steps: number

  constructor(steps: number) {
    super(`the regular expression needed more than ${steps} steps`)
    this.steps = steps
  }
}
