/** The forms a log line can take besides one JSON object per line: for people, and for Graylog. */
import { hostname } from 'node:os'

const COLORS: Readonly<Record<string, number>> = { trace: 90, debug: 90, info: 32, warn: 33, error: 31, fatal: 31 }

/** Syslog severities (RFC 5424 section 6.2.1), as GELF wants them. */
const SEVERITIES: Readonly<Record<string, number>> = { trace: 7, debug: 7, info: 6, warn: 4, error: 3, fatal: 2 }

export type LineFormat = (line: string) => string

/** `12:00:00.000 INFO  message key=value …`; control characters never reach the terminal. */
export function textFormat(color: boolean): LineFormat {
  const paint = (code: number, text: string): string => (color ? `\u001B[${code}m${text}\u001B[0m` : text)
  return (line) => {
    const { time, level, msg, err, ...fields } = parse(line)
    const name = String(level)
    const label = name.toUpperCase().padEnd(5)
    const pairs = Object.entries(fields).map(([key, value]) => `${paint(90, `${key}=`)}${plain(value)}`)
    const head = `${paint(90, String(time).slice(11, 23))} ${paint(COLORS[name] ?? 0, label)} ${printable(String(msg))}`
    return `${[head, ...pairs].join(' ')}\n${errorLines(err)}`
  }
}

/** The same object, indented. */
export const prettyJsonFormat: LineFormat = (line) => `${JSON.stringify(JSON.parse(line), null, 2)}\n`

/** GELF 1.1: additional fields are prefixed with `_`, and are strings or numbers. */
export const gelfFormat: LineFormat = (line) => {
  const { time, level, msg, ...fields } = parse(line)
  const gelf: Record<string, unknown> = {
    version: '1.1',
    host: hostname(),
    short_message: msg,
    timestamp: Date.parse(String(time)) / 1000,
    level: SEVERITIES[String(level)] ?? 6,
  }
  for (const [key, value] of Object.entries(fields)) {
    // `_id` is reserved.
    const name = key === 'id' ? '_field_id' : `_${key}`
    gelf[name] = typeof value === 'number' || typeof value === 'string' ? value : JSON.stringify(value)
  }
  return `${JSON.stringify(gelf)}\n`
}

const parse = (line: string): Record<string, unknown> => JSON.parse(line) as Record<string, unknown>

function plain(value: unknown): string {
  if (typeof value === 'string') return /^[\w./:@%~+-]+$/.test(value) ? value : JSON.stringify(printable(value))
  return JSON.stringify(value)
}

const printable = (text: string): string => text.replaceAll(/[\u0000-\u001F\u007F-\u009F]/g, '\uFFFD')

function errorLines(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  const { stack, message } = error as { stack?: unknown; message?: unknown }
  const text = typeof stack === 'string' ? stack : String(message)
  return `${text
    .split('\n')
    .map((line) => `    ${printable(line)}`)
    .join('\n')}\n`
}
