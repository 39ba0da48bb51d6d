/** One number and one unit: Oathkeeper's subset of Go's syntax. */
export const durationPattern = /^([0-9]+)(ns|us|ms|s|m|h)$/
const milliseconds = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const

/** Milliseconds of a duration such as `30s`; undefined for other texts. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = durationPattern.exec(text) ?? []
  if (amount === undefined || unit === undefined) return undefined
  return Number(amount) * milliseconds[unit as keyof typeof milliseconds]
}
