/** Evaluating a path took too much work for the document at hand, or went too deep. Says nothing about the result. */
export class GjsonLimitError extends Error {
  override readonly name = 'GjsonLimitError'
}

/** The path is longer than this implementation takes. There are no other bad paths: the rest find nothing. */
export class GjsonPathError extends Error {
  override readonly name = 'GjsonPathError'
}
