import { GoError } from '../errors.ts'
import { int64 } from '../values/types.ts'
import { type GoMethod, GoObject, type GoValue, type MethodTable } from '../values/value.ts'
import { GoDuration } from './duration.ts'
import { parseLayout } from './layout.ts'
import { isZone, offsetAt, type Zone } from './zone.ts'

const billion = 1_000_000_000n

export const months =
  'January February March April May June July August September October November December'.split(' ')
export const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

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
    return timeMethods as MethodTable<never>
  }
}

interface DateFields {
  readonly date: Date
  readonly offset: number
  readonly abbreviation: string
}

function dateFields(time: GoTime): DateFields {
  const { seconds: offset, name } = offsetAt(time.zone, Number(time.seconds))
  return { date: new Date((Number(time.seconds) + offset) * 1000), offset, abbreviation: name }
}

const two = (value: number): string => String(value).padStart(2, '0')

function dayOfYear(date: Date): number {
  const start = new Date(date)
  start.setUTCMonth(0, 1)
  return Math.round((date.getTime() - start.getTime()) / 86_400_000) + 1
}

/** Formats a time by Go's reference layout. */
export function formatTime(time: GoTime, layout: string): string {
  return parseLayout(layout)
    .map(({ element, text }) => (element === undefined ? text : formatElement(time, element)))
    .join('')
}

function formatElement(time: GoTime, element: string): string {
  const { date, offset, abbreviation } = time.fields
  const hour12 = date.getUTCHours() % 12 || 12
  switch (element) {
    case '2006': {
      const year = date.getUTCFullYear()
      return `${year < 0 ? '-' : ''}${String(Math.abs(year)).padStart(4, '0')}`
    }
    case '06':
      return two(Math.abs(date.getUTCFullYear()) % 100)
    case 'January':
      return months[date.getUTCMonth()] as string
    case 'Jan':
      return (months[date.getUTCMonth()] as string).slice(0, 3)
    case '01':
      return two(date.getUTCMonth() + 1)
    case '1':
      return String(date.getUTCMonth() + 1)
    case 'Monday':
      return days[date.getUTCDay()] as string
    case 'Mon':
      return (days[date.getUTCDay()] as string).slice(0, 3)
    case '02':
      return two(date.getUTCDate())
    case '2':
      return String(date.getUTCDate())
    case '_2':
      return String(date.getUTCDate()).padStart(2, ' ')
    case '002':
      return String(dayOfYear(date)).padStart(3, '0')
    case '__2':
      return String(dayOfYear(date)).padStart(3, ' ')
    case '15':
      return two(date.getUTCHours())
    case '03':
      return two(hour12)
    case '3':
      return String(hour12)
    case '04':
      return two(date.getUTCMinutes())
    case '4':
      return String(date.getUTCMinutes())
    case '05':
      return two(date.getUTCSeconds())
    case '5':
      return String(date.getUTCSeconds())
    case 'PM':
      return date.getUTCHours() >= 12 ? 'PM' : 'AM'
    case 'pm':
      return date.getUTCHours() >= 12 ? 'pm' : 'am'
    case 'MST':
      return abbreviation === '' ? formatOffset(offset, '-0700') : abbreviation
    default:
      return element.startsWith('.') || element.startsWith(',')
        ? formatFraction(time.nanosecond, element)
        : formatOffset(offset, element)
  }
}

function formatFraction(nanosecond: bigint, element: string): string {
  const digits = nanosecond.toString().padStart(9, '0').slice(0, element.length - 1)
  if (element[1] === '0') return element.charAt(0) + digits.padEnd(element.length - 1, '0')
  let end = digits.length
  while (end > 0 && digits[end - 1] === '0') end--
  return end === 0 ? '' : element.charAt(0) + digits.slice(0, end)
}

function formatOffset(offset: number, element: string): string {
  if (element.startsWith('Z') && offset === 0) return 'Z'
  const size = Math.abs(offset)
  const parts = [two(Math.floor(size / 3600)), two(Math.floor(size / 60) % 60), two(size % 60)]
  const shown = parts.slice(0, (element.replaceAll(':', '').length - 1) / 2)
  return (offset < 0 ? '-' : '+') + shown.join(element.includes(':') ? ':' : '')
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
    return namedMethods as MethodTable<never>
  }
}

const namedMethods: MethodTable<Named> = new Map([['String', { params: [], call: (named: Named) => named.text() }]])
