/** Reads and edits `Cookie` and `Set-Cookie` as bytes: what is not removed stays as it was. */

/** Whether one of the names comes with two different values, so that two readers could take two sessions from one request. */
export function hasRivals(cookieLines: readonly string[], names: readonly string[]): boolean {
  for (const name of names) {
    let first: string | undefined
    for (const line of cookieLines) {
      // The common case, one occurrence or none, is settled without taking the line apart.
      if (!line.includes(name)) continue
      for (const pair of line.split(';')) {
        if (cookieName(pair) !== name) continue
        const value = trimBlanks(pair.slice(pair.indexOf('=') + 1))
        if (first !== undefined && first !== value) return true
        first = value
      }
    }
  }
  return false
}

/**
 * The line without the named cookies; empty when nothing is left. The other pairs keep their bytes and their order.
 */
export function withoutCookies(line: string, names: readonly string[]): string {
  if (!names.some((name) => line.includes(name))) return line
  const kept = line.split(';').filter((pair) => !names.includes(cookieName(pair)))
  const joined = kept.join(';')
  return joined.slice(blanksBefore(joined))
}

/** Name of a `name=value` pair, or of a whole Set-Cookie value. */
export function cookieName(pair: string): string {
  const equals = pair.indexOf('=')
  return trimBlanks(equals === -1 ? pair : pair.slice(0, equals))
}

/** Spaces and tabs only: String.trim would also take a no-break space, which is part of a name or value. */
function trimBlanks(text: string): string {
  const start = blanksBefore(text)
  let end = text.length
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function blanksBefore(text: string): number {
  let start = 0
  while (start < text.length && isBlank(text.charCodeAt(start))) start++
  return start
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09
