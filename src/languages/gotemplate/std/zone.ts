/** A time zone: `UTC`, `Local`, a name of the IANA database, or a fixed offset in seconds east of UTC. */
export type Zone = string | number

const formats = new Map<string, Intl.DateTimeFormat | undefined>()

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  if (!formats.has(zone)) formats.set(zone, makeFormat(zone))
  return formats.get(zone)
}

function makeFormat(zone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      ...(zone === 'Local' ? {} : { timeZone: zone }),
      calendar: 'iso8601',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
      hourCycle: 'h23',
      timeZoneName: 'short',
    })
  } catch {
    return undefined
  }
}

/** Whether a name is a zone; bounded, because names come from templates and their data. */
export function isZone(name: string): boolean {
  if (name === 'UTC' || name === 'Local') return true
  // names that Go's database has not, but Intl accepts (offsets), are left out
  if (!/^[A-Z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/.test(name) || name.length > 40) return false
  return makeFormat(name) !== undefined
}

interface ZoneOffset {
  /** Seconds east of UTC. */
  readonly seconds: number
  /** Abbreviation such as `UTC` or `CET`; the offset when the zone has none, and empty for a fixed offset. */
  readonly name: string
}

/** A zone's offset at a time. @param unixSeconds seconds since the epoch */
export function offsetAt(zone: Zone, unixSeconds: number): ZoneOffset {
  if (zone === 'UTC') return { seconds: 0, name: 'UTC' }
  if (typeof zone === 'number') return { seconds: zone, name: '' }
  const format = formatOf(zone)
  const milliseconds = unixSeconds * 1000
  if (format === undefined || Math.abs(milliseconds) > 8.64e15) return { seconds: 0, name: 'UTC' }
  const parts = new Map(format.formatToParts(milliseconds).map(({ type, value }) => [type, value]))
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type))
  const year = parts.get('era')?.startsWith('B') === true ? 1 - part('year') : part('year')
  const date = new Date(0)
  date.setUTCFullYear(year, part('month') - 1, part('day'))
  date.setUTCHours(part('hour'), part('minute'), part('second'))
  const seconds = Math.round(date.getTime() / 1000) - unixSeconds
  return { seconds, name: abbreviation(parts.get('timeZoneName') ?? '', zone, milliseconds, seconds) }
}

function abbreviation(american: string, zone: string, milliseconds: number, seconds: number): string {
  if (/^[A-Z]{2,5}$/.test(american)) return american
  // American English has no short names for most of the world's zones
  for (const locale of ['en-GB', 'en-AU', 'en-IN', 'en-ZA']) {
    const format = new Intl.DateTimeFormat(locale, {
      ...(zone === 'Local' ? {} : { timeZone: zone }),
      timeZoneName: 'short',
    })
    const name = format.formatToParts(milliseconds).find(({ type }) => type === 'timeZoneName')?.value ?? ''
    if (/^[A-Z]{2,5}$/.test(name)) return name
  }
  const minutes = Math.abs(seconds) / 60
  const digits = `${String(Math.floor(minutes / 60)).padStart(2, '0')}${minutes % 60 === 0 ? '' : minutes % 60}`
  return `${seconds < 0 ? '-' : '+'}${digits}`
}
