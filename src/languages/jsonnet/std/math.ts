import { Fault } from '../errors.ts'
import { apply } from '../runtime/function.ts'
import { finite } from '../runtime/numbers.ts'
import { compare, modulo } from '../runtime/operators.ts'
import type { Run } from '../runtime/run.ts'
import { asNumber } from '../runtime/types.ts'
import { force, type Slot, type Value } from '../runtime/values.ts'
import { array, boolean, callable, number, value } from './args.ts'
import { remainder } from './format.ts'
import { type Members, native } from './spec.ts'

const unary = (compute: (x: number) => number, name = 'x'): Value =>
  native([name], (args, run) => finite(compute(number(args, 0, run))))

const binary = (names: readonly [string, string], compute: (a: number, b: number) => number): Value =>
  native(names, (args, run) => finite(compute(number(args, 0, run), number(args, 1, run))))

const test = (check: (x: number) => boolean): Value => native(['x'], (args, run) => check(number(args, 0, run)))

/** Halves away from zero, as in Go. */
function round(x: number): number {
  const whole = Math.trunc(x)
  return Math.abs(x - whole) < 0.5 ? whole : whole + Math.sign(x)
}

/** Mantissa from 0.5 up to 1, and exponent, as C's frexp. */
function frexp(x: number): readonly [mantissa: number, exponent: number] {
  if (x === 0) return [x, 0]
  let exponent = Math.max(-1022, Math.floor(Math.log2(Math.abs(x))) + 1)
  let mantissa = x / 2 ** exponent
  for (; Math.abs(mantissa) < 0.5; exponent--) mantissa *= 2
  for (; Math.abs(mantissa) >= 1; exponent++) mantissa /= 2
  return [mantissa, exponent]
}

/** Adds all numbers of a list. */
function total(items: readonly Slot[], run: Run): number {
  run.spend(items.length)
  let sum = 0
  for (const item of items) sum += asNumber(force(item, run))
  return finite(sum)
}

/** The first element with the least (or, by sign, the greatest) key. */
function extreme(sign: 1 | -1): Value {
  return native(['arr', ['keyF', identity], ['onEmpty', undefinedDefault]], (args, run) => {
    const items = array(args, 0, run)
    const key = callable(args, 1, run)
    if (items.length === 0) {
      const fallback = args[2] as Slot
      if (fallback === undefinedDefault) throw new Fault('Expected at least one element in array. Got none')
      return force(fallback, run)
    }
    run.spend(items.length)
    let best = items[0] as Slot
    let bestKey = apply(key, [best], run)
    for (const item of items.slice(1)) {
      const itemKey = apply(key, [item], run)
      if (compare(itemKey, bestKey, run) * sign < 0) {
        best = item
        bestKey = itemKey
      }
    }
    return force(best, run)
  })
}

/** `function(x) x`, the default of every `keyF`. */
export const identity = native(['x'], (args, run) => value(args, 0, run))

/** Stands for an argument that was not given where every value can be. */
const undefinedDefault = native([], () => null)

export const math: Members = {
  id: identity,
  pi: Math.PI,
  mod: native(['a', 'b'], (args, run) => remainder(value(args, 0, run), value(args, 1, run), run)),
  modulo: native(['x', 'y'], (args, run) => modulo(value(args, 0, run), value(args, 1, run))),
  abs: unary(Math.abs, 'n'),
  sign: unary(Math.sign, 'n'),
  max: binary(['a', 'b'], Math.max),
  min: binary(['a', 'b'], Math.min),
  clamp: native(['x', 'minVal', 'maxVal'], (args, run) => {
    const [x, low, high] = [value(args, 0, run), value(args, 1, run), value(args, 2, run)]
    if (compare(x, low, run) < 0) return low
    return compare(x, high, run) > 0 ? high : x
  }),
  ceil: unary(Math.ceil),
  floor: unary(Math.floor),
  round: unary(round),
  sqrt: unary(Math.sqrt),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  tan: unary(Math.tan),
  asin: unary(Math.asin),
  acos: unary(Math.acos),
  atan: unary(Math.atan),
  atan2: binary(['y', 'x'], Math.atan2),
  hypot: binary(['x', 'y'], Math.hypot),
  deg2rad: unary((x) => (x * Math.PI) / 180),
  rad2deg: unary((x) => (x * 180) / Math.PI),
  log: unary(Math.log),
  log2: unary(Math.log2),
  log10: unary(Math.log10),
  exp: unary(Math.exp),
  pow: binary(['x', 'n'], Math.pow),
  mantissa: unary((x) => frexp(x)[0]),
  exponent: unary((x) => frexp(x)[1]),
  isEven: test((x) => Math.trunc(x) % 2 === 0),
  isOdd: test((x) => Math.trunc(x) % 2 !== 0),
  isInteger: test((x) => Math.trunc(x) === x),
  isDecimal: test((x) => Math.trunc(x) !== x),
  sum: native(['arr'], (args, run) => total(array(args, 0, run), run)),
  avg: native(['arr'], (args, run) => {
    const items = array(args, 0, run)
    if (items.length === 0) throw new Fault('Cannot calculate average of an empty array.')
    return total(items, run) / items.length
  }),
  minArray: extreme(1),
  maxArray: extreme(-1),
  xor: native(['x', 'y'], (args, run) => boolean(args, 0, run) !== boolean(args, 1, run)),
  xnor: native(['x', 'y'], (args, run) => boolean(args, 0, run) === boolean(args, 1, run)),
}
