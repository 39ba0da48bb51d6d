import { Budget } from './budget.ts'
import { GjsonPathError } from './errors.ts'
import { Evaluator } from './evaluator.ts'
import { arrayIndex, isArray, isObject, member } from './values.ts'

const MAX_PATH_LENGTH = 4096
/** What a session document of the largest sensible size needs many times over. */
const MAX_VISITS = 1_000_000

/** A compiled path. */
export interface GjsonPath {
  readonly source: string
  /**
   * @param document a JSON value as `JSON.parse` gives it
   * @returns what the path leads to, which may be part of the document itself; undefined when there is nothing
   * @throws GjsonLimitError when the document makes the path too much work
   */
  get(document: unknown): unknown
}

/**
 * Compiles a path of gjson (v1.18.0). A path that makes no sense finds nothing, as there.
 * @throws GjsonPathError for a path of more than 4096 characters
 */
export function compileGjson(source: string): GjsonPath {
  if (source.length > MAX_PATH_LENGTH) throw new GjsonPathError(`a path of more than ${MAX_PATH_LENGTH} characters`)
  if (source === '@this') return { source, get: (document) => document }
  if (isPlain(source)) {
    const parts = source.split('.').map((part) => ({ part, index: arrayIndex(part) }))
    return { source, get: (document) => follow(document, parts) }
  }
  const evaluator = new Evaluator()
  return { source, get: (document) => evaluator.get(document, source, new Budget(MAX_VISITS)) }
}

/** Names and indexes with dots between, nothing else. */
function isPlain(source: string): boolean {
  return !source.startsWith('..') && !/[\\*?#|@!{}[\]()]/.test(source)
}

function follow(document: unknown, parts: readonly { part: string; index: number }[]): unknown {
  let value = document
  for (const { part, index } of parts) {
    if (isArray(value)) value = index < 0 ? undefined : value[index]
    else value = isObject(value) ? member(value, part) : undefined
  }
  return value
}
