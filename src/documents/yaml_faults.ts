/** What the YAML parser says, in the words of people who write configs, and no more than once for one mistake. */
import { type CST, type Document as YamlDocument, Parser } from 'yaml'
import { repeatedKey, tooDeep } from './faults.ts'
import type { Problem } from './problem.ts'
import type { SourceText } from './source.ts'

/** One slip makes a parser stumble over all that follows; the first few faults are those that tell. */
const maxFaults = 5

interface Fault {
  readonly code: string
  readonly message: string
  readonly pos: readonly [number, number]
}
type Told = Pick<Problem, 'message' | 'hint'>

/** Errors and warnings of a parsed text, one for each line at most; an error for every text that has one. */
export function syntaxProblems(tree: Pick<YamlDocument.Parsed, 'errors' | 'warnings'>, source: SourceText): Problem[] {
  const exhausted = tree.errors.find(({ code }) => code === 'RESOURCE_EXHAUSTION')
  if (exhausted !== undefined) return [problemOf('error', exhausted, source)]
  const unclosed = tree.errors.some(({ message }) => isUnclosed(message)) ? unclosedAt(source.text) : undefined
  const errors: Problem[] =
    unclosed === undefined
      ? firstOfEachLine(tree.errors.map((error) => problemOf('error', error, source)))
      : // Whatever follows is its consequence.
        [{ severity: 'error', ...neverClosed(unclosed.opener), place: source.place(unclosed.offset) }]
  return [...errors, ...tree.warnings.slice(0, maxFaults).map((warning) => problemOf('warning', warning, source))]
}

function firstOfEachLine(problems: readonly Problem[]): Problem[] {
  const lines = new Set<number>()
  return problems
    .filter(({ place }) => {
      if (typeof place !== 'object') return true
      const isFirst = !lines.has(place.line)
      lines.add(place.line)
      return isFirst
    })
    .slice(0, maxFaults)
}

function problemOf(severity: Problem['severity'], fault: Fault, source: SourceText): Problem {
  const place = source.place(fault.pos[0])
  return { severity, ...tell(fault, source.text[fault.pos[0]] ?? ''), place }
}

function tell({ code, message }: Fault, character: string): Told {
  switch (code) {
    case 'DUPLICATE_KEY':
      return repeatedKey
    case 'MULTIPLE_DOCS':
      return { message: 'A file holds one document, but a second one begins here' }
    case 'TAB_AS_INDENT':
      return { message: 'YAML does not allow tabs as indentation', hint: 'Indent with spaces.' }
    case 'RESOURCE_EXHAUSTION':
      return { message: tooDeep }
    case 'BAD_SCALAR_START':
      return { message: `Text cannot begin with "${character}" unless it is in quotes`, hint: 'Put it in quotes.' }
    case 'UNEXPECTED_TOKEN':
      if (!message.startsWith('Unexpected ')) return { message }
      return character === ']' || character === '}'
        ? { message: `This "${character}" closes nothing` }
        : { message: 'This does not belong here', hint: 'Is a comma, a colon or a line break missing before it?' }
    default:
      return known[message] ?? { message }
  }
}

/** By the parser's own words: several of them share a code. */
const known: Readonly<Record<string, Told>> = {
  'All mapping items must start at the same column': {
    message: 'This key is not in the same column as the others of its map',
    hint: 'Indent all keys of a map alike.',
  },
  'All sequence items must start at the same column': {
    message: 'This item is not in the same column as the others of its list',
    hint: 'Indent all items of a list alike.',
  },
  'Nested mappings are not allowed in compact mappings': {
    message: 'One line holds two keys',
    hint: 'Put text that contains ": " in quotes.',
  },
  'Block collections are not allowed within flow collections': {
    message: 'Something is missing between this and what follows',
    hint: 'Between brackets or braces entries are separated by commas.',
  },
  'Implicit map keys need to be followed by map values': {
    message: 'This is no key: no ":" follows',
    hint: 'A key is followed by a colon and a space.',
  },
}

const isUnclosed = (message: string): boolean => /^(?:Flow (?:map|sequence) |Missing closing )/.test(message)

const closers: Readonly<Record<string, string>> = { '[': ']', '{': '}' }

function neverClosed(opener: string): Told {
  const closer = closers[opener] ?? opener
  return { message: `This ${opener} is never closed`, hint: `Add the ${closer} where it belongs.` }
}

interface Opening {
  readonly opener: string
  readonly offset: number
}

/** The innermost bracket, brace or quote that opens something and is not followed by its counterpart. */
function unclosedAt(text: string): Opening | undefined {
  for (const token of new Parser().parse(text)) {
    const opening = token.type === 'document' ? unclosedIn(token.value) : undefined
    if (opening !== undefined) return opening
  }
  return undefined
}

function unclosedIn(token: CST.Token | null | undefined): Opening | undefined {
  if (token === null || token === undefined) return undefined
  if (token.type === 'double-quoted-scalar' || token.type === 'single-quoted-scalar') {
    const opener = token.source[0] ?? ''
    return token.source.length > 1 && token.source.endsWith(opener) ? undefined : { opener, offset: token.offset }
  }
  if (!('items' in token)) return undefined
  for (const { key, value } of token.items as readonly CST.CollectionItem[]) {
    const opening = unclosedIn(key) ?? unclosedIn(value)
    if (opening !== undefined) return opening
  }
  if (token.type !== 'flow-collection') return undefined
  const closer = closers[token.start.source]
  const isClosed = token.end.some(({ source }) => source === closer)
  return isClosed ? undefined : { opener: token.start.source, offset: token.offset }
}
