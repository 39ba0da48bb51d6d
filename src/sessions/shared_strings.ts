/** Makes equal short texts of many documents one text: sessions differ in little, and thousands of them are kept. */
import type { Json } from '../pipeline/contract/values.ts'

/** A power of two. */
const places = 8192
/** Longer texts are hardly ever equal. */
const longest = 128
/** What lies deeper stays as it is. */
const deepest = 20

export type ShareStrings = (document: Json) => void

/**
 * A function that replaces texts in a document, in place, by equal ones of documents before. It remembers a fixed number of
 * them: a text that nobody has again is driven out by the next one at its place.
 */
export function createStringSharing(): ShareStrings {
  const known = Array.from({ length: places }, () => '')

  const shared = (text: string): string => {
    if (text.length > longest) return text
    const at = placeOf(text)
    const before = known[at]
    if (before === text) return before
    known[at] = text
    return text
  }

  const share = (value: Json, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > deepest) return
    // Arrays, too: their indexes are their keys.
    const members = value as Record<string, Json>
    for (const name of Object.keys(members)) {
      const member = members[name]!
      if (typeof member === 'string') members[name] = shared(member)
      else share(member, depth + 1)
    }
  }
  return (document) => share(document, 0)
}

/** FNV-1a over the text's ends and middle: cheap, and a collision costs nothing but memory. */
function placeOf(text: string): number {
  let hash = 2166136261 ^ text.length
  const step = text.length <= 16 ? 1 : Math.ceil(text.length / 16)
  for (let i = text.length - 1; i >= 0; i -= step) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619)
  return (hash ^ (hash >>> 15)) & (places - 1)
}
