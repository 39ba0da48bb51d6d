import { parseAllDocuments } from 'yaml'
import { Fault } from '../errors.ts'
import { fromJson, type Json } from '../runtime/json.ts'
import type { Run } from '../runtime/run.ts'
import { force, type Value } from '../runtime/values.ts'
import { string } from './args.ts'
import { type Members, native } from './spec.ts'

/** YAML is parsed by a library whose time grows faster than the text, so less of it is taken. */
const MAX_YAML = 16_384
/** How deep parsed text may nest. */
const MAX_DEPTH = 200

function parseJson(text: string, run: Run): Value {
  run.allocate(text.length >>> 1)
  checkNesting(text, /[[{]/g, /[\]}]/g)
  try {
    return force(fromJson(JSON.parse(text) as Json), run)
  } catch (error) {
    if (error instanceof SyntaxError) throw new Fault('failed to parse JSON')
    throw error
  }
}

/** Counts brackets, those in strings too: an estimate that never says too little. */
function checkNesting(text: string, open: RegExp, close: RegExp): void {
  const opened = text.match(open)?.length ?? 0
  if (opened <= MAX_DEPTH) return
  let depth = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === '\\' && inString) at++
    else if (char === '"') inString = !inString
    else if (!inString && open.test(char)) depth++
    else if (!inString && close.test(char)) depth--
    open.lastIndex = 0
    close.lastIndex = 0
    if (depth > MAX_DEPTH) throw new Fault(`the text nests deeper than ${MAX_DEPTH}`)
  }
}

/** One document as it is, several as a list. */
function parseYaml(text: string, run: Run): Value {
  if (text.length > MAX_YAML) throw new Fault(`the YAML is longer than ${MAX_YAML} characters`)
  run.allocate(text.length)
  run.spend(text.length * 8)
  checkYamlNesting(text)
  const stream = parseAllDocuments(text, { version: '1.2', uniqueKeys: false, logLevel: 'silent', prettyErrors: false })
  const documents = Array.from(stream).map((document): Json => {
    const [error] = document.errors
    if (error !== undefined) throw new Fault(`failed to parse YAML: ${error.code}`)
    try {
      return plain(document.toJS({ maxAliasCount: 100 }), 0)
    } catch (cause) {
      if (cause instanceof ReferenceError)
        throw new Fault('failed to parse YAML: too many aliases, or one without anchor')
      throw cause
    }
  })
  const [only = null] = documents
  return force(fromJson(documents.length > 1 || /^---(?:\s|$)/.test(text) ? documents : only), run)
}

/** A line cannot open more levels than it has characters that do so; the parser recurses for each. */
function checkYamlNesting(text: string): void {
  for (const line of text.split('\n')) {
    const width = line.search(/[^ ]/)
    const openers = line.match(/[[{]|- |\? |: /g)?.length ?? 0
    if (width > MAX_DEPTH * 4 || openers > MAX_DEPTH) throw new Fault(`the text nests deeper than ${MAX_DEPTH}`)
  }
}

/** What YAML gives beyond JSON becomes text, or fails. */
function plain(value: unknown, depth: number): Json {
  if (depth > MAX_DEPTH) throw new Fault(`the text nests deeper than ${MAX_DEPTH}`)
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1))
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([name, member]) => [name, plain(member, depth + 1)] as const)
    return Object.fromEntries(entries)
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Fault('YAML numbers must be finite')
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  return null
}

export const parsers: Members = {
  parseJson: native(['str'], (args, run) => parseJson(string(args, 0, run), run)),
  parseYaml: native(['str'], (args, run) => parseYaml(string(args, 0, run), run)),
}
