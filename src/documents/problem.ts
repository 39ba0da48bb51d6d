/** What can be wrong in a file that people write, and how it is told. */
import { withoutSecrets } from './secrets.ts'

/** A spot in a text; line and column count from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
  /** The whole source line, for the caret. */
  readonly text: string
  /** The line holds a secret, or a part of one, whose key stands on another line. */
  readonly secret?: true
}

export interface Problem {
  /** `error`: it cannot work; `warning`: it probably is not meant; `note`: good to know, and nothing is wrong. */
  readonly severity: 'error' | 'warning' | 'note'
  /** One sentence: what is wrong. */
  readonly message: string
  /** One sentence: what to do. */
  readonly hint?: string
  /** Where: a spot in a file, or words such as `environment variable SERVE_PROXY_PORT`. */
  readonly place?: Place | string
}

export type Path = readonly (string | number)[]

/** A spot in the text that a value is; line and column count from 1. */
export interface Within {
  readonly line: number
  readonly column: number
}

/** Finds the spot of a value, of its key, or of a part of its text, in whatever file (or environment variable) it came from. */
export type Locate = (path: Path, on?: 'key' | 'value' | Within) => Place | string | undefined

/** Everything that is wrong with a set of files, at once. */
export class ProblemsError extends Error {
  override readonly name = 'ProblemsError'
  readonly problems: readonly Problem[]
  /** The config is too wrong for its rules, keys and templates to be looked at: there may be more. */
  readonly configOnly: boolean

  constructor(problems: readonly Problem[], options: { readonly configOnly?: boolean } = {}) {
    super(problems.map((problem) => formatProblem(problem)).join('\n'))
    this.problems = problems
    this.configOnly = options.configOnly ?? false
  }
}

/** Problems as people read a file: file by file in the order in which files first appear, from top to bottom. */
export function inReadingOrder<Told extends Problem>(problems: readonly Told[]): Told[] {
  const files = [...new Set(problems.map(fileOf))]
  return problems.toSorted((a, b) => {
    const byFile = files.indexOf(fileOf(a)) - files.indexOf(fileOf(b))
    if (byFile !== 0 || typeof a.place !== 'object' || typeof b.place !== 'object') return byFile
    return a.place.line - b.place.line || a.place.column - b.place.column
  })
}

function fileOf({ place }: Problem): string | undefined {
  return typeof place === 'object' ? place.file : place
}

/** A place in one line of text: `file:line:column`, or its words. */
export function formatPlace(place: Place | string): string {
  return typeof place === 'string' ? place : `${place.file}:${place.line}:${place.column}`
}

/** The first of each of those that say the same of the same place, such as of config that several rules share. */
export function withoutRepetitions(problems: readonly Problem[]): Problem[] {
  const told = new Set<string>()
  return problems.filter(({ severity, message, place }) => {
    const key = JSON.stringify([severity, message, place === undefined ? null : formatPlace(place)])
    return !told.has(key) && told.add(key)
  })
}

/** `file:line:col: error: message`, the source line with a caret, and the hint; colour is for terminals only. */
export function formatProblem(problem: Problem, options: { readonly color?: boolean } = {}): string {
  const paint = (code: number, text: string): string =>
    options.color === true ? `\u001B[${code}m${text}\u001B[0m` : text
  const severity = paint(severityColors[problem.severity], problem.severity)
  const { place } = problem
  const lines: string[] = []
  if (place === undefined) lines.push(`${severity}: ${problem.message}`)
  else if (typeof place === 'string') lines.push(`${place}: ${severity}: ${problem.message}`)
  else {
    lines.push(`${formatPlace(place)}: ${severity}: ${problem.message}`)
    const number = String(place.line)
    const { text, column } = excerpt({ ...place, text: withoutSecrets(place.text, place.secret === true) })
    lines.push(`  ${number} | ${text}`)
    // Tabs are kept, so that the caret stands under the same column whatever their width.
    const indent = text.slice(0, column - 1).replaceAll(/[^\t]/g, ' ')
    lines.push(`  ${' '.repeat(number.length)} | ${indent}${paint(31, '^')}`)
  }
  if (problem.hint !== undefined) lines.push(`  ${problem.hint}`)
  return lines.join('\n')
}

const severityColors = { error: 31, warning: 33, note: 36 } as const

const widest = 160

/** The part of a long line (a JSON file of one line, say) in which the spot is. */
function excerpt({ text, column }: Place): { readonly text: string; readonly column: number } {
  if (text.length <= widest) return { text, column }
  const start = Math.max(0, Math.min(column - 1 - widest / 2, text.length - widest))
  const before = start > 0 ? '…' : ''
  const after = start + widest < text.length ? '…' : ''
  return { text: `${before}${text.slice(start, start + widest)}${after}`, column: column - start + before.length }
}
