import { GoError } from '../errors.ts'
import type { Meter } from '../values/meter.ts'
import { printValue } from '../values/print.ts'
import { int64 } from '../values/types.ts'
import { type GoSlice, type GoValue, typedSlice } from '../values/value.ts'
import { toFloat, toInteger } from './cast.ts'
import { decimalArithmetic } from './decimal.ts'
import { fn, type FunctionSpec } from './spec.ts'

const wrap = (value: bigint): bigint => BigInt.asIntN(64, value)

/** A function of integers of any type, with 64-bit results. */
function integers(params: Parameters<typeof fn>[0], call: (values: readonly bigint[]) => bigint): FunctionSpec {
  return fn(params, (_, args) => int64(call(args.map(toInteger))))
}

function floats(params: Parameters<typeof fn>[0], call: (first: number, others: number[]) => number): FunctionSpec {
  return fn(params, (_, args) => {
    const [first = 0, ...others] = args.map(toFloat)
    return call(first, others)
  })
}

function decimals(operator: '+' | '-' | '*' | '/', first: number, others: readonly number[]): number {
  const result = decimalArithmetic(operator, first, others)
  if (result === undefined) throw new GoError('decimal division by 0')
  return result
}

function divisor(value: bigint | undefined): bigint {
  if (value === undefined || value === 0n) throw new GoError('runtime error: integer divide by zero')
  return value
}

function extreme(better: (a: bigint, b: bigint) => boolean): FunctionSpec {
  return integers(['any', '...any'], (values) => values.reduce((best, value) => (better(value, best) ? value : best)))
}

/** Go's math.Max and math.Min: NaN wins over all. */
const extremeFloat = (pick: (a: number, b: number) => number): FunctionSpec =>
  floats(['any', '...any'], (first, others) => others.reduce((best, value) => pick(best, value), first))

/** Integers from a start to before an end; empty when the step leads away. */
function steps(start: bigint, stop: bigint, step: bigint, meter: Meter): bigint[] {
  const distance = stop - start
  if (distance === 0n || step === 0n || distance > 0n !== step > 0n) return []
  const count = (distance + step - (step > 0n ? 1n : -1n)) / step
  meter.list(Number(count))
  return Array.from({ length: Number(count) }, (_, index) => start + BigInt(index) * step)
}

const intSlice = (values: readonly bigint[]): GoSlice => typedSlice('int', values)

/** What the shell's `seq` prints, in one line. */
function sequence(params: readonly bigint[], meter: Meter): string {
  const [a = 0n, b = 0n, c = 0n] = params
  let [start, step, end] = [1n, 1n, a]
  if (params.length === 2) [start, end] = [a, b]
  else if (params.length === 3) [start, step, end] = [a, b, c]
  else if (params.length !== 1) return ''
  const direction = end < start ? -1n : 1n
  if (params.length < 3) step = direction
  else if (end < start && step > 0n) return ''
  return steps(start, end + direction, step, meter).join(' ')
}

function round(value: number, places: number, threshold: number): number {
  const power = 10 ** places
  const scaled = power * value
  const fraction = scaled - Math.trunc(scaled)
  return (fraction >= threshold ? Math.ceil(scaled) : Math.floor(scaled)) / power
}

const max = extreme((a, b) => a > b)

/** sprig's arithmetic: integers are 64 bits wide and wrap around. */
export const math: Readonly<Record<string, FunctionSpec>> = {
  int: fn(['any'], (_, [value]) => toInteger(value)),
  int64: fn(['any'], (_, [value]) => int64(toInteger(value))),
  float64: fn(['any'], (_, [value]) => toFloat(value)),
  atoi: fn(['string'], (_, [text]) => {
    const digits = /^[+-]?\d{1,19}$/.test(text as string) ? BigInt(text as string) : 0n
    return wrap(digits) === digits ? digits : digits > 0n ? 2n ** 63n - 1n : -(2n ** 63n)
  }),
  toDecimal: fn(['any'], ({ meter }, [value]) => {
    const text = printValue(value, meter)
    return int64(/^[+-]?[0-7]{1,21}$/.test(text) ? octal(text) : 0n)
  }),
  add: integers(['...any'], (values) => values.reduce((sum, value) => wrap(sum + value), 0n)),
  add1: integers(['any'], ([value = 0n]) => value + 1n),
  sub: integers(['any', 'any'], ([a = 0n, b = 0n]) => a - b),
  mul: integers(['any', '...any'], (values) => values.reduce((product, value) => wrap(product * value))),
  div: integers(['any', 'any'], ([a = 0n, b]) => a / divisor(b)),
  mod: integers(['any', 'any'], ([a = 0n, b]) => a % divisor(b)),
  max,
  biggest: max,
  min: extreme((a, b) => a < b),
  add1f: floats(['any'], (value) => decimals('+', value, [1])),
  addf: floats(['...any'], (first, others) => decimals('+', first, others)),
  subf: floats(['any', '...any'], (first, others) => decimals('-', first, others)),
  mulf: floats(['any', '...any'], (first, others) => decimals('*', first, others)),
  divf: floats(['any', '...any'], (first, others) => decimals('/', first, others)),
  maxf: extremeFloat(Math.max),
  minf: extremeFloat(Math.min),
  ceil: floats(['any'], Math.ceil),
  floor: floats(['any'], Math.floor),
  round: fn(['any', 'int', '...float64'], (_, [value, places, threshold]) =>
    round(toFloat(value), Number(places), typeof threshold === 'number' ? threshold : 0.5),
  ),
  until: fn(['int'], ({ meter }, [count]) => {
    const stop = count as bigint
    return intSlice(steps(0n, stop, stop < 0n ? -1n : 1n, meter))
  }),
  untilStep: fn(['int', 'int', 'int'], ({ meter }, args) => {
    const [start = 0n, stop = 0n, step = 0n] = args as readonly bigint[]
    return intSlice(steps(start, stop, step, meter))
  }),
  seq: fn(['...int'], ({ meter }, params: readonly GoValue[]) => sequence(params as readonly bigint[], meter)),
}

function octal(text: string): bigint {
  const digits = text.replace(/^[+-]/, '')
  const value = BigInt(`0o${digits}`)
  const signed = text.startsWith('-') ? -value : value
  return wrap(signed) === signed ? signed : 0n
}
