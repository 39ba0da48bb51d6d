/** Text by code points. Most strings have no surrogates, and then code units are code points. */

const SURROGATE = /[\ud800-\udfff]/

/** Whether code units and code points are not the same thing here. */
export const isAstral = (text: string): boolean => SURROGATE.test(text)

/** Order of code points, which is also that of the UTF-8 bytes. */
export function compareText(one: string, other: string): number {
  if (one === other) return 0
  if (!isAstral(one) && !isAstral(other)) return one < other ? -1 : 1
  const left = Array.from(one)
  const right = Array.from(other)
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const difference = (left[index]?.codePointAt(0) ?? 0) - (right[index]?.codePointAt(0) ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** How many code points a text has. */
export function textLength(text: string): number {
  if (!isAstral(text)) return text.length
  let length = 0
  for (const _ of text) length++
  return length
}

/** The code point at that index, as text; undefined beyond the end. */
export function charAt(text: string, index: number): string | undefined {
  if (!isAstral(text)) return index < text.length ? text.charAt(index) : undefined
  return Array.from(text)[index]
}

/** The code points from one index up to another, as text. */
export function substring(text: string, from: number, to: number): string {
  if (!isAstral(text)) return text.slice(from, to)
  return Array.from(text).slice(from, to).join('')
}
