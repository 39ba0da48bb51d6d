import type { Problem } from './problem.ts'
import type { SourceText } from './source.ts'

/** Environment variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

// Only names that begin like a variable's count, so that `^a${1,2}` or a template's `${x}` stay what they are.
const reference = /\$?\$\{([A-Z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g

export interface Interpolated {
  readonly text: string
  /** Names that are neither set nor have a default, in order. */
  readonly missing: readonly string[]
}

/**
 * Puts environment variables in the place of `${NAME}` and `${NAME:-default}`; as in a shell, the default also stands in
 * for an empty variable. `$${NAME}` is a literal `${NAME}`.
 */
export function interpolate(text: string, env: Environment): Interpolated {
  if (!text.includes('${')) return { text, missing: [] }
  const missing: string[] = []
  const replaced = text.replaceAll(reference, (match: string, name: string, fallback: string | undefined) => {
    if (match.startsWith('$$')) return match.slice(1)
    const value = Object.hasOwn(env, name) ? env[name] : undefined
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value
    if (value === undefined) missing.push(name)
    return value ?? ''
  })
  return { text: replaced, missing }
}

/** Whether the whole text is one reference, so that its value may be a number or a boolean. */
function isSingleReference(text: string): boolean {
  const [match] = text.matchAll(reference)
  return match !== undefined && match[0].length === text.length && !text.startsWith('$$')
}

/**
 * Reads a variable's text as YAML reads a plain scalar, but only where nothing is lost: `8080` becomes a number, a secret
 * such as `007` or `1e9` stays text.
 */
export function readScalar(text: string): string | number | boolean {
  if (text === 'true') return true
  if (text === 'false') return false
  const number = Number(text)
  return text !== '' && Number.isFinite(number) && String(number) === text ? number : text
}

/**
 * The value of a text in a document, with its variables replaced.
 * @param typed whether a text that is one reference may become a number or a boolean
 * @param missing told each variable once that is neither set nor has a default
 */
export function substitute(
  value: string,
  env: Environment,
  typed: boolean,
  missing: (name: string) => void,
): string | number | boolean {
  const replaced = interpolate(value, env)
  for (const name of new Set(replaced.missing)) missing(name)
  return typed && isSingleReference(value) ? readScalar(replaced.text) : replaced.text
}

/** The problem of a variable that is not set, at its place inside the value between two offsets. */
export function missingVariable(name: string, source: SourceText, start: number, end: number): Problem {
  const spot = source.text.indexOf(`\${${name}}`, start)
  return {
    severity: 'error',
    message: `The environment variable ${name} is not set`,
    hint: `Set it, or give a default: \${${name}:-…}. A literal \${${name}} is written $\${${name}}.`,
    place: source.place(spot !== -1 && spot < end ? spot : start),
  }
}
