/** Media types of Accept and Content-Type, compared as Oathkeeper compares them. */

/** The types of a comma-separated list, without parameters, in lower case; a word without a slash fits only the star. */
export function parseMimeList(text: string): string[] {
  const types: string[] = []
  for (const part of text.split(',')) {
    const semicolon = part.indexOf(';')
    const type = (semicolon === -1 ? part : part.slice(0, semicolon)).trim().toLowerCase()
    if (type !== '') types.push(type)
  }
  return types
}

/**
 * True when a type of the request is one of the accepted ones. Wildcards count on the handler's side only: the
 * star that browsers and curl send for anything must not choose a handler.
 */
export function matchesMime(request: readonly string[], accepted: readonly string[]): boolean {
  return request.some((type) => accepted.some((pattern) => fits(type, pattern.toLowerCase())))
}

function fits(type: string, pattern: string): boolean {
  if (pattern === '*/*' || pattern === type) return true
  return pattern.endsWith('/*') && type.startsWith(pattern.slice(0, -1)) && !type.endsWith('/*')
}
