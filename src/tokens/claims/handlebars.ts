import { ConfigError } from '../../pipeline/contract/config_error.ts'
import type { Exchange } from '../../pipeline/contract/exchange.ts'
import type { Json, JsonObject } from '../../pipeline/contract/values.ts'
import { canonicalJson, digest, sessionFingerprint } from './fingerprint.ts'
import type { Compilation } from './handlebars/expressions.ts'
import { handlebarsData, handlebarsRoots } from './handlebars/data.ts'
import { compileLeaf } from './handlebars/leaf.ts'
import { Budget, type Evaluate } from './handlebars/values.ts'
import type { ReadPath, RenderedClaims, Value } from './template.ts'

export interface HandlebarsOptions {
  /** What a value does that the session does not have: fails the request, or leaves the claim out. */
  readonly missingField: 'error' | 'empty'
}

/** A claims object whose strings are compiled. */
export interface CompiledObject {
  render(data: Value): JsonObject
  readonly reads: readonly ReadPath[]
}

/** Nested deeper, an object is a mistake. */
const maxDepth = 100

/**
 * Claims as an object (YAML or JSON) with Handlebars in its strings; see `handlebarsData` for what they can read.
 * The structure is the author's alone: names are no templates, and whatever a value holds, it stays within its claim.
 * Throws ConfigError with the path to the string inside the object.
 */
export function handlebarsClaims(claims: JsonObject, options: HandlebarsOptions): RenderedClaims {
  const template = compileObject(claims, options, handlebarsRoots)
  const sessionOnly = template.reads.every(([root]) => root === 'subject' || root === 'extra')
  const fingerprintOf = sessionFingerprint(template.reads)
  return {
    identity: digest(['handlebars', options.missingField, canonicalJson(claims)]),
    replacesRegistered: false,
    evaluate: (exchange: Exchange) => template.render(handlebarsData(exchange)),
    fingerprint: ({ session }) => (sessionOnly ? fingerprintOf(session) : undefined),
  }
}

/** Compiles every string of an object. `roots` are the names that may be read; any when absent. Throws ConfigError. */
export function compileObject(
  source: JsonObject,
  { missingField }: HandlebarsOptions,
  roots?: readonly string[],
): CompiledObject {
  const compilation: Compilation = { roots, strict: missingField === 'error', reads: [] }
  const evaluate = compileNode(source, [], compilation)
  return {
    reads: compilation.reads,
    render: (data) =>
      evaluate({
        context: data,
        parent: undefined,
        root: data,
        loop: undefined,
        names: [],
        budget: new Budget(),
      }) as JsonObject,
  }
}

function compileNode(node: Json, path: readonly (string | number)[], compilation: Compilation): Evaluate {
  if (path.length > maxDepth) throw new ConfigError('The claims are nested too deeply', path)
  if (typeof node === 'string') return node.includes('{{') ? compileAt(node, path, compilation) : () => node
  if (typeof node !== 'object' || node === null) return () => node
  if (Array.isArray(node)) {
    const items = node.map((item, index) => compileNode(item, [...path, index], compilation))
    return (scope) => items.map((item) => item(scope)).filter((item) => item !== undefined)
  }
  const members = Object.entries(node).map(
    ([name, value]) => [name, compileNode(value, [...path, name], compilation)] as const,
  )
  return (scope) => {
    // No prototype: a claim may be called __proto__.
    const object = Object.create(null) as JsonObject
    for (const [name, member] of members) {
      const value = member(scope)
      if (value !== undefined) object[name] = value
    }
    return object
  }
}

function compileAt(source: string, path: readonly (string | number)[], compilation: Compilation): Evaluate {
  try {
    return compileLeaf(source, compilation)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(error.message, path, error.hint)
  }
}
