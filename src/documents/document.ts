import { parseDocument as parseYaml } from 'yaml'
import { type Converted, convert, type Spot } from './convert.ts'
import { tooDeep } from './faults.ts'
import type { Environment } from './interpolate.ts'
import { convertJson } from './json.ts'
import type { Locate, Place, Problem } from './problem.ts'
import { type SourceText, sourceText } from './source.ts'
import { offsetWithin } from './within.ts'
import { syntaxProblems } from './yaml_faults.ts'

/** A YAML or JSON text as plain data, which knows where each value stands. */
export interface Document {
  readonly file: string
  /** Strings, finite numbers, booleans, null, arrays and plain objects; never a key named `__proto__`. */
  readonly value: unknown
  readonly locate: Locate
}

export interface ParseOptions {
  /** When given, `${NAME}` and `${NAME:-default}` in values are replaced from it. */
  readonly env?: Environment
}

export interface ParsedDocument {
  /** Absent when there are errors. */
  readonly document?: Document
  /** What could be read in spite of errors: to look for further mistakes in, never to be used. */
  readonly draft?: Document
  readonly problems: readonly Problem[]
}

/**
 * Parses YAML 1.2 (core schema) or JSON, which is a part of it.
 * Never throws: what is wrong with the text comes back as problems, each with its spot in the file.
 */
export function parseDocument(text: string, file: string, options: ParseOptions = {}): ParsedDocument {
  const source = sourceText(file, text)
  const json = convertJson(source, options.env)
  return json === undefined ? parseYamlDocument(source, options) : finish(json, source)
}

function parseYamlDocument(source: SourceText, { env }: ParseOptions): ParsedDocument {
  let tree: ReturnType<typeof parseYaml>
  try {
    tree = parseYaml(source.text, { prettyErrors: false, logLevel: 'error', uniqueKeys: true, merge: false })
  } catch (error) {
    // The parser recurses; a text of nothing but brackets exhausts its stack.
    const message = error instanceof RangeError ? tooDeep : 'The text cannot be read as YAML'
    return { problems: [{ severity: 'error', message, place: source.place(0) }] }
  }
  const problems = syntaxProblems(tree, source)
  if (tree.errors.length > 0) return { problems }
  return finish(convert(tree.contents, source, env), source, problems)
}

function finish(converted: Converted, source: SourceText, told: readonly Problem[] = []): ParsedDocument {
  const problems = [...told, ...converted.problems]
  const document = { file: source.file, value: converted.value, locate: locator(converted.spot, source) }
  return converted.problems.length === 0 ? { document, problems } : { draft: document, problems }
}

/** Positions are looked up in a tree of offsets; lines are only counted when a problem is told. */
function locator(root: Spot, source: SourceText): Locate {
  return (path, on = 'value'): Place => {
    let spot = root
    let offset = root.offset
    let reached = 0
    for (const [index, step] of path.entries()) {
      const entry = spot.children?.get(step)
      // A value that is not there is missed where it belongs: in its nearest parent.
      if (entry === undefined) break
      offset = on === 'key' && index === path.length - 1 ? entry.key : entry.spot.offset
      spot = entry.spot
      reached = index + 1
    }
    return source.place(typeof on === 'string' || reached < path.length ? offset : offsetWithin(source, offset, on))
  }
}
