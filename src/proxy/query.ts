/** What Go's reverse proxy does with a query before anybody reads it. */

/**
 * The query without the parameters that URL parsers disagree on: those that hold a `;`, which some take for a second
 * separator, or an incomplete percent escape. The others keep their bytes and their order.
 */
export function withoutUnparsable(query: string): string {
  if (isParsable(query)) return query
  return query
    .split('&')
    .filter((parameter) => isParsable(parameter))
    .join('&')
}

function isParsable(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x3b) return false
    if (code === 0x25 && !(isHex(text.charCodeAt(i + 1)) && isHex(text.charCodeAt(i + 2)))) return false
  }
  return true
}

function isHex(code: number): boolean {
  const lower = code | 0x20
  return (code >= 0x30 && code <= 0x39) || (lower >= 0x61 && lower <= 0x66)
}
