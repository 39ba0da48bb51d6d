import { parseLayout } from './layout.ts'

export const months = 'January February March April May June July August September October November December'.split(' ')
export const days = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

/** A time as a zone's clocks show it. */
export interface DateFields {
  /** Its UTC fields are those of the zone. */
  readonly date: Date
  /** Seconds east of UTC. */
  readonly offset: number
  readonly abbreviation: string
}

interface FormattedTime {
  readonly fields: DateFields
  readonly nanosecond: bigint
}

/** The day's number in its year, from 1. */
export function dayOfYear(date: Date): number {
  const start = new Date(date)
  start.setUTCMonth(0, 1)
  return Math.round((date.getTime() - start.getTime()) / 86_400_000) + 1
}

const two = (value: number): string => String(value).padStart(2, '0')

/** Formats a time by Go's reference layout. */
export function formatTime(time: FormattedTime, layout: string): string {
  return parseLayout(layout)
    .map(({ element, text }) => (element === undefined ? text : formatElement(time, element)))
    .join('')
}

function formatElement(time: FormattedTime, element: string): string {
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
  const digits = nanosecond
    .toString()
    .padStart(9, '0')
    .slice(0, element.length - 1)
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
