/**
 * Constraints of versions as Masterminds/semver has them, such as `>= 1.2, < 3 || ~4.1`. npm's ranges look alike but differ:
 * in commas, `!=`, `=>`, in what a missing number means to `>` and `<=`, and in which pre-releases they let in.
 */
import type SemVer from 'semver/classes/semver.js'
import { GoError } from '../errors.ts'
import { parseVersion } from './version.ts'

interface Constraint {
  readonly holds: Operator
  readonly bound: SemVer
  /** The first number that is missing or a wildcard. */
  readonly open: 'major' | 'minor' | 'patch' | undefined
}

type Operator = (version: SemVer, constraint: Constraint) => boolean

const less: Operator = (version, { bound }) => version.compare(bound) < 0
const equal: Operator = (version, { bound }) => version.compare(bound) === 0

const notEqual: Operator = (version, constraint) => {
  const { bound, open } = constraint
  if (open === undefined || open === 'major') return !equal(version, constraint)
  if (version.major !== bound.major) return true
  if (open === 'minor') return false
  return version.minor !== bound.minor || version.comparePre(bound) !== 0
}

const greater: Operator = (version, { bound, open }) => {
  if (open === undefined || open === 'major' || version.major !== bound.major) return version.compare(bound) > 0
  return open === 'patch' && version.minor > bound.minor
}

const atLeast: Operator = (version, constraint) => !less(version, constraint)

const atMost: Operator = (version, { bound, open }) => {
  if (open === undefined) return version.compare(bound) <= 0
  if (version.major !== bound.major) return version.major < bound.major
  return open === 'minor' || version.minor <= bound.minor
}

const tilde: Operator = (version, constraint) => {
  const { bound, open } = constraint
  if (less(version, constraint)) return false
  const isZero = bound.major === 0 && bound.minor === 0 && bound.patch === 0
  if (isZero && open !== 'minor' && open !== 'patch') return true
  return version.major === bound.major && (open === 'minor' || version.minor === bound.minor)
}

const caret: Operator = (version, constraint) => {
  const { bound, open } = constraint
  if (less(version, constraint) || version.major !== bound.major) return false
  if (bound.major > 0 || open === 'minor') return true
  if (version.minor !== bound.minor) return false
  return bound.minor > 0 || open === 'patch' || version.patch === bound.patch
}

/** A version without operator is met by itself; one that leaves numbers open, by all that begin like it. */
const same: Operator = (version, constraint) => (constraint.open === undefined ? equal : tilde)(version, constraint)

const operators: Readonly<Record<string, Operator>> = {
  '': same,
  '=': same,
  '!=': notEqual,
  '>': greater,
  '<': less,
  '>=': atLeast,
  '=>': atLeast,
  '<=': atMost,
  '=<': atMost,
  '~': tilde,
  '~>': tilde,
  '^': caret,
}

const part = /[\t\n\f\r ]*(=>|>=|=<|<=|!=|~>|[=<>~^]|)[\t\n\f\r ]*/y
const bound =
  /v?([0-9xX*]+)(?:\.([0-9xX*]+))?(?:\.([0-9xX*]+))?(-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?/y
const dash = /[\t\n\f\r ]+-[\t\n\f\r ]+/y
const separator = /[\t\n\f\r ]*(?:,[\t\n\f\r ]*)?/y

/**
 * Compiles a constraint: alternatives between `||`, of which each is a list, all of which must hold.
 * @returns whether a version meets it
 * @throws GoError when it is malformed
 */
export function parseConstraint(text: string): (version: SemVer) => boolean {
  const alternatives = text.split('||').map(parseList)
  return (version) => alternatives.some((list) => list.every((constraint) => isMet(constraint, version)))
}

/** A pre-release meets only what names one, or rules out exactly one version. */
function isMet(constraint: Constraint, version: SemVer): boolean {
  const { holds, bound: limit, open } = constraint
  const barred = version.prerelease.length > 0 && limit.prerelease.length === 0
  return barred && (holds !== notEqual || open !== undefined) ? false : holds(version, constraint)
}

function parseList(text: string): Constraint[] {
  const list: Constraint[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray => {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found === null) throw improper()
    at += found[0].length
    return found
  }
  const startsRange = (): boolean => {
    dash.lastIndex = at
    return dash.test(text)
  }
  for (let separated = true; at < text.length || list.length === 0;) {
    if (!separated) throw improper()
    const [, operator = ''] = take(part)
    const first = take(bound)
    if (operator === '' && startsRange()) {
      take(dash)
      list.push(constraintOf('>=', first), constraintOf('<=', take(bound)))
    } else list.push(constraintOf(operator, first))
    const [between] = take(separator)
    separated = between !== ''
    if (at === text.length && between.includes(',')) throw improper()
  }
  return list
}

const improper = (): GoError => new GoError('improper constraint')

const isWild = (number: string | undefined): boolean => number === undefined || ['x', 'X', '*'].includes(number)

function constraintOf(operator: string, [, major, minor, patch, pre = '', metadata = '']: RegExpExecArray): Constraint {
  const holds = operators[operator] as Operator
  if (isWild(major)) return { holds, bound: parseVersion(`0.0.0${pre}`), open: 'major' }
  if (isWild(minor)) return { holds, bound: parseVersion(`${major}.0.0${pre}`), open: 'minor' }
  if (isWild(patch)) return { holds, bound: parseVersion(`${major}.${minor}.0${pre}`), open: 'patch' }
  return { holds, bound: parseVersion(`${major}.${minor}.${patch}${pre}${metadata}`), open: undefined }
}
