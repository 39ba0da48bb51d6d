import { GoError } from '../errors.ts'

/** Whether a text is ASCII alone, so that its bytes and its UTF-16 units are the same. */
function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false
  return true
}

/** Length in bytes of a text's UTF-8, which is what Go's `len` gives. */
export const byteLength = (text: string): number => Buffer.byteLength(text, 'utf8')

/**
 * Cuts a text by byte offsets, as Go slices strings. A character that is cut through becomes U+FFFD,
 * where Go would leave broken UTF-8.
 * @throws GoError when the offsets are out of range
 */
export function sliceBytes(text: string, start: number, end: number): string {
  const ascii = isAscii(text)
  const length = ascii ? text.length : byteLength(text)
  if (start < 0 || end < start || end > length) {
    throw new GoError(`slice bounds out of range [${start}:${end}] with length ${length}`)
  }
  return ascii ? text.slice(start, end) : Buffer.from(text, 'utf8').subarray(start, end).toString('utf8')
}
