/** A program's text and the name that errors call it by. */
export class Source {
  readonly file: string
  readonly text: string

  constructor(file: string, text: string) {
    this.file = file
    this.text = text
  }

  /** Line and column of an offset, both from 1. */
  position(offset: number): { readonly line: number; readonly column: number } {
    let line = 1
    let start = 0
    for (let at = this.text.indexOf('\n'); at !== -1 && at < offset; at = this.text.indexOf('\n', at + 1)) {
      line++
      start = at + 1
    }
    return { line, column: offset - start + 1 }
  }
}
