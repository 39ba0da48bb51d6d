import { randomBytes } from 'node:crypto'
import { compile } from './compile/compile.ts'
import type { Host } from './functions/spec.ts'
import { createLookup } from './functions/unsafe/lookup.ts'
import { defaultLimits, type Limits } from './limits.ts'
import type { GoValue } from './values/value.ts'

export { allowableIn, unsafeFunctions } from './functions/unsafe/unsafe.ts'
export { TemplateExecError, TemplateSuspended, TemplateSyntaxError } from './errors.ts'
export type { Host } from './functions/spec.ts'
export { defaultLimits, type Limits } from './limits.ts'
export { canonicalHeaderName, httpHeader, urlValues } from './std/header.ts'
export { goUrl, type UrlParts } from './std/url.ts'
export { GoStruct, structType, type StructType } from './values/struct.ts'
export { GoMap, type GoMethod, type GoRecord, type GoValue, nilList, nilMap, typedSlice } from './values/value.ts'

export interface CompileOptions {
  /**
   * `text` (the default) writes the output as Go does. `json` keeps the structure to the template's own text:
   * what an action puts into a JSON string is escaped for it, and what it puts elsewhere must be one JSON value.
   */
  readonly output?: 'text' | 'json'
  /** Whether a missing map key may reach the output (`empty`, the default, as in Go) or is an error that names it. */
  readonly missingField?: 'empty' | 'error'
  /** Unsafe functions that are allowed all the same, by name: some of `unsafeFunctions`. */
  readonly functions?: readonly string[]
  /** Limits that differ from the defaults. */
  readonly limits?: Partial<Limits>
  /** Clock, random numbers, environment and DNS, where they differ from the process's own. */
  readonly host?: Partial<Host>
}

/** A compiled template; immutable, may be rendered any number of times. */
export interface Template {
  /**
   * Renders the template.
   * @param data what `.` is: decoded JSON, or a struct made by `structType`; never changed
   * @throws TemplateExecError; with `getHostByName` allowed TemplateSuspended; and nothing else
   */
  render(data: GoValue): string
  /**
   * The parts of the data that the template may read, as field paths from the root; a path covers all under it.
   * `[[]]` when it may read all.
   */
  readonly reads: readonly (readonly string[])[]
  /** Whether two renders of the same data can differ: the template uses the clock, random numbers or the environment. */
  readonly volatile: boolean
}

const host: Host = {
  now: Date.now,
  randomBytes: (length) => randomBytes(length),
  env: (name) => process.env[name],
  lookup: createLookup(),
}

/**
 * Compiles a template in the language of Go's text/template, with sprig's functions and Oathkeeper's `print`
 * and `printIndex`; missing keys behave as with `missingkey=zero`.
 * @param source the template text
 * @throws TemplateSyntaxError with line and column when the text is malformed, or uses a function that is not allowed
 */
export function compileTemplate(source: string, options: CompileOptions = {}): Template {
  return compile(source, {
    json: options.output === 'json',
    strict: options.missingField === 'error',
    allowed: new Set(options.functions),
    limits: { ...defaultLimits, ...options.limits },
    host: { ...host, ...options.host },
  })
}
