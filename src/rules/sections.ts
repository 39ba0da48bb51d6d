import { splitPattern } from './delimiters.ts'

/** The parts of a URL or of a pattern; a `path` includes its first slash. */
export interface Sections {
  readonly scheme: string
  readonly host: string
  readonly path: string
}

/** Takes `scheme://host/path`; undefined when it is not one. */
export function urlSections(url: string): Sections | undefined {
  const schemeEnd = url.indexOf('://')
  if (schemeEnd === -1) return undefined
  const hostEnd = url.indexOf('/', schemeEnd + 3)
  const end = hostEnd === -1 ? url.length : hostEnd
  return { scheme: url.slice(0, schemeEnd), host: url.slice(schemeEnd + 3, end), path: url.slice(end) }
}

/**
 * Takes a pattern with balanced delimiters; returns the patterns of its parts, or undefined when its literal text does not
 * show where they end, as in `<.*>`.
 */
export function patternSections(pattern: string): Sections | undefined {
  let hostStart: number | undefined
  for (const { kind, text, offset } of splitPattern(pattern)) {
    if (kind === 'expression') continue
    let from = 0
    if (hostStart === undefined) {
      const colon = text.indexOf('://')
      if (colon === -1) continue
      from = colon + 3
      hostStart = offset + from
    }
    const slash = text.indexOf('/', from)
    if (slash !== -1) return sectionsAt(pattern, hostStart, offset + slash)
  }
  return hostStart === undefined ? undefined : sectionsAt(pattern, hostStart, pattern.length)
}

function sectionsAt(pattern: string, hostStart: number, hostEnd: number): Sections {
  return {
    scheme: pattern.slice(0, hostStart - 3),
    host: pattern.slice(hostStart, hostEnd),
    path: pattern.slice(hostEnd),
  }
}
