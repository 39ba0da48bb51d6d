import { GoError } from '../errors.ts'
import { days, months } from './format_time.ts'
import { parseLayout } from './layout.ts'
import { GoTime, timeIn } from './time.ts'
import type { Zone } from './zone.ts'

/** What has been read of a time so far. */
interface Reading {
  year: number
  month: number
  day: number
  dayOfYear: number | undefined
  hour: number
  minute: number
  second: number
  nanosecond: bigint
  afternoon: boolean | undefined
  offset: number | undefined
}

/**
 * Reads a time by Go's reference layout (time.ParseInLocation).
 * @param zone where the text names none
 * @throws GoError when the text does not fit the layout
 */
export function parseTime(layout: string, text: string, zone: Zone): GoTime {
  const reading: Reading = {
    year: 0,
    month: 1,
    day: 1,
    dayOfYear: undefined,
    hour: 0,
    minute: 0,
    second: 0,
    nanosecond: 0n,
    afternoon: undefined,
    offset: undefined,
  }
  let rest = text
  const bad = (): never => {
    throw new GoError(`cannot parse the text as a time of the layout ${JSON.stringify(layout)}`)
  }
  for (const part of parseLayout(layout)) {
    if (part.element === undefined) {
      if (!rest.startsWith(part.text)) bad()
      rest = rest.slice(part.text.length)
      continue
    }
    const length = readElement(reading, part.element, rest) ?? bad()
    rest = rest.slice(length)
    // a fraction may follow the seconds without standing in the layout
    if (part.element === '05' || part.element === '5') {
      const fraction = /^[.,]\d{1,9}/.exec(rest)?.[0]
      if (fraction !== undefined && !/05?[.,][09]/.test(layout)) {
        reading.nanosecond = toNanoseconds(fraction)
        rest = rest.slice(fraction.length)
      }
    }
  }
  if (rest !== '' || !isValid(reading)) bad()
  return toTime(reading, zone)
}

const toNanoseconds = (fraction: string): bigint => BigInt(fraction.slice(1).padEnd(9, '0'))

/** Reads one element; the number of characters read, or undefined when it does not fit. */
function readElement(reading: Reading, element: string, text: string): number | undefined {
  const number = (pattern: RegExp, set: (value: number) => void): number | undefined => {
    const found = pattern.exec(text)?.[0]
    if (found === undefined) return undefined
    set(Number(found))
    return found.length
  }
  const name = (names: readonly string[], length: number | undefined, set: (index: number) => void) => {
    const index = names.findIndex((each) => text.toLowerCase().startsWith(each.slice(0, length).toLowerCase()))
    if (index === -1) return undefined
    set(index)
    return (names[index] as string).slice(0, length).length
  }
  switch (element) {
    case '2006':
      return number(/^\d{4}/, (value) => (reading.year = value))
    case '06':
      return number(/^\d{2}/, (value) => (reading.year = value + (value >= 69 ? 1900 : 2000)))
    case 'January':
      return name(months, undefined, (index) => (reading.month = index + 1))
    case 'Jan':
      return name(months, 3, (index) => (reading.month = index + 1))
    case '01':
      return number(/^\d{2}/, (value) => (reading.month = value))
    case '1':
      return number(/^\d{1,2}/, (value) => (reading.month = value))
    case 'Monday':
      return name(days, undefined, () => undefined)
    case 'Mon':
      return name(days, 3, () => undefined)
    case '02':
      return number(/^\d{2}/, (value) => (reading.day = value))
    case '2':
    case '_2':
      return number(/^ ?\d{1,2}/, (value) => (reading.day = value))
    case '002':
    case '__2':
      return number(/^[\d ]{2}\d/, (value) => (reading.dayOfYear = value))
    case '15':
    case '03':
      return number(/^\d{2}/, (value) => (reading.hour = value))
    case '3':
      return number(/^\d{1,2}/, (value) => (reading.hour = value))
    case '04':
      return number(/^\d{2}/, (value) => (reading.minute = value))
    case '4':
      return number(/^\d{1,2}/, (value) => (reading.minute = value))
    case '05':
      return number(/^\d{2}/, (value) => (reading.second = value))
    case '5':
      return number(/^\d{1,2}/, (value) => (reading.second = value))
    case 'PM':
    case 'pm':
      return name(
        element === 'PM' ? ['AM', 'PM'] : ['am', 'pm'],
        undefined,
        (index) => (reading.afternoon = index === 1),
      )
    case 'MST': {
      const zoneName = /^(UTC|GMT[+-]\d{1,2}|[A-Z]{3,4}|[+-]\d{2})/.exec(text)?.[0]
      // other abbreviations are not unique, and Go takes them for UTC as well
      if (zoneName !== undefined) reading.offset ??= zoneName === 'UTC' ? 0 : undefined
      return zoneName?.length
    }
    default:
      return element.startsWith('.') || element.startsWith(',')
        ? readFraction(reading, element, text)
        : readOffset(reading, element, text)
  }
}

function readFraction(reading: Reading, element: string, text: string): number | undefined {
  const exact = element[1] === '0' ? element.length - 1 : undefined
  const found = /^[.,]\d{1,9}/.exec(text)?.[0]
  if (found === undefined) return exact === undefined ? 0 : undefined
  if (exact !== undefined && found.length - 1 < exact) return undefined
  const taken = exact === undefined ? found : found.slice(0, exact + 1)
  reading.nanosecond = toNanoseconds(taken)
  return taken.length
}

function readOffset(reading: Reading, element: string, text: string): number | undefined {
  if (element.startsWith('Z') && text.startsWith('Z')) {
    reading.offset = 0
    return 1
  }
  const colon = element.includes(':') ? ':' : ''
  const parts = (element.replaceAll(':', '').length - 1) / 2
  const pattern = new RegExp(`^([+-])(\\d{2})${`${colon}(\\d{2})`.repeat(parts - 1)}`)
  const found = pattern.exec(text)
  if (found === null) return undefined
  const [all, sign, hours, minutes = '0', seconds = '0'] = found
  const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
  reading.offset = sign === '-' ? -size : size
  return all.length
}

function isValid({ year, month, day, hour, minute, second, afternoon }: Reading): boolean {
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return false
  if (afternoon !== undefined && hour > 12) return false
  const date = new Date(0)
  date.setUTCFullYear(year, month, 0)
  return day <= date.getUTCDate()
}

function toTime(reading: Reading, zone: Zone): GoTime {
  const { year, month, day, dayOfYear, minute, second, nanosecond, afternoon, offset } = reading
  const hour = afternoon === undefined ? reading.hour : (reading.hour % 12) + (afternoon ? 12 : 0)
  const date = new Date(0)
  if (dayOfYear === undefined) date.setUTCFullYear(year, month - 1, day)
  else date.setUTCFullYear(year, 0, dayOfYear)
  date.setUTCHours(hour, minute, second)
  const wall = date.getTime() / 1000
  if (offset === undefined) return timeIn(wall, nanosecond, zone)
  return new GoTime(BigInt(wall - offset) * 1_000_000_000n + nanosecond, offset === 0 ? 'UTC' : offset)
}
