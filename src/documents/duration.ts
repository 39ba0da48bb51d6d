import { z } from 'zod'
import { durationPattern, parseDuration } from './parse_duration.ts'

/** Schema of a duration that stays as it was written. */
export const durationText = z
  .string()
  .regex(durationPattern, 'must be a duration: one number and one unit of ns, us, ms, s, m, h, such as "30s"')

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
