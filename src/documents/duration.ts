import { z } from 'zod'

const pattern = /^([0-9]+)(ns|us|ms|s|m|h)$/
const milliseconds = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const

/** Milliseconds of a duration such as `30s`: one number, one unit (Oathkeeper's subset of Go's syntax); undefined for other texts. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = pattern.exec(text) ?? []
  if (amount === undefined || unit === undefined) return undefined
  return Number(amount) * milliseconds[unit as keyof typeof milliseconds]
}

/** Schema of a duration that stays as it was written. */
export const durationText = z
  .string()
  .regex(pattern, 'must be a duration: one number and one unit of ns, us, ms, s, m, h, such as "30s"')

/** Schema of a duration: takes `30s`, gives 30000 (milliseconds). A default is given with `.prefault('30s')`. */
export const duration = durationText.transform((text) => parseDuration(text) ?? 0)

const compound = /^([0-9]+(ns|us|ms|s|m|h))+$/

/** Schema of a duration of one or more parts, as Kratos takes it: takes `1h30m`, gives 5400000 (milliseconds). */
export const compoundDuration = z
  .string()
  .regex(compound, 'must be a duration: numbers with a unit of ns, us, ms, s, m, h, such as "1h30m"')
  .transform((text) =>
    (text.match(/[0-9]+(?:ns|us|ms|s|m|h)/g) ?? []).reduce((sum, part) => sum + (parseDuration(part) ?? 0), 0),
  )
