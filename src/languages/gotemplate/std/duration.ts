import { GoObject, type GoMethod, type GoValue, type MethodTable } from '../values/value.ts'
import { int64 } from '../values/types.ts'

const second = 1_000_000_000n
const minute = 60n * second
const hour = 60n * minute

/** Units of Go's duration syntax, in nanoseconds. */
const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: second,
  m: minute,
  h: hour,
}

const maxDuration = 2n ** 63n - 1n

/**
 * Reads a duration such as `1h30m` or `-1.5s` (Go's time.ParseDuration).
 * @returns nanoseconds; undefined when malformed or out of range
 */
export function parseDuration(text: string): bigint | undefined {
  const body = /^[+-]/.test(text) ? text.slice(1) : text
  if (body === '0') return 0n
  if (body === '' || body.length > 200) return undefined
  let total = 0n
  let at = 0
  for (const match of body.matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/gy)) {
    const [all, whole = '', fraction = '', unit = ''] = match
    if (whole === '' && fraction === '') return undefined
    const size = units[unit] as bigint
    total += BigInt(whole || '0') * size
    if (fraction !== '') total += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length)
    at += all.length
  }
  if (at !== body.length || total > maxDuration) return undefined
  return text.startsWith('-') ? -total : total
}

/** Prints nanoseconds as Go does: `1h0m0s`, `1.5s`, `20ms`. */
export function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s'
  const sign = nanoseconds < 0n ? '-' : ''
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds
  if (size < 1_000n) return `${sign}${size}ns`
  if (size < 1_000_000n) return `${sign}${decimal(size, 1_000n)}µs`
  if (size < second) return `${sign}${decimal(size, 1_000_000n)}ms`
  const seconds = `${decimal(size % minute, second)}s`
  if (size < minute) return sign + seconds
  const minutes = `${(size % hour) / minute}m${seconds}`
  return size < hour ? sign + minutes : `${sign}${size / hour}h${minutes}`
}

function decimal(size: bigint, unit: bigint): string {
  const fraction = (size % unit).toString().padStart(unit.toString().length - 1, '0')
  let end = fraction.length
  while (end > 0 && fraction[end - 1] === '0') end--
  return end === 0 ? `${size / unit}` : `${size / unit}.${fraction.slice(0, end)}`
}

/** A time.Duration. */
export class GoDuration extends GoObject {
  readonly typeName = 'time.Duration'
  readonly kind = 'int64'
  readonly nanoseconds: bigint

  constructor(nanoseconds: bigint) {
    super()
    this.nanoseconds = nanoseconds
  }

  override get integer(): bigint {
    return this.nanoseconds
  }

  override text(): string {
    return formatDuration(this.nanoseconds)
  }

  override get methods(): MethodTable<never> {
    return durationMethods
  }
}

const method = (call: (duration: GoDuration) => GoValue): GoMethod<GoDuration> => ({ params: [], call })
const inUnit = (unit: bigint): GoMethod<GoDuration> => method(({ nanoseconds }) => Number(nanoseconds) / Number(unit))
const wholeUnit = (unit: bigint): GoMethod<GoDuration> => method(({ nanoseconds }) => int64(nanoseconds / unit))

const durationMethods: MethodTable<GoDuration> = new Map<string, GoMethod<GoDuration>>([
  ['Hours', inUnit(hour)],
  ['Minutes', inUnit(minute)],
  ['Seconds', inUnit(second)],
  ['Milliseconds', wholeUnit(1_000_000n)],
  ['Microseconds', wholeUnit(1_000n)],
  ['Nanoseconds', wholeUnit(1n)],
  ['String', method((duration) => duration.text())],
])
