import { GoError } from '../errors.ts'
import type { Meter } from '../values/meter.ts'
import { printValue } from '../values/print.ts'
import { integerOf, typeName } from '../values/types.ts'
import { type GoValue, isNothing } from '../values/value.ts'
import { formatArgument } from './verbs.ts'

/** Go's fmt.Sprint: a space between two operands when neither is a string. */
export function sprint(args: readonly GoValue[], meter: Meter): string {
  let out = ''
  for (const [index, arg] of args.entries()) {
    if (index > 0 && typeof arg !== 'string' && typeof args[index - 1] !== 'string') out += ' '
    out += printValue(arg, meter)
  }
  return out
}

const directive = /%([-+# 0]*)(\[\d+\])?(\*|\d+)?(?:\.(\[\d+\])?(\*|\d+)?)?(\[\d+\])?(.)?/gsu

/**
 * Go's fmt.Sprintf, with its own way of telling mistakes in the output (`%!d(string=x)`).
 * @throws GoError when a width is beyond the limit, or the result is too long
 */
export function sprintf(format: string, args: readonly GoValue[], meter: Meter): string {
  let out = ''
  let at = 0
  let next = 0
  let reordered = false
  for (const match of format.matchAll(directive)) {
    out += format.slice(at, match.index)
    at = match.index + match[0].length
    const [text, flags, widthIndex, width, precisionIndex, precision, argIndex, verb] = match
    if (verb === '%') {
      out += '%'
      continue
    }
    if (verb === undefined) {
      out += '%!(NOVERB)'
      continue
    }
    let bad = ''
    const select = (index: string | undefined): void => {
      if (index === undefined) return
      reordered = true
      next = Number(index.slice(1, -1)) - 1
      if (next < 0 || next >= args.length) bad = 'BADINDEX'
    }
    const count = (value: string | undefined, problem: string): number | undefined => {
      if (value !== '*') return value === undefined ? undefined : Number(value)
      const given = integerOf(args[next++])
      if (given === undefined) out += problem
      return given === undefined ? undefined : Number(given)
    }
    select(widthIndex)
    let columns = count(width, '%!(BADWIDTH)')
    select(precisionIndex)
    const hasPrecision = text.includes('.')
    const digits = hasPrecision ? (count(precision, '%!(BADPREC)') ?? 0) : undefined
    select(argIndex)
    const left = flags?.includes('-') === true || (columns ?? 0) < 0
    if (columns !== undefined) columns = Math.abs(columns)
    if (Math.max(columns ?? 0, digits ?? 0) > meter.limits.width) {
      throw new GoError(`a width is larger than the limit of ${meter.limits.width}`)
    }
    if (bad !== '' || next >= args.length) {
      out += `%!${verb}(${bad === '' ? 'MISSING' : bad})`
      bad = ''
      continue
    }
    const has = (flag: string): boolean => flags?.includes(flag) === true
    out += formatArgument(
      {
        verb,
        minus: left,
        // for %v a plus asks for field names, not for a sign
        plus: has('+') && verb !== 'v',
        sharp: has('#'),
        space: has(' '),
        zero: has('0') && !left,
        width: columns,
        precision: digits,
      },
      args[next++],
      meter,
      0,
    )
    meter.text(out)
  }
  out += format.slice(at)
  if (!reordered && next < args.length) {
    const extra = args
      .slice(next)
      .map((arg) => (isNothing(arg) ? '<nil>' : `${typeName(arg)}=${printValue(arg, meter)}`))
    out += `%!(EXTRA ${extra.join(', ')})`
  }
  return out
}
