/** Something that keeps a repository from being read. Its message never contains credentials. */
export class RepositoryError extends Error {
  override readonly name = 'RepositoryError'
  readonly hint: string | undefined

  constructor(message: string, hint?: string, options?: ErrorOptions) {
    super(message, options)
    this.hint = hint
  }
}
