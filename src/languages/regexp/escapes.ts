import { isDigit, type Scanner } from './scanner.ts'
import { isWord, unicodeProperty, type CodePointTest } from './unicode.ts'

const MAX_CODE_POINT = 0x10ffff

const SIMPLE = new Map([
  ['a', 0x07],
  ['b', 0x08],
  ['e', 0x1b],
  ['f', 0x0c],
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
  ['v', 0x0b],
])

/** The escapes that stand for one character, `\n`, `\x41`, `\u0041`, `\x{1F600}`, `\033`, `\cA`, `\.`; behind the `\`. */
export function scanCharacterEscape(scanner: Scanner): number {
  const code = scanner.next()
  if (code === -1) scanner.fail('a \\ at the end')
  if (code >= 0x30 && code <= 0x37) {
    scanner.position--
    return scanOctal(scanner)
  }
  const letter = String.fromCodePoint(code)
  const simple = SIMPLE.get(letter)
  if (simple !== undefined) return simple
  if (letter === 'x') return scanner.take('{') ? scanBracedHex(scanner) : scanHex(scanner, 2)
  if (letter === 'u') return scanHex(scanner, 4)
  if (letter === 'c') return scanControl(scanner)
  if (isWord(code)) scanner.fail(`unrecognized escape sequence \\${letter}`)
  return code
}

/** Up to three octal digits; the high bits of more than 0377 are lost. */
function scanOctal(scanner: Scanner): number {
  let value = 0
  for (let digits = 0; digits < 3; digits++) {
    const code = scanner.peek()
    if (code < 0x30 || code > 0x37) break
    value = value * 8 + code - 0x30
    scanner.position++
  }
  return value & 0xff
}

function hexDigit(code: number): number {
  if (isDigit(code)) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1
}

function scanHex(scanner: Scanner, digits: number): number {
  let value = 0
  for (let i = 0; i < digits; i++) {
    const digit = hexDigit(scanner.next())
    if (digit === -1) scanner.fail('insufficient hexadecimal digits')
    value = value * 16 + digit
  }
  return value
}

function scanBracedHex(scanner: Scanner): number {
  if (scanner.at('}')) scanner.fail('insufficient hexadecimal digits')
  let value = 0
  while (!scanner.take('}')) {
    const digit = hexDigit(scanner.next())
    if (digit === -1) scanner.fail('missing closing }')
    value = value * 16 + digit
    if (value > MAX_CODE_POINT) scanner.fail('a code point cannot be larger than 10FFFF')
  }
  return value
}

function scanControl(scanner: Scanner): number {
  let code = scanner.next()
  if (code === -1) scanner.fail('missing control character')
  if (code >= 0x61 && code <= 0x7a) code -= 0x20
  code -= 0x40
  if (code < 0 || code >= 0x20) scanner.fail('unrecognized control character')
  return code
}

/** `{Name}` behind `\p` or `\P`. */
export function scanProperty(scanner: Scanner): { name: string; test: CodePointTest } {
  if (!scanner.take('{')) scanner.fail('malformed \\p{X} character escape')
  const name = scanner.word(true)
  if (!scanner.take('}')) scanner.fail('incomplete \\p{X} character escape')
  const test = unicodeProperty(name)
  if (test === undefined) scanner.fail(`unknown unicode category, script, or property '${name}'`)
  return { name, test }
}
