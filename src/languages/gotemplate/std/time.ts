import { GoError } from '../errors.ts'
import { int64 } from '../values/types.ts'
import { type GoMethod, GoObject, type GoValue, type MethodTable } from '../values/value.ts'
import { GoDuration } from './duration.ts'
import { dayOfYear, type DateFields, days, formatTime, months } from './format_time.ts'
import { isZone, offsetAt, type Zone } from './zone.ts'

const billion = 1_000_000_000n

/** Seconds of Go's zero time, 1 January of the year 1, since the epoch. */
const zeroSeconds = -62_135_596_800n

/** A time.Time: nanoseconds since the epoch, seen in a zone. */
export class GoTime extends GoObject {
  readonly typeName = 'time.Time'
  readonly kind = 'struct'
  readonly nanoseconds: bigint
  readonly zone: Zone
  #fields: DateFields | undefined

  constructor(nanoseconds: bigint, zone: Zone) {
    super()
    this.nanoseconds = nanoseconds
    this.zone = zone
  }

  static zero(): GoTime {
    return new GoTime(zeroSeconds * billion, 'UTC')
  }

  get seconds(): bigint {
    return (this.nanoseconds - this.nanosecond) / billion
  }

  get nanosecond(): bigint {
    return ((this.nanoseconds % billion) + billion) % billion
  }

  /** The date and time of day in the zone. */
  get fields(): DateFields {
    this.#fields ??= dateFields(this)
    return this.#fields
  }

  override text(): string {
    return formatTime(this, '2006-01-02 15:04:05.999999999 -0700 MST')
  }

  override json(): string {
    return formatTime(this, '2006-01-02T15:04:05.999999999Z07:00')
  }

  override get methods(): MethodTable<never> {
    return timeMethods
  }
}

function dateFields(time: GoTime): DateFields {
  const { seconds: offset, name } = offsetAt(time.zone, Number(time.seconds))
  return { date: new Date((Number(time.seconds) + offset) * 1000), offset, abbreviation: name }
}

function method(
  params: GoMethod<GoTime>['params'],
  call: (time: GoTime, ...args: GoValue[]) => GoValue,
): GoMethod<GoTime> {
  return { params, call }
}

const field = (get: (date: Date) => number): GoMethod<GoTime> => method([], ({ fields }) => BigInt(get(fields.date)))

const asTime = (value: GoValue): GoTime => {
  if (value instanceof GoTime) return value
  throw new GoError('expected a time')
}

const timeMethods: MethodTable<GoTime> = new Map<string, GoMethod<GoTime>>([
  ['Unix', method([], (time) => int64(time.seconds))],
  ['UnixMilli', method([], (time) => int64(time.nanoseconds / 1_000_000n))],
  ['UnixMicro', method([], (time) => int64(time.nanoseconds / 1_000n))],
  ['UnixNano', method([], (time) => int64(time.nanoseconds))],
  ['Year', field((date) => date.getUTCFullYear())],
  ['Month', method([], ({ fields }) => new Named('time.Month', fields.date.getUTCMonth() + 1, months, 1))],
  ['Day', field((date) => date.getUTCDate())],
  ['Hour', field((date) => date.getUTCHours())],
  ['Minute', field((date) => date.getUTCMinutes())],
  ['Second', field((date) => date.getUTCSeconds())],
  ['Nanosecond', method([], (time) => time.nanosecond)],
  ['YearDay', field(dayOfYear)],
  ['Weekday', method([], ({ fields }) => new Named('time.Weekday', fields.date.getUTCDay(), days, 0))],
  ['Format', method(['string'], (time, layout) => formatTime(time, layout as string))],
  ['String', method([], (time) => time.text())],
  ['UTC', method([], (time) => new GoTime(time.nanoseconds, 'UTC'))],
  ['Local', method([], (time) => new GoTime(time.nanoseconds, 'Local'))],
  ['IsZero', method([], (time) => time.nanoseconds === zeroSeconds * billion)],
  ['Add', method(['duration'], (time, by) => new GoTime(time.nanoseconds + (by as GoDuration).nanoseconds, time.zone))],
  ['Sub', method(['time'], (time, other) => new GoDuration(time.nanoseconds - asTime(other).nanoseconds))],
  ['Before', method(['time'], (time, other) => time.nanoseconds < asTime(other).nanoseconds)],
  ['After', method(['time'], (time, other) => time.nanoseconds > asTime(other).nanoseconds)],
  ['Equal', method(['time'], (time, other) => time.nanoseconds === asTime(other).nanoseconds)],
  [
    'AddDate',
    method(['int', 'int', 'int'], (time, years, monthsToAdd, daysToAdd) => {
      const { date } = time.fields
      const moved = new Date(date)
      moved.setUTCFullYear(
        date.getUTCFullYear() + Number(years),
        date.getUTCMonth() + Number(monthsToAdd),
        date.getUTCDate() + Number(daysToAdd),
      )
      if (Number.isNaN(moved.getTime())) throw new GoError('the date is out of range')
      return timeIn(moved.getTime() / 1000, time.nanosecond, time.zone)
    }),
  ],
])

/** The time that a zone's clocks show as these seconds since the epoch. */
export function timeIn(wallSeconds: number, nanosecond: bigint, zone: Zone): GoTime {
  // the offset is that of the time itself, so guess and correct
  let offset = offsetAt(zone, wallSeconds).seconds
  offset = offsetAt(zone, wallSeconds - offset).seconds
  return new GoTime(BigInt(Math.floor(wallSeconds) - offset) * billion + nanosecond, zone)
}

/** The zone of that name; UTC when there is none. */
export const zoneOrUtc = (name: string): Zone => (name !== '' && isZone(name) ? name : 'UTC')

/** A small integer that prints as a name. */
class Named extends GoObject {
  readonly kind = 'int'
  readonly typeName: string
  readonly #integer: bigint
  readonly #names: readonly string[]
  readonly #first: number

  constructor(typeName: string, value: number, names: readonly string[], first: number) {
    super()
    this.typeName = typeName
    this.#integer = BigInt(value)
    this.#names = names
    this.#first = first
  }

  override get integer(): bigint {
    return this.#integer
  }

  override text(): string {
    return this.#names[Number(this.#integer) - this.#first] ?? String(this.#integer)
  }

  override get methods(): MethodTable<never> {
    return namedMethods
  }
}

const namedMethods: MethodTable<Named> = new Map([['String', { params: [], call: (named: Named) => named.text() }]])
