import { JsonnetSyntaxError } from '../errors.ts'
import type { Source } from './source.ts'
import { lexNumber } from './numbers.ts'
import { lexQuoted, lexTextBlock, lexVerbatim, type Lexeme } from './strings.ts'

export type TokenKind = 'identifier' | 'keyword' | 'number' | 'string' | 'operator' | 'symbol' | 'end'

export interface Token {
  readonly kind: TokenKind
  /** As written; for a string the value, for a number the digits. */
  readonly text: string
  readonly at: number
  /** A string of the `|||` form. */
  readonly block?: boolean
}

const KEYWORDS: ReadonlySet<string> = new Set([
  'assert',
  'else',
  'error',
  'false',
  'for',
  'function',
  'if',
  'import',
  'importstr',
  'importbin',
  'in',
  'local',
  'null',
  'self',
  'super',
  'tailstrict',
  'then',
  'true',
])

const SYMBOLS: ReadonlySet<string> = new Set(['{', '}', '[', ']', ',', '.', '(', ')', ';'])
const OPERATOR = '!$:~+-&|^=<>*/%'
/** No operator is longer; so a run of a million signs is not looked at a million times. */
const LONGEST_OPERATOR = 6
/** What a longer operator cannot end in, as it begins an operand. */
const PREFIX = '+-~!$'

/** All tokens of a source, the last one of kind `end`. */
export function tokenize(source: Source): readonly Token[] {
  const { text } = source
  const tokens: Token[] = []
  let at = 0
  const push = (kind: TokenKind, end: number, value = text.slice(at, end)): void => {
    tokens.push({ kind, text: value, at })
    at = end
  }
  const pushString = (lexeme: Lexeme, block = false): void => {
    tokens.push({ kind: 'string', text: lexeme.value, at, block })
    at = lexeme.end
  }
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === ' ' || char === '\t' || char === '\n' || char === '\r') at++
    else if (char === '#' || text.startsWith('//', at)) at = endOfLine(text, at)
    else if (text.startsWith('/*', at)) at = endOfComment(source, at)
    else if (SYMBOLS.has(char)) push('symbol', at + 1)
    else if (isDigit(char)) push('number', lexNumber(source, at))
    else if (isLetter(char)) {
      const end = endOfWord(text, at)
      push(KEYWORDS.has(text.slice(at, end)) ? 'keyword' : 'identifier', end)
    } else if (char === '"' || char === "'") pushString(lexQuoted(source, at))
    else if (char === '@') pushString(lexVerbatim(source, at))
    else if (text.startsWith('|||', at)) pushString(lexTextBlock(source, at), true)
    else if (OPERATOR.includes(char)) push('operator', endOfOperator(text, at))
    else {
      const shown = String.fromCodePoint(text.codePointAt(at) ?? 0)
      throw new JsonnetSyntaxError(`Could not lex the character ${JSON.stringify(shown)}`, source, at)
    }
  }
  push('end', at, 'end of file')
  return tokens
}

const isDigit = (char: string): boolean => char >= '0' && char <= '9'
const isLetter = (char: string): boolean => (char >= 'a' && char <= 'z') || (char >= 'A' && char <= 'Z') || char === '_'

function endOfWord(text: string, from: number): number {
  let end = from
  while (end < text.length && (isLetter(text.charAt(end)) || isDigit(text.charAt(end)))) end++
  return end
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end === -1 ? text.length : end
}

function endOfComment(source: Source, from: number): number {
  const end = source.text.indexOf('*/', from + 2)
  if (end === -1) throw new JsonnetSyntaxError('Multi-line comment has no terminating */', source, from)
  return end + 2
}

function endOfOperator(text: string, from: number): number {
  let end = from
  while (end < from + LONGEST_OPERATOR && end < text.length && OPERATOR.includes(text.charAt(end))) {
    if (end > from && (text.startsWith('//', end) || text.startsWith('/*', end) || text.startsWith('|||', end))) break
    end++
  }
  while (end > from + 1 && PREFIX.includes(text.charAt(end - 1))) end--
  return end
}
