/** Whether Go takes a character for white space. */
export function isSpace(char: string): boolean {
  const code = char.charCodeAt(0)
  return (
    code === 0x20 ||
    (code >= 9 && code <= 13) ||
    code === 0x85 ||
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  )
}

/** Takes characters off both ends for as long as they are wanted gone. */
export function trimWhile(text: string, gone: (char: string) => boolean): string {
  const chars = Array.from(text)
  let start = 0
  let end = chars.length
  while (start < end && gone(chars[start] as string)) start++
  while (end > start && gone(chars[end - 1] as string)) end--
  return start === 0 && end === chars.length ? text : chars.slice(start, end).join('')
}

export const trimSpace = (text: string): string => trimWhile(text, isSpace)

/** Go maps one character to one character: what JavaScript would make several (`ß`) stays. */
export function toUpper(text: string): string {
  return mapCase(text, (char) => char.toUpperCase())
}

export function toLower(text: string): string {
  return mapCase(text, (char) => char.toLowerCase())
}

function mapCase(text: string, map: (char: string) => string): string {
  const whole = map(text)
  // same length: no character became several, and no final sigma differs
  if (whole.length === text.length && !text.includes('Σ')) return whole
  let out = ''
  for (const char of text) {
    const mapped = map(char)
    out += Array.from(mapped).length === 1 ? mapped : char
  }
  return out
}

export const isLetter = (char: string): boolean => /^\p{L}$/u.test(char)
export const isDigit = (char: string): boolean => /^\p{Nd}$/u.test(char)
export const isUpper = (char: string): boolean => /^\p{Lu}$/u.test(char)
export const isLower = (char: string): boolean => /^\p{Ll}$/u.test(char)

/** Go's strings.Title: the first letter of each word in upper case. */
export function titleCase(text: string): string {
  let previous = ' '
  let out = ''
  for (const char of text) {
    out += isSeparator(previous) ? toUpper(char) : char
    previous = char
  }
  return out
}

function isSeparator(char: string): boolean {
  if (char <= '\u007f') return !/^[0-9A-Za-z_]$/.test(char)
  return !isLetter(char) && !isDigit(char) && isSpace(char)
}

/** Go's strings.Split: an empty separator cuts between characters. */
export const splitText = (text: string, separator: string): string[] =>
  separator === '' ? Array.from(text) : text.split(separator)
