const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

/**
 * Quotes a text as a Go string literal, as `%q` does.
 * @param ascii whether everything beyond ASCII is escaped, as `%+q` does
 */
export function quoteGo(text: string, ascii: boolean): string {
  let out = '"'
  for (const char of text) out += escapes[char] ?? (isPrintable(char, ascii) ? char : escapeCode(char))
  return `${out}"`
}

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u

function isPrintable(char: string, ascii: boolean): boolean {
  const code = char.codePointAt(0) as number
  if (code < 0x80) return code >= 0x20 && code < 0x7f
  return !ascii && printable.test(char)
}

function escapeCode(char: string): string {
  const code = char.codePointAt(0) as number
  const hex = code.toString(16)
  if (code < 0x80) return `\\x${hex.padStart(2, '0')}`
  return code > 0xffff ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`
}
