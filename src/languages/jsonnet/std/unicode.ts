import { Fault } from '../errors.ts'

/**
 * The character of a code point; a surrogate is no character and becomes U+FFFD.
 * @throws Fault outside of Unicode
 */
export function char(codePoint: number): string {
  const number = Math.trunc(codePoint)
  if (number < 0) throw new Fault(`Codepoints must be >= 0, got ${codePoint}`)
  if (number > 0x10ffff) throw new Fault(`Invalid unicode codepoint, got ${codePoint}`)
  return number >= 0xd800 && number <= 0xdfff ? '\ufffd' : String.fromCodePoint(number)
}
