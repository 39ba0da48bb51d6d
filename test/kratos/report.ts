/** Counts what was checked, prints what was seen, and remembers what was wrong. */
import { isDeepStrictEqual } from 'node:util'

export interface Report {
  heading(text: string): void
  /** `seen` must be `expected`. */
  check(what: string, seen: unknown, expected: unknown): void
  /** Something worth knowing that is neither right nor wrong. */
  note(text: string): void
  readonly checked: number
  readonly failed: number
}

export function createReport(print: (text: string) => void): Report {
  let [checked, failed] = [0, 0]
  return {
    heading: (text) => print(`\n${text}\n`),
    check(what, seen, expected) {
      checked++
      if (isDeepStrictEqual(seen, expected)) {
        print(`  ok      ${what}\n`)
        return
      }
      failed++
      print(
        `  WRONG   ${what}\n          seen     ${JSON.stringify(seen)}\n          expected ${JSON.stringify(expected)}\n`,
      )
    },
    note: (text) => print(`  note    ${text}\n`),
    get checked() {
      return checked
    },
    get failed() {
      return failed
    },
  }
}
