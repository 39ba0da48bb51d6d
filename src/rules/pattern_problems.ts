/** What can be said of patterns at load: that they do not compile, match nothing, or match what another one matches. */
import type { Interruptible } from '../documents/pace.ts'
import { formatPlace, type Locate, type Place, type Problem } from '../documents/problem.ts'
import { splitPattern } from './delimiters.ts'
import type { CompiledEntry } from './entry.ts'
import { PatternError, PatternStepLimitError, type Pattern } from './pattern.ts'
import { patternSections } from './sections.ts'

export function patternErrorProblem(error: PatternError, locate: Locate): Problem {
  const place = locate(['match', 'url'])
  return {
    severity: 'error',
    message: `Value "${error.source}" of "match.url" is not a valid pattern: ${error.message}`,
    hint: 'Text in <…> is an expression, all other text is literal; every "<" needs its ">".',
    ...(place !== undefined && {
      place: typeof place === 'string' ? place : pointInto(place, error.source, error.offset),
    }),
  }
}

/** Moves a place from the start of a value to a character in it, where the file shows the value as it is. */
function pointInto(place: Place, value: string, offset: number): Place {
  const start = place.text.indexOf(value, place.column - 1)
  return start === -1 ? place : { ...place, column: start + offset + 1 }
}

/** Warnings about a pattern that compiles but can match no request. */
export function patternWarnings<T>({ methods, locate }: CompiledEntry<T>, pattern: Pattern): readonly Problem[] {
  if (pattern.source === '') return []
  const warn = (message: string, hint: string, key: 'url' | 'methods'): readonly Problem[] => {
    const place = locate(['match', key])
    return [{ severity: 'warning', message, hint, ...(place !== undefined && { place }) }]
  }
  if (methods.length === 0 && !pattern.source.startsWith('rpc://')) {
    return warn(
      'This rule matches no request: "match.methods" is empty',
      'List the methods, such as [GET, POST].',
      'methods',
    )
  }
  if (pattern.source.startsWith('/')) {
    return warn(
      'This pattern matches no request: it has no scheme and host',
      'A pattern is compared with the whole URL, as in http://example.com/api/<.*>.',
      'url',
    )
  }
  const { scheme = '', path = '' } = patternSections(pattern.source) ?? {}
  if (/[A-Z]/.test(literalText(scheme))) {
    return warn(
      'This pattern matches no request: schemes are compared in lower case',
      'Write http, https, or <http|https>.',
      'url',
    )
  }
  if (literalText(pattern.source).includes('?')) {
    return warn(
      'This pattern matches no request as its author means it: a query is no part of what is compared',
      'Leave out the "?" and what follows it.',
      'url',
    )
  }
  if (
    literalText(path)
      .split('/')
      .some((segment) => segment === '.' || segment === '..')
  ) {
    return warn(
      'This pattern matches no request: it has a segment "." or "..", and paths are compared without them',
      'Write the path to which it leads.',
      'url',
    )
  }
  if (path.length > 1 && path.endsWith('/')) {
    return warn(
      'This pattern matches no request: paths are compared without their trailing slash',
      'Leave out the last "/".',
      'url',
    )
  }
  return []
}

/** An expression, which may be part of a segment, becomes one character that no pattern has. */
function literalText(pattern: string): string {
  return splitPattern(pattern)
    .map(({ kind, text }) => (kind === 'literal' ? text : '\0'))
    .join('')
}

/** Finds the rules that may match a URL, in any order. */
type FindCandidates<T> = (method: string, url: string, into: CompiledEntry<T>[]) => void

/** Warnings are advice: of a rule that overlaps with very many, a few say it, and looking for them must not delay a load. */
const overlapsPerRule = 3
const comparisonsPerLoad = 200_000

/** The rules of one method and pattern so far. */
interface SamePattern<T> {
  /** The one with the highest priority. */
  top: CompiledEntry<T>
  readonly firstOf: Map<number, CompiledEntry<T>>
}

/**
 * Warns of pairs of rules of which it is certain that some request matches both: patterns that are the same, and a literal
 * pattern that another one matches. Such a request is answered with 500, or, with priorities, never gets to one of them.
 * Can be interrupted after each rule.
 */
export function* overlapWarnings<T>(
  entries: readonly CompiledEntry<T>[],
  find: FindCandidates<T>,
): Interruptible<readonly Problem[]> {
  const problems: Problem[] = []
  const seen = new Map<string, SamePattern<T>>()
  const budget = { comparisons: comparisonsPerLoad }
  for (const entry of entries) {
    yield
    if (entry.pattern instanceof PatternError || entry.url === '') continue
    const overlapping = new Set<CompiledEntry<T>>()
    for (const method of entry.methods) {
      const key = `${method} ${entry.url}`
      const same = seen.get(key)
      if (same === undefined) seen.set(key, { top: entry, firstOf: new Map([[entry.priority, entry]]) })
      else {
        overlapping.add(same.firstOf.get(entry.priority) ?? same.top)
        if (!same.firstOf.has(entry.priority)) same.firstOf.set(entry.priority, entry)
        if (entry.priority > same.top.priority) same.top = entry
      }
      for (const other of matchingLiterals(entry, entry.pattern, method, find, budget)) {
        if (overlapping.size >= overlapsPerRule) break
        overlapping.add(other)
      }
    }
    for (const other of overlapping) problems.push(...overlapProblems(entry, other))
  }
  return problems
}

/** The other rules that match a pattern without wildcards. */
function* matchingLiterals<T>(
  entry: CompiledEntry<T>,
  pattern: Pattern,
  method: string,
  find: FindCandidates<T>,
  budget: { comparisons: number },
) {
  if (!pattern.literal) return
  for (const text of pattern.prefixes) {
    const candidates: CompiledEntry<T>[] = []
    find(method, text, candidates)
    for (const other of candidates) {
      if (other === entry || other.url === entry.url || other.pattern instanceof PatternError) continue
      if (--budget.comparisons < 0) return
      if (matches(other.pattern, text)) yield other
    }
  }
}

function matches(pattern: Pattern, text: string): boolean {
  try {
    return pattern.match(text, { steps: 10_000 }) !== null
  } catch (error) {
    if (error instanceof PatternStepLimitError) return false
    throw error
  }
}

/** `other` has the pattern of `entry`, or one that matches all that the literal pattern of `entry` does. */
function overlapProblems<T>(entry: CompiledEntry<T>, other: CompiledEntry<T>): readonly Problem[] {
  if (entry.priority === other.priority) return [overlapWarning(entry, other)]
  if (entry.priority < other.priority) return [hiddenWarning(entry, other)]
  return entry.url === other.url ? [hiddenWarning(other, entry)] : []
}

function overlapWarning<T>(entry: CompiledEntry<T>, other: CompiledEntry<T>): Problem {
  return {
    severity: 'warning',
    message: `Rules "${entry.id}" and "${other.id}" (${placeOf(other)}) match the same requests, which are answered with 500`,
    hint: 'Narrow one of the patterns or its methods, or give the rule that is to go first a higher `priority`.',
    ...urlPlace(entry),
  }
}

function hiddenWarning<T>(hidden: CompiledEntry<T>, other: CompiledEntry<T>): Problem {
  return {
    severity: 'warning',
    message: `Rule "${hidden.id}" gets no request of the methods that rule "${other.id}" (${placeOf(other)}) has, too: that one matches the same URLs and has a higher priority`,
    hint: 'Narrow the other pattern, or change the priorities.',
    ...urlPlace(hidden),
  }
}

function urlPlace<T>({ locate }: CompiledEntry<T>): Pick<Problem, 'place'> {
  const place = locate(['match', 'url'])
  return place === undefined ? {} : { place }
}

function placeOf<T>(other: CompiledEntry<T>): string {
  return formatPlace(other.locate(['match', 'url']) ?? 'another file')
}
