/** Compares strings as Go does, by their UTF-8 bytes: by code point, where JavaScript compares UTF-16 units. */
export function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at)
    const right = b.charCodeAt(at)
    if (left === right) continue
    // surrogates stand for code points above all other units
    const leftRank = left >= 0xd800 && left < 0xe000 ? left + 0x10000 : left
    const rightRank = right >= 0xd800 && right < 0xe000 ? right + 0x10000 : right
    return leftRank - rightRank
  }
  return a.length - b.length
}

/** A map's keys in the order in which Go prints, encodes and ranges over them. */
export function sortedKeys(map: object): string[] {
  const keys = Object.keys(map)
  return keys.length > 1 ? keys.sort(compareStrings) : keys
}
