/** Where a spot of a text is that a value of a file holds. */
import type { Within } from './problem.ts'
import type { SourceText } from './source.ts'

/** `|` and what may follow it: how deep the text stands, and what becomes of its last lines. */
const literalBlock = /^\|([1-9]?[+-]?|[+-][1-9])[ \t]*(?:#.*)?\r?\n/

/**
 * Takes where a value begins in its file, and a spot of its text. Gives the offset of the spot where the file shows the text
 * as it is: in a literal block of YAML, or in one line without escapes. Else that of the value.
 */
export function offsetWithin({ text }: SourceText, start: number, { line, column }: Within): number {
  const rest = text.slice(start)
  const [header] = literalBlock.exec(rest) ?? []
  if (header !== undefined) {
    const lines = rest.slice(header.length).split('\n')
    const indent = /^ */.exec(lines.find((each) => each.trim() !== '') ?? '')?.[0].length ?? 0
    const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, header.length)
    return line > lines.length ? start : start + before + indent + column - 1
  }
  if (line !== 1) return start
  const quote = rest.startsWith('"') || rest.startsWith("'") ? rest.charAt(0) : ''
  const shown = rest.slice(quote.length, quote.length + column - 1)
  return shown.length < column - 1 || /[\\\n]/.test(shown) || (quote !== '' && shown.includes(quote))
    ? start
    : start + quote.length + column - 1
}
