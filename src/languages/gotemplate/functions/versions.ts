import type SemVer from 'semver/classes/semver.js'
import { GoError } from '../errors.ts'
import type { Limits } from '../limits.ts'
import { parseConstraint } from '../std/constraint.ts'
import { GoVersion, parseVersion } from '../std/version.ts'
import { bound, fn, type FunctionSpec } from './spec.ts'

function compiled(text: string, limits: Limits): (version: SemVer) => boolean {
  if (text.length > limits.pattern) throw new GoError(`a constraint is longer than the limit of ${limits.pattern}`)
  return parseConstraint(text)
}

/** sprig's functions of semantic versions. A constant constraint is compiled when the template is. */
export const versions: Readonly<Record<string, FunctionSpec>> = {
  semver: fn(['string'], (_, [text]) => new GoVersion('*semver.Version', parseVersion(text as string), text as string)),
  semverCompare: bound(['string', 'string'], (constant, limits) => {
    const constraint = constant === undefined ? undefined : compiled(constant, limits)
    return ({ meter }, [text, version]) => {
      meter.spend((text as string).length)
      return (constraint ?? compiled(text as string, limits))(parseVersion(version as string))
    }
  }),
}
