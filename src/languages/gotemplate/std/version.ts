import SemVer from 'semver/classes/semver.js'
import { GoError } from '../errors.ts'
import { type GoMethod, GoInt, GoObject, type GoValue, type MethodTable } from '../values/value.ts'

const version = /^v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/

/** Longer ones are refused, as npm does. */
const maxLength = 256

/**
 * Reads a version as Masterminds/semver does: a leading `v` and leading zeros are dropped, minor and patch may be missing.
 * Numbers go up to 2^53 - 1.
 * @throws GoError when it is none
 */
export function parseVersion(text: string): SemVer {
  const parts = text.length > maxLength ? null : version.exec(text)
  if (parts === null) throw invalid()
  const [, major = '0', minor = '0', patch = '0', pre = '', metadata = ''] = parts
  try {
    return new SemVer(`${BigInt(major)}.${BigInt(minor)}.${BigInt(patch)}${pre}${metadata}`)
  } catch {
    throw invalid()
  }
}

const invalid = (): GoError => new GoError('Invalid Semantic Version')

/** A *semver.Version, or a semver.Version, which some of the methods give and which has fewer of them. */
export class GoVersion extends GoObject {
  readonly typeName: '*semver.Version' | 'semver.Version'
  readonly version: SemVer
  /** As it was written. */
  readonly original: string

  constructor(typeName: GoVersion['typeName'], semver: SemVer, original: string) {
    super()
    this.typeName = typeName
    this.version = semver
    this.original = original
  }

  get kind(): string {
    return this.typeName.startsWith('*') ? 'ptr' : 'struct'
  }

  override text(): string {
    const { build } = this.version
    return build.length === 0 ? this.version.version : `${this.version.version}+${build.join('.')}`
  }

  override json(): string {
    return this.text()
  }

  override get methods(): MethodTable<never> {
    return this.kind === 'ptr' ? pointerMethods : valueMethods
  }
}

/** A method that only reads. */
const get = (call: (self: GoVersion) => GoValue): GoMethod<GoVersion> => ({ params: [], call })
const number = (part: 'major' | 'minor' | 'patch'): GoMethod<GoVersion> =>
  get(({ version: { [part]: value } }) => new GoInt('uint64', BigInt(value)))

/** The version with other numbers and nothing behind them. */
const increased = (by: (version: SemVer) => readonly [major: number, minor: number, patch: number]) =>
  get((self) => changed(self, by(self.version).join('.')))

function changed({ original }: GoVersion, text: string): GoVersion {
  return new GoVersion('semver.Version', parseVersion(text), (original.startsWith('v') ? 'v' : '') + text)
}

/** A method that sets what stands behind a sign; an empty text takes it away. */
const setting = (join: (version: SemVer, text: string) => readonly [pre: string, metadata: string]) => ({
  params: ['string'] as const,
  call: (self: GoVersion, text: GoValue): GoVersion => {
    const { major, minor, patch } = self.version
    const [pre, metadata] = join(self.version, text as string)
    const suffix = (pre === '' ? '' : `-${pre}`) + (metadata === '' ? '' : `+${metadata}`)
    return changed(self, `${major}.${minor}.${patch}${suffix}`)
  },
})

const valueMethods: MethodTable<GoVersion> = new Map<string, GoMethod<GoVersion>>([
  ['Major', number('major')],
  ['Minor', number('minor')],
  ['Patch', number('patch')],
  ['Prerelease', get((self) => self.version.prerelease.join('.'))],
  ['Metadata', get((self) => self.version.build.join('.'))],
  ['String', get((self) => self.text())],
  // the patch that a pre-release precedes is its next one
  [
    'IncPatch',
    increased(({ major, minor, patch, prerelease }) => [major, minor, prerelease.length > 0 ? patch : patch + 1]),
  ],
  ['IncMinor', increased(({ major, minor }) => [major, minor + 1, 0])],
  ['IncMajor', increased(({ major }) => [major + 1, 0, 0])],
  ['SetPrerelease', setting(({ build }, text) => [text, build.join('.')])],
  ['SetMetadata', setting(({ prerelease }, text) => [prerelease.join('.'), text])],
])

const comparison = (holds: (order: number) => GoValue): GoMethod<GoVersion> => ({
  params: ['any'],
  call: (self, other) => {
    if (!(other instanceof GoVersion) || other.kind !== 'ptr') throw new GoError('expected a *semver.Version')
    return holds(self.version.compare(other.version))
  },
})

const pointerMethods: MethodTable<GoVersion> = new Map<string, GoMethod<GoVersion>>([
  ...(valueMethods as Map<string, GoMethod<GoVersion>>),
  ['Original', get((self) => self.original)],
  ['Compare', comparison((order) => BigInt(order))],
  ['Equal', comparison((order) => order === 0)],
  ['LessThan', comparison((order) => order < 0)],
  ['LessThanEqual', comparison((order) => order <= 0)],
  ['GreaterThan', comparison((order) => order > 0)],
  ['GreaterThanEqual', comparison((order) => order >= 0)],
])
