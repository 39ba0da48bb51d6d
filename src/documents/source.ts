import type { Place } from './problem.ts'
import { secretLines } from './secrets.ts'

/** A text that knows its lines. */
export interface SourceText {
  readonly file: string
  readonly text: string
  /** The spot of a character, counted from 0; what lies outside the text counts as its nearest end. */
  place(offset: number): Place
}

/** Takes a text and the name under which problems mention it. */
export function sourceText(file: string, text: string): SourceText {
  let starts: number[] | undefined
  let secret: ReadonlySet<number> | undefined
  return {
    file,
    text,
    place(offset) {
      starts ??= lineStarts(text)
      const position = Math.max(0, Math.min(offset, text.length))
      let low = 0
      let high = starts.length - 1
      while (low < high) {
        const middle = (low + high + 1) >> 1
        if ((starts[middle] ?? 0) <= position) low = middle
        else high = middle - 1
      }
      const start = starts[low] ?? 0
      const end = low + 1 < starts.length ? (starts[low + 1] ?? 0) - 1 : text.length
      const line = text.slice(start, end)
      secret ??= secretLines(text.split('\n'))
      return {
        file,
        line: low + 1,
        column: position - start + 1,
        text: line.endsWith('\r') ? line.slice(0, -1) : line,
        ...(secret.has(low) && { secret: true }),
      }
    },
  }
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let newline = text.indexOf('\n'); newline !== -1; newline = text.indexOf('\n', newline + 1))
    starts.push(newline + 1)
  return starts
}
