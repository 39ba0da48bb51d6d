import { GoError } from '../errors.ts'
import { formatDuration, GoDuration, parseDuration } from '../std/duration.ts'
import { formatTime } from '../std/format_time.ts'
import { parseTime } from '../std/parse_time.ts'
import { GoTime, zoneOrUtc } from '../std/time.ts'
import { integerOf } from '../values/types.ts'
import { GoInt, type GoValue } from '../values/value.ts'
import { toInteger } from './cast.ts'
import { fn, type FunctionSpec, type Host, volatile } from './spec.ts'

const second = 1_000_000_000n

const now = (host: Host): GoTime => new GoTime(BigInt(host.now()) * 1_000_000n, 'Local')

/** A time, or an integer as seconds since the epoch; anything else is now. */
function timeOf(value: GoValue, host: Host): GoTime {
  if (value instanceof GoTime) return value
  const seconds = typeof value === 'bigint' || value instanceof GoInt ? integerOf(value) : undefined
  if (seconds !== undefined) return new GoTime(seconds * second, 'Local')
  return now(host)
}

function format(layout: GoValue, value: GoValue, zone: string, host: Host): string {
  return formatTime(new GoTime(timeOf(value, host).nanoseconds, zoneOrUtc(zone)), layout as string)
}

function modified(by: string, time: GoTime): GoTime | undefined {
  const duration = parseDuration(by)
  return duration === undefined ? undefined : new GoTime(time.nanoseconds + duration, time.zone)
}

/** Half away from zero to whole seconds. */
function roundToSeconds(nanoseconds: bigint): bigint {
  const half = nanoseconds < 0n ? -second / 2n : second / 2n
  return ((nanoseconds + half) / second) * second
}

const largeUnits: readonly [unit: string, seconds: bigint][] = [
  ['y', 365n * 86_400n],
  ['mo', 30n * 86_400n],
  ['d', 86_400n],
  ['h', 3_600n],
  ['m', 60n],
  ['s', 1n],
]

function roundDuration(nanoseconds: bigint): string {
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds
  for (const [unit, seconds] of largeUnits) if (size > seconds * second) return `${size / (seconds * second)}${unit}`
  return '0s'
}

function durationOf(value: GoValue, host: Host): bigint {
  if (typeof value === 'string') return parseDuration(value) ?? 0n
  if (value instanceof GoInt && value.kind === 'int64') return value.integer
  return value instanceof GoTime ? now(host).nanoseconds - value.nanoseconds : 0n
}

// whatever formats a value that is no time formats the current time, so these count as volatile
const dateInZone = volatile(['string', 'any', 'string'], ({ host }, [layout, value, zone]) =>
  format(layout, value, zone as string, host),
)
const dateModify = fn(['string', 'time'], (_, [by, time]) => modified(by as string, time as GoTime) ?? time)
const mustDateModify = fn(['string', 'time'], (_, [by, time]) => {
  const result = modified(by as string, time as GoTime)
  if (result === undefined) throw new GoError('time: invalid duration')
  return result
})

/** sprig's functions of dates. */
export const dates: Readonly<Record<string, FunctionSpec>> = {
  now: volatile([], ({ host }) => now(host)),
  date: volatile(['string', 'any'], ({ host }, [layout, value]) => format(layout, value, 'Local', host)),
  dateInZone,
  date_in_zone: dateInZone,
  htmlDate: volatile(['any'], ({ host }, [value]) => format('2006-01-02', value, 'Local', host)),
  htmlDateInZone: volatile(['any', 'string'], ({ host }, [value, zone]) =>
    format('2006-01-02', value, zone as string, host),
  ),
  dateModify,
  date_modify: dateModify,
  mustDateModify,
  must_date_modify: mustDateModify,
  ago: volatile(['any'], ({ host }, [value]) =>
    formatDuration(roundToSeconds(now(host).nanoseconds - timeOf(value, host).nanoseconds)),
  ),
  toDate: fn(['string', 'string'], (_, [layout, text]) => {
    try {
      return parseTime(layout as string, text as string, 'Local')
    } catch {
      return GoTime.zero()
    }
  }),
  mustToDate: fn(['string', 'string'], (_, [layout, text]) => parseTime(layout as string, text as string, 'Local')),
  unixEpoch: fn(['time'], (_, [time]) => String((time as GoTime).seconds)),
  duration: fn(['any'], (_, [value]) => {
    const isSeconds = typeof value === 'string' || (value instanceof GoInt && value.kind === 'int64')
    return formatDuration(BigInt.asIntN(64, (isSeconds ? toInteger(value) : 0n) * second))
  }),
  durationRound: volatile(['any'], ({ host }, [value]) => {
    return roundDuration(value instanceof GoDuration ? 0n : durationOf(value, host))
  }),
}
