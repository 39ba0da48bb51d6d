/** Semantic Versioning 2.0.0, as far as rule migrations need it. */
export interface Version {
  readonly numbers: readonly [major: number, minor: number, patch: number]
  readonly prerelease: readonly string[]
}

const number = '(0|[1-9][0-9]{0,15})'
const identifiers = '([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)'
const grammar = new RegExp(`^${number}\\.${number}\\.${number}(?:-${identifiers})?(?:\\+${identifiers})?$`)

/** Takes a version with or without a leading `v`; undefined when it is none. */
export function parseVersion(text: string): Version | undefined {
  const [, major, minor, patch, prerelease] = grammar.exec(text.replace(/^v/, '')) ?? []
  if (major === undefined) return undefined
  return { numbers: [Number(major), Number(minor), Number(patch)], prerelease: prerelease?.split('.') ?? [] }
}

/** Negative when `a` is older than `b`, positive when it is newer; SemVer section 11. */
export function compareVersions(a: Version, b: Version): number {
  for (const [index, own] of a.numbers.entries()) {
    const difference = own - (b.numbers[index] ?? 0)
    if (difference !== 0) return difference
  }
  // A version without prerelease is newer than all of its prereleases.
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return b.prerelease.length - a.prerelease.length
  for (const [index, own] of a.prerelease.entries()) {
    const other = b.prerelease[index]
    if (other === undefined) return 1
    const difference = compareIdentifiers(own, other)
    if (difference !== 0) return difference
  }
  return a.prerelease.length - b.prerelease.length
}

function compareIdentifiers(a: string, b: string): number {
  const aIsNumber = /^[0-9]+$/.test(a)
  const bIsNumber = /^[0-9]+$/.test(b)
  if (aIsNumber && bIsNumber) return Number(a) - Number(b)
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}
