import { isDigit, isLetter, isLower, isSpace, isUpper, toLower, toUpper } from './text.ts'

const isConnector = (char: string): boolean => char === '-' || char === '_' || isSpace(char)
const isPunctuation = (char: string): boolean => /^\p{P}$/u.test(char)

interface Piece {
  kind: 'number' | 'capital' | 'small' | 'connector' | 'punctuation' | 'other' | 'end'
  text: string
}

const end: Piece = { kind: 'end', text: '' }

function kindOf(char: string): Piece['kind'] {
  if (isConnector(char)) return 'connector'
  if (isPunctuation(char)) return 'punctuation'
  if (isUpper(char)) return 'capital'
  if (isLetter(char)) return 'small'
  return isDigit(char) ? 'number' : 'other'
}

/** Cuts a name into runs of one kind; `HTTPServer` into `HTTP` and `Server`. */
function pieces(name: string): Piece[] {
  const found: Piece[] = []
  const chars = Array.from(name)
  let last: Piece | undefined
  for (const [index, char] of chars.entries()) {
    const kind = kindOf(char)
    // the last capital of a run belongs to the small letters behind it
    const startsWord = kind === 'capital' && last?.kind === 'capital' && isLower(chars[index + 1] ?? '')
    const afterSmall = kind === 'capital' && last !== undefined && isLower(last.text.at(-1) ?? '')
    const joins = last?.kind === kind || (kind === 'small' && last?.kind === 'capital')
    if (last !== undefined && joins && !startsWord && !afterSmall) last.text += char
    else {
      last = { kind, text: char }
      found.push(last)
    }
  }
  return found
}

const standsAlone = (piece: Piece): boolean => ['connector', 'punctuation', 'end'].includes(piece.kind)

/**
 * Joins the words of a name of any style by a connector, in small letters: `NoHTTPS` is `no_https`.
 * A number belongs to the word before it, unless small letters follow it: `Bld4Floor3rd` is `bld4_floor_3rd`.
 */
export function connectWords(name: string, connector: string): string {
  const list = pieces(name)
  let out = ''
  let at = 0
  const peek = (ahead = 0): Piece => list[at + ahead] ?? end
  const take = (): void => {
    const { kind, text } = peek()
    out += kind === 'connector' ? connector.repeat(Array.from(text).length) : toLower(text)
    at++
  }
  const takeNumbered = (): void => {
    take()
    while (peek().kind === 'small' || peek().kind === 'number') take()
  }
  while (at < list.length) {
    const { kind } = peek()
    if (kind === 'connector' || kind === 'punctuation') {
      take()
      continue
    }
    if (kind === 'number') takeNumbered()
    else {
      take()
      if (peek().kind === 'number') {
        if (peek(1).kind === 'small') {
          out += connector
          takeNumbered()
        } else take()
      }
    }
    if (!standsAlone(peek())) out += connector
  }
  return out
}

/** Joins the words of a name with a capital each; connectors at its ends stay: `http_server` is `HttpServer`. */
export function pascalCase(name: string): string {
  const chars = Array.from(name)
  let at = 0
  while (at < chars.length && isConnector(chars[at] as string)) at++
  let out = chars.slice(0, at).join('')
  if (at === chars.length) return out + (chars.at(-1) ?? '')
  // capitals that follow a capital at the start of a word become small: GOLANG_IS is GolangIs
  let inCapitals = isUpper(chars[at] as string)
  out += toUpper(chars[at] as string)
  for (at++; at < chars.length; at++) {
    const char = chars[at] as string
    const before = chars[at - 1] as string
    if (isConnector(char)) {
      // of several connectors all but the last stay, and one at the end does
      if (isConnector(before)) out += before
      if (at === chars.length - 1) out += char
    } else if (isConnector(before)) {
      inCapitals = isUpper(char)
      out += toUpper(char)
    } else {
      inCapitals &&= isUpper(char)
      out += inCapitals ? toLower(char) : char
    }
  }
  return out
}
