/** What a command may do to the world around it: print, in colour where a person reads, and end with a code. */
import { formatProblem, type Problem } from '../documents/problem.ts'
import { redactText } from '../telemetry/redact.ts'

export type Env = Readonly<Record<string, string | undefined>>

export interface Terminal {
  /** Results: what the user asked for. */
  out(text: string): void
  /** Everything else: progress, warnings, errors. */
  err(text: string): void
  readonly env: Env
  readonly colorOut: boolean
  readonly colorErr: boolean
}

/** 0 all is well, 1 a problem was found, 2 the command was used wrongly. */
export type ExitCode = 0 | 1 | 2

/** A command that cannot go on: one sentence what, one what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: ExitCode
  readonly hint: string | undefined

  constructor(message: string, options: { readonly exitCode?: ExitCode; readonly hint?: string | undefined } = {}) {
    super(message)
    this.exitCode = options.exitCode ?? 1
    this.hint = options.hint
  }
}

/** The process' own. https://no-color.org: any value of NO_COLOR but the empty one turns colour off. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process
  const wanted = env['NO_COLOR'] === undefined || env['NO_COLOR'] === ''
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // Whoever read us has seen enough, as `head` does.
      if (error.code === 'EPIPE') process.exit(0)
      throw error
    })
  }
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    env,
    colorOut: wanted && stdout.isTTY,
    colorErr: wanted && stderr.isTTY,
  }
}

export const RED = 31
export const GREEN = 32
export const GREY = 90

export const paint = (text: string, code: number, color: boolean): string =>
  color ? `\u001B[${code}m${text}\u001B[0m` : text

/** Notes and warnings first, so that what stops the command stands last, where people look. */
export function printProblems(terminal: Terminal, problems: readonly Problem[]): void {
  for (const severity of ['note', 'warning', 'error'] as const) {
    for (const problem of problems.filter((candidate) => candidate.severity === severity)) {
      terminal.err(`${formatProblem(problem, { color: terminal.colorErr })}\n`)
    }
  }
}

/** Told after the errors of a config that is too wrong to go on. */
export const RULES_UNCHECKED = 'Rules, keys and templates were not checked; correct the config first.'

/** `1 error`, `2 warnings`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`

/** A fault of ours. Only the stack: the error's other properties may hold a request. */
export function printCrash(terminal: Terminal, error: unknown): void {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  terminal.err(`${paint('error', RED, terminal.colorErr)}: Mintkeeper failed unexpectedly.\n`)
  terminal.err(`  Please report it with these lines:\n${redactText(stack)}\n`)
}

export function printError(terminal: Terminal, error: CommandError): void {
  terminal.err(`${paint('error', RED, terminal.colorErr)}: ${error.message}\n`)
  if (error.hint !== undefined) terminal.err(`  ${error.hint}\n`)
}
