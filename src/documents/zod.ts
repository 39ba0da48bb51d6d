/** From zod's issues to problems that people can act on: where it is, what it must be, what was probably meant. */
import type { z } from 'zod'
import { jsonSchemaOf, keysAt, requiredAt, type JsonSchema } from './json_schema.ts'
import type { Locate, Path, Problem } from './problem.ts'
import { closest } from './suggest.ts'

type Issue = z.core.$ZodIssue

export type Validated<T> =
  | { readonly valid: true; readonly value: T; readonly problems: readonly Problem[] }
  | { readonly valid: false; readonly problems: readonly Problem[] }

/**
 * Checks a value and says everything that is wrong with it. Never repeats values, which may come from secret variables.
 * `locate` finds the parts of this value; `at` is the value's own path, by which messages name it.
 *
 * A message that a schema brings itself is used as a whole sentence when it begins with a capital letter,
 * else as what the key must be (`must be a duration …`).
 */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  locate: Locate,
  at: Path = [],
): Validated<z.output<Schema>> {
  // Empty messages tell zod's own wording, which is replaced, from that of a schema's author. A schema made into code pays
  // only when it checks more than a start does.
  const parsed = schema.safeParse(value, { error: () => '', jitless: true })
  if (parsed.success) return { valid: true, value: parsed.data, problems: [] }
  const root = jsonSchemaOf(schema)
  const issues = parsed.error.issues.flatMap((issue) => settle(issue, []))
  return { valid: false, problems: issues.flatMap((issue) => explain(issue, { value, locate, at, root })) }
}

interface Context {
  readonly value: unknown
  readonly locate: Locate
  readonly at: Path
  readonly root: JsonSchema
}

/** An issue with its whole path; a union has become the issues of its best fitting branch. */
interface Settled {
  readonly issue: Issue
  readonly path: Path
  /** What a union takes when no branch fits even remotely. */
  readonly expected?: readonly string[]
}

function settle(issue: Issue, parent: Path): Settled[] {
  const path = [...parent, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))]
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ issue, path }]
  const branches = issue.errors.map((issues) => issues.flatMap((inner) => settle(inner, path)))
  const fitting = branches.filter((branch) => !branch.some((inner) => isMismatch(inner, path)))
  if (fitting.length === 0) {
    const expected = branches.flat().flatMap((inner) => inner.expected ?? expectation(inner.issue))
    return [{ issue, path, expected: [...new Set(expected)] }]
  }
  return fitting.reduce((best, branch) => (cost(branch) < cost(best) ? branch : best))
}

/** Whether a union's branch is for another kind of value altogether. */
function isMismatch({ issue, path }: Settled, union: Path): boolean {
  return path.length === union.length && ['invalid_type', 'invalid_value', 'invalid_union'].includes(issue.code)
}

/** How badly a branch fits: a wrong fixed value speaks most against it, then keys that it lacks or does not know. */
function cost(branch: readonly Settled[]): number {
  const weights: Partial<Record<Issue['code'], number>> = { invalid_value: 10, invalid_type: 3 }
  return branch.reduce(
    (sum, { issue }) => sum + (issue.code === 'unrecognized_keys' ? 3 * issue.keys.length : (weights[issue.code] ?? 1)),
    0,
  )
}

function explain(settled: Settled, context: Context): Problem[] {
  const { issue, path } = settled
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(key, path, context))
  if (issue.code === 'invalid_key') return [badKey(issue, path, context)]
  const place = context.locate(path)
  const subject = path.length + context.at.length === 0 ? 'The document' : `"${pathText([...context.at, ...path])}"`
  const problem = (message: string, hint?: string): Problem => ({
    severity: 'error',
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(place === undefined ? {} : { place }),
  })
  const missing = lookUp(context.value, path) === undefined
  if (missing && issue.code !== 'custom') {
    const required = requiredAt(context.root, path)
    const list = required.map((key) => `"${key}"`).join(', ')
    return [problem(`${subject} is missing`, required.length === 0 ? undefined : `It needs ${list}.`)]
  }
  if (issue.message !== '')
    return [problem(/^\p{Lu}/u.test(issue.message) ? issue.message : `${subject} ${issue.message}`)]
  return [
    problem(
      `${subject} ${requirement(settled, lookUp(context.value, path))}`,
      suggestion(issue, lookUp(context.value, path)),
    ),
  ]
}

function unknownKey(key: string, path: Path, { locate, at, root }: Context): Problem {
  const keys = keysAt(root, path)
  const meant = closest(key, keys)
  const where = path.length + at.length === 0 ? '' : ` in "${pathText([...at, ...path])}"`
  const allowed = keys.length === 0 ? 'No keys are allowed here.' : `Allowed here: ${keys.join(', ')}.`
  const place = locate([...path, key], 'key')
  return {
    severity: 'error',
    message: `Unknown key "${key}"${where}`,
    hint: meant === undefined ? allowed : `Did you mean "${meant}"?`,
    ...(place === undefined ? {} : { place }),
  }
}

function badKey(issue: z.core.$ZodIssueInvalidKey, path: Path, { locate }: Context): Problem {
  const [inner] = issue.issues
  const why = inner === undefined || inner.message === '' ? 'is not allowed here' : inner.message
  const place = locate(path, 'key')
  return {
    severity: 'error',
    message: `The key "${String(path.at(-1))}" ${why}`,
    ...(place === undefined ? {} : { place }),
  }
}

function requirement({ issue, expected }: Settled, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
    case 'invalid_value':
      return `must be ${orList(expectation(issue))}${received(issue, value)}`
    case 'invalid_union': {
      const options = expected ?? discriminants(issue)
      return options.length === 0 ? 'is not valid' : `must be ${orList(options)}`
    }
    case 'too_small':
      return `must ${bound(issue.origin, issue.exact === true ? '' : issue.inclusive === false ? 'more than ' : 'at least ', issue.minimum)}`
    case 'too_big':
      return `must ${bound(issue.origin, issue.exact === true ? '' : issue.inclusive === false ? 'less than ' : 'at most ', issue.maximum)}`
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`
    case 'invalid_format':
      if (issue.format === 'url') return 'must be an absolute URL, such as "http://127.0.0.1:4433/"'
      return issue.format === 'regex' ? `must match ${issue.pattern ?? 'a pattern'}` : `must be a valid ${issue.format}`
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
    default:
      return 'is not valid'
  }
}

/** The values that tell the branches of a union apart; zod carries them without saying so in its types. */
function discriminants(issue: Issue): string[] {
  const { options } = issue as { readonly options?: readonly unknown[] }
  return (options ?? []).filter((option) => option !== undefined).map(literal)
}

const nouns: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
  null: 'null',
}

function expectation(issue: Issue): string[] {
  if (issue.code === 'invalid_type') return [nouns[issue.expected] ?? issue.expected]
  return issue.code === 'invalid_value' ? issue.values.map(literal) : []
}

/** Names what is there instead, where that helps: not after a list of fixed values, which speaks for itself. */
function received(issue: Issue, value: unknown): string {
  if (issue.code === 'invalid_value') return ''
  if (value === null) return ', but is empty'
  if (typeof value === 'boolean') return `, not ${value}`
  const kind = Array.isArray(value) ? 'array' : typeof value
  // A fraction where a whole number is wanted is a number, too: naming its kind would say nothing.
  const known = kind === 'number' && expectation(issue).includes('a whole number')
  return known ? '' : `, not ${nouns[kind] ?? kind}`
}

function bound(origin: string, relation: string, limit: number | bigint): string {
  const unit = origin === 'string' ? 'character' : origin === 'array' || origin === 'set' ? 'item' : undefined
  return unit === undefined
    ? `be ${relation}${limit}`
    : `have ${relation}${limit} ${unit}${Number(limit) === 1 ? '' : 's'}`
}

function suggestion(issue: Issue, value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  if (issue.code === 'invalid_type' && ['number', 'int', 'boolean'].includes(issue.expected)) {
    return /^(-?\d+(\.\d+)?|true|false)$/.test(value) ? 'Write it without quotes.' : undefined
  }
  if (issue.code !== 'invalid_value') return undefined
  const meant = closest(
    value,
    issue.values.filter((option) => typeof option === 'string'),
  )
  return meant === undefined ? undefined : `Did you mean "${meant}"?`
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : String(value)
}

function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

function lookUp(value: unknown, path: Path): unknown {
  let current = value
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return undefined
    current = (current as Record<string | number, unknown>)[step]
  }
  return current
}

/** A path as people write it: `errors.handlers.json.config.when[0]`. */
function pathText(path: Path): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('')
}
