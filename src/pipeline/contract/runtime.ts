/** Clock and log, given in, so that tests patch no globals. */

export interface Clock {
  /** Wall clock, epoch milliseconds: for what is written into tokens. */
  now(): number
  /** Milliseconds from an arbitrary start, never going back: for the lifetime of what is cached. */
  monotonic(): number
}

export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
