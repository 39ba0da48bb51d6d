/** Oathkeeper's way of writing a pattern: what stands in `<…>` is an expression, the text around it is literal. */

export interface Segment {
  readonly kind: 'literal' | 'expression'
  /** Without the delimiters. */
  readonly text: string
  /** Where the text starts in the pattern, in UTF-16 code units. */
  readonly offset: number
}

export class UnbalancedPatternError extends Error {
  override readonly name = 'UnbalancedPatternError'
  /** The delimiter that has no partner. */
  readonly offset: number

  constructor(pattern: string, offset: number) {
    super(`unbalanced pattern: "${pattern[offset]}" has no partner`)
    this.offset = offset
  }
}

/**
 * Takes a pattern; returns its segments in order, empty literals left out.
 * Delimiters nest, and only the outermost count: what is inside belongs to the expression.
 * Throws UnbalancedPatternError.
 */
export function splitPattern(pattern: string): readonly Segment[] {
  const segments: Segment[] = []
  let depth = 0
  let start = 0
  let opened = 0
  const literal = (end: number): void => {
    if (end > start) segments.push({ kind: 'literal', text: pattern.slice(start, end), offset: start })
  }
  for (let index = 0; index < pattern.length; index++) {
    const char = pattern[index]
    if (char === '<') {
      depth++
      if (depth > 1) continue
      literal(index)
      opened = index
    } else if (char === '>') {
      depth--
      if (depth < 0) throw new UnbalancedPatternError(pattern, index)
      if (depth > 0) continue
      segments.push({ kind: 'expression', text: pattern.slice(opened + 1, index), offset: opened + 1 })
      start = index + 1
    }
  }
  if (depth > 0) throw new UnbalancedPatternError(pattern, opened)
  literal(pattern.length)
  return segments
}
