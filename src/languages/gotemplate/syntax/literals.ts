import type { NumberLiteral } from './ast.ts'

const simpleEscapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
}

/**
 * Reads a Go string or character literal, quotes included (Go specification, "String literals").
 * @returns the value, or undefined when the literal is malformed
 */
export function unquote(literal: string): string | undefined {
  const quote = literal[0]
  const body = literal.slice(1, -1)
  if (quote === '`') return body.replaceAll('\r', '')
  if (!body.includes('\\')) return body
  // \x and octal escapes give bytes, so text is collected as UTF-8
  const bytes: Buffer[] = []
  let plain = ''
  const flush = (next: Buffer) => {
    bytes.push(Buffer.from(plain), next)
    plain = ''
  }
  for (let at = 0; at < body.length; at++) {
    const char = body[at] as string
    if (char !== '\\') {
      plain += char
      continue
    }
    const escape = body[++at]
    if (escape === undefined) return undefined
    const simple = simpleEscapes[escape]
    if (simple !== undefined) plain += simple
    else if (escape === quote) plain += escape
    else if (escape === 'x' || (escape >= '0' && escape <= '7')) {
      const digits = escape === 'x' ? body.slice(at + 1, at + 3) : body.slice(at, at + 3)
      const value = parseDigits(digits, escape === 'x' ? 2 : 3, escape === 'x' ? 16 : 8)
      if (value === undefined || value > 255) return undefined
      at += 2
      flush(Buffer.of(value))
    } else if (escape === 'u' || escape === 'U') {
      const length = escape === 'u' ? 4 : 8
      const value = parseDigits(body.slice(at + 1, at + 1 + length), length, 16)
      if (value === undefined || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return undefined
      at += length
      plain += String.fromCodePoint(value)
    } else return undefined
  }
  if (bytes.length === 0) return plain
  flush(Buffer.alloc(0))
  return Buffer.concat(bytes).toString('utf8')
}

function parseDigits(digits: string, length: number, base: 8 | 16): number | undefined {
  if (digits.length !== length) return undefined
  if (!(base === 16 ? /^[0-9a-fA-F]+$/ : /^[0-7]+$/).test(digits)) return undefined
  return Number.parseInt(digits, base)
}

const maxInt = 2n ** 63n - 1n

/**
 * Reads a Go number literal with its sign (Go specification, "Integer literals" and "Floating-point literals").
 * @returns undefined when it is malformed; imaginary numbers are not supported and malformed here
 */
export function parseNumber(literal: string): NumberLiteral | undefined {
  const sign = literal[0] === '-' ? -1 : 1
  const body = /^[+-]/.test(literal) ? literal.slice(1) : literal
  if (!underscoresAreOk(body)) return undefined
  const digits = body.replaceAll('_', '')
  const int = parseInteger(digits)
  if (int !== undefined) {
    const signed = sign < 0 ? -int : int
    if (signed > maxInt || signed < -maxInt - 1n) return undefined
    return { int: signed, float: Number(signed), preferred: 'int' }
  }
  // what looks like an integer and is none (`08`) is no float either
  if (!/[.eEpP]/.test(digits)) return undefined
  const float = parseFloatLiteral(digits)
  if (float === undefined || !Number.isFinite(float)) return undefined
  const signed = sign * float
  const whole = Number.isInteger(signed) && Math.abs(signed) < 2 ** 63
  return { int: whole ? BigInt(signed) : undefined, float: signed, preferred: 'float64' }
}

function underscoresAreOk(body: string): boolean {
  if (!body.includes('_')) return true
  // base-prefixed or decimal: single underscores between digits, or after the base prefix
  return /^(0[xXoObB](_?[0-9a-fA-F])+|[0-9](_?[0-9])*)([.eEpP].*)?$/.test(body) && !/__|_$|_[.eEpP]/.test(body)
}

function parseInteger(digits: string): bigint | undefined {
  if (/^(0|[1-9][0-9]*)$/.test(digits) || /^0([xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)$/.test(digits)) {
    return BigInt(digits.toLowerCase())
  }
  return /^0[0-7]+$/.test(digits) ? BigInt(`0o${digits.slice(1)}`) : undefined
}

function parseFloatLiteral(digits: string): number | undefined {
  const hex = /^0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?[0-9]+)$/.exec(digits)
  if (hex !== null) {
    const mantissa = `${hex[1]}${hex[2]}`
    if (mantissa === '') return undefined
    return Number(BigInt(`0x${mantissa}`)) * 2 ** (Number(hex[3]) - 4 * (hex[2] as string).length)
  }
  return /^([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(digits) ? Number(digits) : undefined
}

/** Reads a character literal: its code point as an integer; undefined when malformed. */
export function parseCharacter(literal: string): NumberLiteral | undefined {
  const text = unquote(literal)
  if (text === undefined || Array.from(text).length !== 1) return undefined
  const code = text.codePointAt(0) as number
  return { int: BigInt(code), float: code, preferred: 'int' }
}
