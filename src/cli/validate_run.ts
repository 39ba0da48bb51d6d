import type { Problem } from '../documents/problem.ts'
import { load, type LoadResult, type State } from '../load.ts'
import { keySetJson, keySetLines } from './key_report.ts'
import { noSessionStore, offlineRuntime } from './offline.ts'
import {
  count,
  GREEN,
  GREY,
  paint,
  printProblems,
  RED,
  RULES_UNCHECKED,
  type ExitCode,
  type Terminal,
} from './terminal.ts'

/** Loads as `serve` does, and reports instead of serving. */
export async function validate(
  terminal: Terminal,
  files: readonly string[],
  format: 'text' | 'json',
): Promise<ExitCode> {
  const result = withRulesMissed(
    await load({ configFiles: files, env: terminal.env, runtime: offlineRuntime(noSessionStore) }),
  )
  const errors = result.problems.filter(({ severity }) => severity === 'error').length
  if (format === 'json') printJson(terminal, result, errors)
  else printText(terminal, result, errors)
  return errors === 0 ? 0 : 1
}

/** A gateway may start without rules and get them later; whoever validates means to have some. */
function withRulesMissed(result: LoadResult): LoadResult {
  if (result.state === undefined || result.state.snapshot.rules.length > 0) return result
  const missed: Problem = {
    severity: 'warning',
    message: 'No access rule is loaded: every request would be refused, and the gateway would never be ready',
    hint: 'Name rules in access_rules.repositories.',
  }
  return { ...result, problems: [...result.problems, missed] }
}

function printJson(terminal: Terminal, { problems, notes, relied, state }: LoadResult, errors: number): void {
  const report = {
    ok: errors === 0,
    ...(state !== undefined && {
      profile: state.config.profile,
      ...countsOf(state),
      key_sets: state.snapshot.keySets.map(keySetJson),
    }),
    relied_defaults: relied.map(({ name, value, secure }) => ({ name, value, secure })),
    problems: [...problems, ...notes].map(toJson),
  }
  terminal.out(`${JSON.stringify(report, null, 2)}\n`)
}

function toJson({ severity, message, hint, place }: Problem): object {
  const spot =
    typeof place === 'object' ? { file: place.file, line: place.line, column: place.column } : { where: place }
  return { severity, message, hint, ...spot }
}

function printText(
  terminal: Terminal,
  { configOnly, problems, notes, relied, state }: LoadResult,
  errors: number,
): void {
  printNotes(terminal, notes)
  printProblems(terminal, problems)
  const warnings = problems.length - errors
  const counted = [
    warnings > 0 ? [count(warnings, 'warning')] : [],
    notes.length > 0 ? [count(notes.length, 'note')] : [],
  ]
  const also = counted
    .flat()
    .map((text) => `, ${text}`)
    .join('')
  if (errors > 0 || state === undefined) {
    terminal.err(`${paint('not ok', RED, terminal.colorErr)}: ${count(errors, 'error')}${also}\n`)
    if (configOnly) terminal.err(`${RULES_UNCHECKED}\n`)
    return
  }
  const { rules, upstreams, keys } = countsOf(state)
  const { profile } = state.config
  const counts = [count(rules, 'rule'), count(upstreams, 'upstream'), count(keys, 'signing key set')].join(', ')
  terminal.out(`${paint('ok', GREEN, terminal.colorOut)}: ${counts}, profile ${profile}${also}\n`)
  printRotations(terminal, state)
  printRelied(terminal, profile, relied)
}

/** What asks for action first. */
function printNotes(terminal: Terminal, notes: LoadResult['notes']): void {
  if (notes.length === 0) return
  const information = notes.filter(({ asksForAction }) => !asksForAction)
  printProblems(
    terminal,
    notes.filter(({ asksForAction }) => asksForAction),
  )
  if (information.length > 0) terminal.err('For information:\n')
  printProblems(terminal, information)
  terminal.err('Differences that no key stands for are in docs/migrating-from-oathkeeper.md.\n')
}

/** Which key signs when, of sets whose keys have times. */
function printRotations(terminal: Terminal, { snapshot }: State): void {
  for (const set of snapshot.keySets) {
    if (set.changesAt === undefined) continue
    terminal.out(
      keySetLines(set)
        .map((line) => paint(`  ${line}\n`, GREY, terminal.colorOut))
        .join(''),
    )
  }
}

function printRelied(terminal: Terminal, profile: string, relied: LoadResult['relied']): void {
  const weaker = relied.filter(({ value, secure }) => value !== secure)
  if (weaker.length === 0) return
  const lines = weaker.map(
    ({ name, value, secure, meaning }) => `    ${name}: ${value} (secure: ${secure}). ${meaning}\n`,
  )
  terminal.out(
    paint(
      `  Left to profile ${profile}:\n${lines.join('')}  \`profile: secure\` is stricter; each can be set singly under safeguards.\n`,
      GREY,
      terminal.colorOut,
    ),
  )
}

interface Counts {
  readonly rules: number
  readonly upstreams: number
  readonly keys: number
}

function countsOf({ snapshot }: State): Counts {
  const origins = new Set(snapshot.rules.flatMap(({ upstream }) => (upstream === undefined ? [] : [upstream.origin])))
  return { rules: snapshot.validRules.length, upstreams: origins.size, keys: snapshot.keySets.length }
}
