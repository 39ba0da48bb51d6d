/** Quotes, brackets and escapes in the text of a path. */

const ESCAPES = new Map([
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['"', '"'],
])

/** Undoes the escapes of JSON; a text is cut off at what is none. */
export function unescapeText(text: string): string {
  let result = ''
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i)
    if (character < ' ') return result
    if (character !== '\\') {
      result += character
      continue
    }
    const letter = text.charAt(++i)
    const simple = ESCAPES.get(letter)
    if (simple !== undefined) {
      result += simple
      continue
    }
    const hex = text.slice(i + 1, i + 5)
    if (letter !== 'u' || hex.length < 4) return result
    result += String.fromCharCode(/^[0-9a-f]{4}$/i.test(hex) ? parseInt(hex, 16) : 0)
    i += 4
  }
  return result
}

/** White space and control characters off both ends. */
export function trim(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && text.charAt(start) <= ' ') start++
  while (end > start && text.charAt(end - 1) <= ' ') end--
  return text.slice(start, end)
}

/** The closing quote of the string that opens at an index, or the end of the text. */
export function stringEnd(text: string, open: number): number {
  let i = open + 1
  for (; i < text.length && text.charAt(i) !== '"'; i++) if (text.charAt(i) === '\\') i++
  return Math.min(i, text.length)
}

/** A bracketed, braced, parenthesized or quoted text from its beginning on; all of it when it does not end. */
export function balanced(text: string): string {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i)
    if (character === '"') i = stringEnd(text, i)
    else if (character === '{' || character === '[' || character === '(') depth++
    else if (character === '}' || character === ']' || character === ')') depth--
    if (depth <= 0 && i >= 0) return text.slice(0, i + 1)
  }
  return text
}

/** The length of a bracketed text in which brackets of the other kind do not count. */
export function queryLength(text: string): number {
  const open = text.charAt(0)
  const close = open === '[' ? ']' : ')'
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i)
    if (character === '\\') i++
    else if (character === '"') i = stringEnd(text, i)
    else if (character === open) depth++
    else if (character === close && --depth === 0) return i + 1
  }
  return text.length
}
