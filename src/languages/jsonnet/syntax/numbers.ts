import { JsonnetSyntaxError } from '../errors.ts'
import type { Source } from './source.ts'

/** The offset after the number that starts there: an integer, a fraction, an exponent, with `_` between digits. */
export function lexNumber(source: Source, from: number): number {
  const { text } = source
  const leadingZero = text.charAt(from) === '0' && text.charAt(from + 1) !== '_'
  let at = leadingZero ? from + 1 : endOfDigits(source, from)
  if (text.charAt(at) === '.') at = endOfDigits(source, at + 1)
  if (text.charAt(at) === 'e' || text.charAt(at) === 'E') {
    at++
    if (text.charAt(at) === '+' || text.charAt(at) === '-') at++
    at = endOfDigits(source, at)
  }
  return at
}

/** The number that such a text stands for. */
export function numberValue(text: string): number {
  return Number(text.replaceAll('_', ''))
}

function endOfDigits(source: Source, from: number): number {
  let at = from
  for (;;) {
    const char = source.text.charAt(at)
    const next = source.text.charAt(at + 1)
    if (isDigit(char)) at++
    else if (char === '_' && at > from && isDigit(next)) at++
    else if (at > from && char !== '_') return at
    else throw new JsonnetSyntaxError('Could not lex the number: a digit is missing', source, at)
  }
}

const isDigit = (char: string): boolean => char >= '0' && char <= '9'
