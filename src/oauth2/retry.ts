import { z } from 'zod'
import { duration } from '../documents/duration.ts'
import type { HttpLimits } from '../pipeline/contract.ts'

/** Oathkeeper's block `retry`. */
export const retry = z
  .strictObject({
    give_up_after: duration.prefault('1s').describe('Time for an answer, all attempts and pauses included.'),
    max_delay: duration.prefault('100ms').describe('Longest pause between two attempts.'),
  })
  .prefault({})
  .describe('Attempts that fail, or are answered with 502, 503 or 504, are repeated a few times.')

export function limitsOf({ give_up_after, max_delay }: z.output<typeof retry>): HttpLimits {
  return { giveUpAfter: give_up_after, maxDelay: max_delay }
}
