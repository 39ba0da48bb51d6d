/** Reads and edits `Cookie` and `Set-Cookie` as bytes: what is not removed stays as it was. */

/** Whether one of the names comes with two different values, so that two readers could take two sessions from one request. */
export function hasRivals(cookieLines: readonly string[], names: readonly string[]): boolean {
  for (const name of names) {
    let first: string | undefined
    for (const line of cookieLines) {
      const at = line.indexOf(name)
      // As in withoutCookies: one occurrence has no rival.
      if (at === -1 || (cookieLines.length === 1 && !line.includes(name, at + 1))) continue
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
  let name = ''
  let at = -1
  for (const candidate of names) {
    const found = line.indexOf(candidate)
    if (found === -1) continue
    if (at !== -1 || line.includes(candidate, found + 1)) return withoutPairs(line, names)
    name = candidate
    at = found
  }
  // The common case, one occurrence or none, is settled without taking the line apart.
  if (at === -1) return line
  const start = line.lastIndexOf(';', at) + 1
  const next = line.indexOf(';', at)
  const end = next === -1 ? line.length : next
  if (cookieName(line.slice(start, end)) !== name) return line.slice(blanksBefore(line))
  const kept = start === 0 ? line.slice(end + 1) : line.slice(0, start - 1) + line.slice(end)
  return kept.slice(blanksBefore(kept))
}

function withoutPairs(line: string, names: readonly string[]): string {
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
