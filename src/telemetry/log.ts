/** The log: one JSON object per line, without secrets. Who writes it where is the caller's choice. */
import { pino, stdTimeFunctions } from 'pino'
import { gelfFormat, prettyJsonFormat, textFormat, type LineFormat } from './log_format.ts'
import { normalizeKey, redact, redactText, type RedactOptions } from './redact.ts'

/** Oathkeeper's `log` block. `leak_sensitive_values` is known to the config and has no effect: secrets are never logged. */
export interface LogSettings {
  /** panic, fatal, error, warning, info, debug or trace; `info` when absent. */
  readonly level?: string | undefined
  /** text (lines for people on a terminal, JSON elsewhere), json, json_pretty or gelf. */
  readonly format?: string | undefined
  /** What stands in the place of a secret; empty means `[redacted]`. */
  readonly redaction_text?: string | undefined
  /** Further header (or field) names that hold secrets. */
  readonly additional_redacted_headers?: readonly string[] | undefined
}

/** Where lines go. A write must not throw. */
export interface LogTarget {
  write(line: string): unknown
  readonly isTTY?: boolean | undefined
  /** Whether lines for people may be coloured. */
  readonly color?: boolean | undefined
}

export type Severity = 'debug' | 'info' | 'warn' | 'error'

export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /**
   * The same, for the one line of every request: fields that are known to hold no secret, texts that went through `clean`.
   * Skips the search for secrets, which costs more than all the rest.
   */
  line(severity: Severity, fields: object, message: string): void
  /** A text without what looks like a secret. */
  clean(text: string): string
  /** Lets a caller skip the making of a line that nobody will see. */
  enabled(severity: Severity): boolean
}

/** A log whose lines go to whatever `current` gives at that moment: the log that is configured replaces the first one. */
export function forwardingLog(current: () => Log): Pick<Log, 'debug' | 'info' | 'warn' | 'error'> {
  return {
    debug: (fields, message) => current().debug(fields, message),
    info: (fields, message) => current().info(fields, message),
    warn: (fields, message) => current().warn(fields, message),
    error: (fields, message) => current().error(fields, message),
  }
}

const LEVELS: Readonly<Record<string, string>> = { panic: 'fatal', warning: 'warn' }

/** Builds the log. Never throws for unknown levels or formats: the config's schema has refused them before. */
export function createLog(settings: LogSettings, target: LogTarget): Log {
  const level = settings.level ?? 'info'
  const options: RedactOptions = {
    ...(settings.redaction_text !== undefined &&
      settings.redaction_text !== '' && { replacement: settings.redaction_text }),
    ...(settings.additional_redacted_headers !== undefined && {
      additional: new Set(settings.additional_redacted_headers.map(normalizeKey)),
    }),
  }
  const stream = formatted(target, settings.format ?? 'text')
  const logger = pino(
    {
      level: LEVELS[level] ?? level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redact(fields, options) as Record<string, unknown>,
      },
    },
    stream,
  )
  const writer =
    (severity: Severity) =>
    (fields: object, message: string): void => {
      if (logger.isLevelEnabled(severity)) logger[severity](fields, redactText(message, options.replacement))
    }
  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    line(severity, fields, message) {
      if (!logger.isLevelEnabled(severity)) return
      // Put together as text: a copy of the fields would cost as much again as writing them.
      const said = JSON.stringify(fields).slice(1, -1)
      const end = `"msg":${JSON.stringify(message)}}\n`
      stream.write(`{"level":"${severity}","time":"${timestamp()}",${said}${said === '' ? '' : ','}${end}`)
    },
    clean: (text) => redactText(text, options.replacement),
    enabled: (severity) => logger.isLevelEnabled(severity),
  }
}

let lastMillisecond = 0
let lastTimestamp = ''

/** The time in ISO 8601; busy gateways write many lines a millisecond. */
function timestamp(): string {
  const now = Date.now()
  if (now !== lastMillisecond) {
    lastMillisecond = now
    lastTimestamp = new Date(now).toISOString()
  }
  return lastTimestamp
}

function formatted(target: LogTarget, name: string): { write(line: string): void } {
  const format = lineFormat(target, name)
  return {
    write(line) {
      target.write(format === undefined ? line : format(line))
    },
  }
}

function lineFormat(target: LogTarget, name: string): LineFormat | undefined {
  if (name === 'json_pretty') return prettyJsonFormat
  if (name === 'gelf') return gelfFormat
  if (name === 'text' && target.isTTY === true) return textFormat(target.color === true)
  return undefined
}
